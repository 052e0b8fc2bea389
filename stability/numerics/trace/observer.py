"""Sees every operation of a step and tells `lineage` what became non-finite, where and out of what.

Nothing it does is seen by the step: it computes below every mode, draws no random numbers and writes to no
tensor that is not its own.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from stability.numerics.trace.batch import Batch
from stability.numerics.trace.endings import End, end_of
from stability.numerics.trace.flow import Broken, Input, parents
from stability.numerics.trace.frames import Sight, Site
from stability.numerics.trace.kept import Left, held_name, left
from stability.numerics.trace.labelling import Passing, label
from stability.numerics.trace.lineage import EMERGED, SENTINEL, Lineage, Passage
from stability.numerics.trace.memory import Memories, address
from stability.numerics.trace.moments import Moment, Moments
from stability.numerics.trace.operations import Call, Kind, computations, kind_of_operation
from stability.numerics.trace.owners import LOST, Owner
from stability.numerics.trace.participants import Participants
from stability.numerics.trace.ranges import ForwardCalls, named_tensors, range_of
from stability.numerics.trace.sentinels import came_in_as_sentinel
from stability.numerics.trace.settings import setting
from stability.numerics.trace.tensors import (
    all_finite,
    extremes,
    kind_of,
    largest_finite,
    none_finite,
    not_finite,
    numbers,
)
from stability.records import InputRange, Phase

USELESS_SCALE = 2.0**40
"""Times this, the smallest number of half precision (2^-24) is more than the largest (65504)."""

Seen = Input | float | None
"""An input: what is known of it if it is not finite, else its largest |x|; None if it holds no numbers."""


class Observer(TorchDispatchMode):
    """The dispatch mode of one traced step, with all that it found out."""

    supports_higher_order_operators = True

    tracer: Any = None  # the `Tracer` it works for

    def __init__(self) -> None:
        super().__init__()
        self.memories = Memories()
        self.lineage = Lineage(self.memories)
        self.participants = Participants()
        self.batch = Batch(self.memories, self.participants.is_weight, self.lineage.divided)
        self.differentiated: list[End] = []  # what `backward` was called on
        self.numbers_read: list[End] = []  # what `item` was called on
        self.left: dict[int | None, Left] = {}  # what the update wrote that is not finite, by storage
        self.skipped = False  # whether a gradient scaler found that its scale was too large
        self.saw_any = False
        self.at_work = True
        self._lock = threading.RLock()
        self._sight: Sight | None = None  # of the operation that is looked at
        self._scaled = False
        self._kinds: dict[Any, Kind] = {}
        self._loading = False  # what a data loader makes of items comes in, like any batch
        self._forward = ForwardCalls(self.memories)
        self._moments = Moments(self._met, self._differentiated)

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if not isinstance(func, OpOverload) or not self.at_work:
            return func(*args, **kwargs)
        if (kind := self._kinds.get(func)) is None:
            kind = self._kinds[func] = kind_of_operation(func)
        call = Call(func, kind, args, kwargs)
        with self._lock, torch._C._DisableTorchDispatch():
            moment = self._moments.now(call, sys._getframe(1))
            written = self._before(call, moment)
            if moment is not None and moment.phase is Phase.FORWARD and not self._loading:
                self._forward.note(moment.node, call)
            sight, self._sight = self._sight, None
        results = func(*args, **kwargs)
        with self._lock, torch._C._DisableTorchDispatch():
            self._sight = sight
            self._after(call, results, moment, written)
            self._sight = None
        return results

    @property
    def trained(self) -> bool:
        """Whether a module or a backward pass was seen."""
        return self._moments.backward_seen or bool(self.participants.roots)

    def _met(self, sight: Sight, call: Call) -> None:
        self.saw_any = True
        self._loading, self._sight = sight.loading, sight
        self._scaled |= sight.scaling
        self.participants.met(sight, call, self.batch)

    def _differentiated(self, root: Tensor) -> None:
        if (end := end_of(root, None, self.lineage)) is not None:
            self.differentiated.append(end)

    def _before(self, call: Call, moment: Moment | None) -> dict[int, Seen]:
        """What the operation is going to overwrite: non-finite inputs, or the largest |x| of finite ones."""
        if not call.kind.written or not call.kind.read_too:
            return {}
        seen: dict[int, Seen] = {}
        for value in call.written():
            for tensor in value if isinstance(value, (list, tuple)) else [value]:
                seen[id(tensor)] = found = self._look_at(tensor, call, moment)
                if isinstance(found, Input):
                    found.keep()
        return seen

    def _look_at(self, tensor: Tensor, call: Call, moment: Moment | None) -> Seen:
        entries = numbers(tensor)
        if entries is None:
            return None
        memory = self.memories.of(tensor)
        if memory is not None and memory.full and memory.one is not None and entries.numel():
            return Input(tensor, entries, self._owner_of(tensor, moment), memory, full=True)
        low, high = extremes(entries)
        if all_finite(low, high):
            return max(abs(low), abs(high)) if entries.numel() else None
        moment = moment or self._moments.in_backward(sys._getframe(2))
        memory = self.memories.at(tensor, inner=False)
        if memory is not None and memory.constant and tensor.numel() == 1 and bool(entries.isnan().any()):
            return None  # a NaN that the user wrote down is born where it is used
        owner = self._owner(tensor, moment.phase)
        if memory is None or memory.one is None:
            labels, _ = self.lineage.known(entries)
            unknown = not_finite(entries) & (labels == 0)
            if bool(unknown.any()):
                passage, first = self._origin(tensor, entries, unknown, call, moment)
                self.lineage.adopt(passage, entries, unknown, owner, first)
        return Input(tensor, entries, owner, memory, full=none_finite(entries))

    def _owner_of(self, tensor: Tensor, moment: Moment | None) -> Owner | None:
        return self._owner(tensor, Phase.BACKWARD if moment is None else moment.phase)

    def _origin(
        self, tensor: Tensor, entries: Tensor, unknown: Tensor, call: Call, moment: Moment
    ) -> tuple[Passage, int]:
        """Where entries that no operation made non-finite come from, and the first label for them."""
        memory, value = self.memories.of(tensor), kind_of(entries, unknown)
        if memory is not None and memory.blank is not None:
            op, was = memory.blank
            passage = self.lineage.passage(was.phase, op, was.site, value)
            passage.source = "memory that was never written"
            return passage, 1
        passage = self.lineage.passage(Phase.EXTERNAL, call.kind.name, moment.site, value)
        passage.came_in, passage.read_in = tensor, moment.phase
        passage.max_abs_input = largest_finite(entries, not_finite(entries))
        if memory is not None and memory.inner:
            passage.source = "memory written outside of torch's operations"
        if tensor.numel() == 1:
            passage.setting = self._setting(moment)
        if moment.phase is Phase.OPTIMIZER and self._sight is not None and not self._sight.updating:
            passage.held_as = held_name(tensor, self._sight.user)
        buffer = self.participants.is_buffer(tensor)
        weight = self.participants.is_weight(tensor) and not buffer
        sentinel = not weight and came_in_as_sentinel(call, tensor, entries, unknown, buffer=buffer)
        return passage, SENTINEL if sentinel else 1

    def _owner(self, tensor: Tensor, phase: Phase) -> Owner | None:
        if phase is Phase.OPTIMIZER or tensor.layout is not torch.strided:
            return None
        return LOST if self._loading else self.batch.of(tensor, adopt=phase is Phase.FORWARD)

    def _after(self, call: Call, results: Any, moment: Moment | None, written: dict[int, Seen]) -> None:
        kind = call.kind
        if kind.is_view:
            self._view(call, results)
            return
        if kind.is_blank:
            self._blank(call, results, moment)
            return
        if kind.base == "_local_scalar_dense":
            self._number_read(call)
            return
        if kind.base == "_amp_foreach_non_finite_check_and_unscale_":
            self._scaler_looked(call)
        self._written_over(call)
        follow = not kind.is_list and (moment is None or moment.phase is not Phase.OPTIMIZER)
        follow &= not self._loading
        for inputs, outputs in computations(call, results):
            put_together = follow and self.batch.carry(call, inputs, outputs, adopt=moment is not None)
            broken = [found for output in outputs if (found := _broken(output)) is not None]
            if broken:
                moment = moment or self._moments.in_backward(sys._getframe(2))
                self._passed(call, moment, self._inputs(call, inputs, moment, written), broken)
                self._leave(moment, broken)
            if broken and put_together:
                self._divide(outputs)

    def _written_over(self, call: Call) -> None:
        """Whatever was known to be finite nowhere may have been written over."""
        for value in call.written():
            for tensor in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(tensor, Tensor) and (memory := self.memories.of(tensor)) is not None:
                    memory.full = False

    def _scaler_looked(self, call: Call) -> None:
        """A scaler skips a step to find its scale; one that no gradient fits under is a mistake."""
        found, inverse = call.argument("found_inf").item(), call.argument("inv_scale").item()
        self.skipped |= bool(found) and inverse > 1 / USELESS_SCALE

    def _leave(self, moment: Moment, broken: list[Broken]) -> None:
        """Remember what an update leaves behind: an average of the weights may be among it."""
        sight = self._sight
        if moment.phase is not Phase.OPTIMIZER or sight is None or sight.updating or sight.clipping:
            return
        for output in broken:
            tensor = output.tensor
            memory = self.memories.at(tensor, inner=True)
            if memory is not None and tensor.layout is torch.strided and tensor.ndim:
                self.left[address(tensor)] = left(tensor, memory)

    def _divide(self, outputs: list[Tensor]) -> None:
        for output in outputs:
            if (owner := self.batch.of(output)) is not None:
                self.lineage.divided(output, owner)

    def _view(self, call: Call, results: Any) -> None:
        for tensor in () if self._loading else call.tensors():
            self.batch.of(tensor, adopt=torch._C._current_graph_task_id() == -1)
        if call.kind.base == "lift_fresh" and (memory := self.memories.at(results, inner=False)) is not None:
            memory.constant = True

    def _blank(self, call: Call, results: Any, moment: Moment | None) -> None:
        memory = self.memories.at(results, inner=not self._loading)
        if memory is not None:
            memory.blank = (call.kind.name, moment or Moment(Phase.BACKWARD, Site(), None))
            if not self._loading:
                self.batch.carry(call, list(call.tensors()), [results], adopt=False)

    def _number_read(self, call: Call) -> None:
        end = end_of(call.argument("self"), None, self.lineage)
        if end is not None:
            self.numbers_read.append(end)

    def _inputs(
        self, call: Call, tensors: Sequence[Tensor], moment: Moment, written: dict[int, Seen]
    ) -> list[Seen]:
        """The inputs as they were before the operation; what it only wrote is none."""
        skipped = set() if call.kind.read_too else _ids(call.written())
        distinct = {id(tensor): tensor for tensor in tensors if id(tensor) not in skipped}
        return [
            written[key] if key in written else self._look_at(tensor, call, moment)
            for key, tensor in distinct.items()
        ]

    def _passed(self, call: Call, moment: Moment, seen: list[Seen], broken: list[Broken]) -> None:
        """An operation gave something non-finite: born here, or passed on from its inputs."""
        inputs = [each for each in seen if isinstance(each, Input)]
        passage = self.lineage.passage(moment.phase, call.kind.name, moment.site, "nan")
        passage.node = moment.node
        passage.outputs = frozenset(address(output.tensor) for output in broken)
        passage.by_hand = self._is_by_hand(moment)
        read = self._scalar_read(call)
        if read is None and call.has_nonfinite_scalar() and not call.kind.is_mask:
            passage.setting = self._setting(moment)
        # before any label is written: an output may share the storage of an input
        origins = {i for output in broken for i in parents(call, inputs, output.bad)}
        passing = Passing(call, inputs, passage, read, self._scaled)
        born = [self._label(passing, output) for output in broken]
        if any(born):
            sizes = [each.largest if isinstance(each, Input) else each for each in seen]
            passage.max_abs_input = max((size for size in sizes if size is not None), default=None)
            shape = broken[born.index(True)].entries.shape
            passage.inputs = tuple(self._ranges(call, passage, shape if call.kind.is_elementwise else None))
        values = [output.value for output in broken]
        passage.value = "nan" if "nan" in values else values[0]
        origins |= {i for writers in (read.writers.values() if read else ()) for i in writers}
        passage.parents = tuple(sorted(origins))
        passage.setting = passage.setting or self._inherited_setting(passage)

    def _label(self, passing: Passing, output: Broken) -> bool:
        owner = self._owner(output.tensor, passing.passage.phase)
        memory = self.memories.at(output.tensor, inner=not self._loading)
        return label(passing, output, owner, memory, self.lineage)

    def _ranges(self, call: Call, passage: Passage, shape: torch.Size | None) -> Iterator[InputRange]:
        """What the operation worked on; in the backward pass, what the forward operation did."""
        named = list(named_tensors(call))
        if passage.phase is Phase.BACKWARD and (of := self._forward.name(passage.node)) is not None:
            own = [(f"{call.kind.base}.{name}", tensor) for name, tensor in named]
            passage.backward_of, named = of, list(self._forward.inputs(passage.node)) or own
        overwritten = _ids(call.written())
        for name, tensor in named:
            found = None if id(tensor) in overwritten else range_of(name, tensor, passage.place, shape)
            if found is not None:
                yield found

    def _scalar_read(self, call: Call) -> End | None:
        """The broken number that the program read from a tensor, if it may be the one it gives here."""
        if not self.numbers_read or not call.has_nonfinite_scalar():
            return None
        read = self.numbers_read[-1]
        return read if min(read.labels) < EMERGED else None

    def _inherited_setting(self, passage: Passage) -> str | None:
        """The setting whose infinity became something else here: inf - inf."""
        before = (self.lineage.passages[index - 1] for index in passage.parents)
        return next((each.setting for each in before if each.setting is not None), None)

    def _is_by_hand(self, moment: Moment) -> bool:
        sight = self._sight
        by_torch = sight is None or sight.updating or sight.clipping or sight.scaling
        return moment.phase is Phase.OPTIMIZER and not by_torch

    def _setting(self, moment: Moment) -> str | None:
        updating = self._sight is not None and self._sight.updating
        return setting(sys._getframe(1), self._sight.optimizer if updating else None)


def _broken(output: Tensor) -> Broken | None:
    entries = numbers(output)
    if entries is None:
        return None
    low, high = extremes(entries)
    return None if all_finite(low, high) else Broken(output, entries, low, high)


def _ids(values: Sequence[Any]) -> set[int]:
    return {id(t) for value in values for t in (value if isinstance(value, (list, tuple)) else [value])}
