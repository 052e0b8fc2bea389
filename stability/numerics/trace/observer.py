"""Sees every operation of a step and tells `lineage` what became non-finite, where and out of what.

Nothing it does is seen by the step: it computes below every mode, draws no random numbers and writes to no
tensor that is not its own.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from stability.numerics.trace.batch import Batch
from stability.numerics.trace.endings import End, end_of
from stability.numerics.trace.flow import Input, flowed, parents
from stability.numerics.trace.frames import Frames, Sight, Site, outer_node
from stability.numerics.trace.lineage import EMERGED, SENTINEL, Lineage, Passage
from stability.numerics.trace.memory import Memories, Memory
from stability.numerics.trace.operations import Call, Kind, computations, kind_of_operation
from stability.numerics.trace.owners import Owner
from stability.numerics.trace.participants import Participants
from stability.numerics.trace.sentinels import came_in_as_sentinel, lets_sentinels_out, turns_sign
from stability.numerics.trace.tensors import (
    all_finite,
    extremes,
    kind_of,
    largest_finite,
    not_finite,
    numbers,
)
from stability.records import Phase


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where an operation ran; `node` numbers the autograd node that it made or belongs to."""

    phase: Phase
    site: Site
    node: int | None


class Observer(TorchDispatchMode):
    """The dispatch mode of one traced step, with all that it found out."""

    supports_higher_order_operators = True

    tracer: Any = None  # the `Tracer` it works for

    def __init__(self) -> None:
        super().__init__()
        self.memories = Memories()
        self.lineage = Lineage(self.memories)
        self.participants = Participants()
        self.batch = Batch(self.memories, self.participants.is_weight)
        self.differentiated: list[End] = []
        self.numbers_read: list[End] = []
        self._frames = Frames()
        self._kinds: dict[Any, Kind] = {}
        self._sites: dict[int, dict[int, Site]] = {}  # by node, which each thread numbers for itself
        self._graph_tasks: set[int] = set()
        self._after_backward = False
        self._last_node: Any = None
        self._backward_site = Site()

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if not isinstance(func, OpOverload):
            return func(*args, **kwargs)
        if (kind := self._kinds.get(func)) is None:
            kind = self._kinds[func] = kind_of_operation(func)
        call = Call(func, kind, args, kwargs)
        with torch._C._DisableTorchDispatch():
            moment = self._moment(call)
            written = self._before(call, moment)
        results = func(*args, **kwargs)
        with torch._C._DisableTorchDispatch():
            self._after(call, results, moment, written)
        return results

    def _moment(self, call: Call) -> Moment | None:
        """What can be known cheaply before the operation; None in the backward pass, for `_in_backward`."""
        frame = sys._getframe(2)
        task = torch._C._current_graph_task_id()
        if task != -1:
            self._last_node = torch._C._current_autograd_node() or self._last_node
            if task not in self._graph_tasks:
                self._graph_tasks.add(task)
                self._backward_begins(frame)
            if not torch.is_grad_enabled():
                return None
        sight = self._frames.look(frame)
        self.participants.met(sight, call, self.batch)
        if task != -1 and not sight.recomputing:
            return None
        node = torch.autograd._get_sequence_nr() - 1
        self._sites.setdefault(node, {}).setdefault(threading.get_ident(), sight.site)
        return Moment(self._phase(call, sight), sight.site, node)

    def _phase(self, call: Call, sight: Sight) -> Phase:
        """What follows a backward pass without building a new graph is the update: clipping, steps."""
        builds = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in call.tensors())
        if builds or (sight.calls and not sight.updating):
            self._after_backward &= not builds
            return Phase.FORWARD
        return Phase.OPTIMIZER if sight.updating or self._after_backward else Phase.FORWARD

    def _backward_begins(self, frame: Any) -> None:
        self._after_backward = True
        frames = [frame, *sys._current_frames().values()]  # on CUDA the engine runs in threads of its own
        begun = next((found for each in frames if (found := self._frames.backward_begun(each))), ([], Site()))
        roots, self._backward_site = begun
        for root in roots:
            if (end := end_of(root, None, self.lineage)) is not None:
                self.differentiated.append(end)

    def _in_backward(self) -> Moment:
        """The forward line of the running node, or the user's line inside a custom backward."""
        node = torch._C._current_autograd_node() or self._last_node
        sight = self._frames.look(sys._getframe(2))
        accumulates = node is None or node.name().endswith("AccumulateGrad")
        site = self._backward_site if accumulates else self._frames.node_site(node)
        site = sight.site if sight.inside else site
        if accumulates:
            return Moment(Phase.BACKWARD, Site(site.file, site.line), None)
        known = list(self._sites.get(node._sequence_nr(), {}).values())
        fitting = known if sight.inside else [each for each in known if each.same_line(site)]
        modules = fitting[0].modules if fitting else ()
        return Moment(Phase.BACKWARD, Site(site.file, site.line, modules), outer_node(node)._sequence_nr())

    def _before(self, call: Call, moment: Moment | None) -> dict[int, Input | float | None]:
        """What the operation is going to overwrite: non-finite inputs, or the largest |x| of finite ones."""
        if not call.kind.written or not call.kind.read_too:
            return {}
        seen: dict[int, Input | float | None] = {}
        for value in call.written():
            for tensor in value if isinstance(value, (list, tuple)) else [value]:
                seen[id(tensor)] = self._look_at(tensor, call, moment)
        return seen

    def _look_at(self, tensor: Tensor, call: Call, moment: Moment | None) -> Input | float | None:
        entries = numbers(tensor)
        if entries is None:
            return None
        low, high = extremes(entries)
        if all_finite(low, high):
            return max(abs(low), abs(high)) if entries.numel() else None
        moment = moment or self._in_backward()
        bad = not_finite(entries)
        memory = self.memories.at(tensor, inner=False)
        if memory is not None and memory.constant and tensor.numel() == 1 and bool(entries.isnan().any()):
            return None  # a NaN that the user wrote down is born where it is used
        owner = self._owner(tensor, moment)
        labels, _ = self.lineage.known(entries)
        unknown = bad & (labels == 0)
        if bool(unknown.any()):
            self._adopt(tensor, entries, unknown, owner, call, moment, memory)
        labels, writers = self.lineage.known(entries)
        largest = largest_finite(entries, bad)
        return Input(tensor, bad, (labels * bad).clone(), writers.clone(), owner, largest)

    def _adopt(
        self,
        tensor: Tensor,
        entries: Tensor,
        unknown: Tensor,
        owner: Owner | None,
        call: Call,
        moment: Moment,
        memory: Memory | None,
    ) -> None:
        """Name the origin of entries that no operation of the step made non-finite."""
        value = kind_of(entries, unknown)
        if memory is not None and memory.blank is not None:
            was: Moment = memory.blank[1]
            passage = self.lineage.passage(was.phase, memory.blank[0], was.site, value)
            passage.source = "memory that was never written"
            first = 1
        else:
            passage = self.lineage.passage(Phase.EXTERNAL, call.kind.name, moment.site, value)
            passage.came_in, passage.read_in = tensor, moment.phase
            passage.max_abs_input = largest_finite(entries, not_finite(entries))
            if memory is not None and memory.inner:
                passage.source = "memory written outside of torch's operations"
            weight = self.participants.is_weight(tensor) and not self.participants.is_buffer(tensor)
            buffer = self.participants.is_buffer(tensor)
            sentinel = not weight and came_in_as_sentinel(call, tensor, entries, unknown, buffer=buffer)
            first = SENTINEL if sentinel else 1
        self.lineage.adopt(passage, entries, unknown, owner, first)

    def _owner(self, tensor: Tensor, moment: Moment) -> Owner | None:
        if moment.phase is Phase.OPTIMIZER or tensor.layout is not torch.strided:
            return None
        return self.batch.of(tensor)

    def _after(
        self, call: Call, results: Any, moment: Moment | None, written: dict[int, Input | float | None]
    ) -> None:
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
        follow = not kind.is_list and (moment is None or moment.phase is not Phase.OPTIMIZER)
        for inputs, outputs in computations(call, results):
            if follow:
                self.batch.carry(call, inputs, outputs, adopt=moment is not None)
            broken = [(out, n) for out in outputs if (n := numbers(out)) is not None]
            broken = [(out, n) for out, n in broken if not all_finite(*extremes(n))]
            if broken:
                moment = moment or self._in_backward()
                self._pass(call, moment, inputs, broken, written)

    def _view(self, call: Call, results: Any) -> None:
        for tensor in call.tensors():
            self.batch.of(tensor, adopt=torch._C._current_graph_task_id() == -1)
        if call.kind.base == "lift_fresh" and (memory := self.memories.at(results, inner=False)) is not None:
            memory.constant = True

    def _blank(self, call: Call, results: Any, moment: Moment | None) -> None:
        memory = self.memories.at(results, inner=True)
        if memory is not None:
            memory.blank = (call.kind.name, moment or Moment(Phase.BACKWARD, Site(), None))
            self.batch.carry(call, list(call.tensors()), [results], adopt=False)

    def _number_read(self, call: Call) -> None:
        end = end_of(call.args[0], None, self.lineage)
        if end is not None:
            self.numbers_read.append(end)

    def _pass(
        self,
        call: Call,
        moment: Moment,
        tensors: Sequence[Tensor],
        broken: Sequence[tuple[Tensor, Tensor]],
        written: dict[int, Input | float | None],
    ) -> None:
        """An operation gave something non-finite: born here, or passed on from its inputs."""
        skipped = set() if call.kind.read_too else _ids(call.written())
        distinct = {id(t): t for t in tensors if id(t) not in skipped}
        seen = [written[i] if i in written else self._look_at(t, call, moment) for i, t in distinct.items()]
        inputs = [each for each in seen if isinstance(each, Input)]
        sizes = [each.largest if isinstance(each, Input) else each for each in seen]
        passage = self.lineage.passage(moment.phase, call.kind.name, moment.site, "nan")
        passage.node = moment.node
        passage.max_abs_input = max((size for size in sizes if size is not None), default=None)
        values, before = [], set()
        for tensor, entries in broken:
            bad = not_finite(entries)
            self._label(call, moment, inputs, passage, tensor, entries, bad)
            before |= set(parents(call, inputs, bad))
            values.append(kind_of(entries, bad))
        passage.value = "nan" if "nan" in values else values[0]
        passage.parents = tuple(sorted(before))

    def _label(
        self,
        call: Call,
        moment: Moment,
        inputs: list[Input],
        passage: Passage,
        tensor: Tensor,
        entries: Tensor,
        bad: Tensor,
    ) -> None:
        owner = self._owner(tensor, moment)
        labels = flowed(call, inputs, tensor, entries.shape, owner, self.lineage.together)
        nan, none = entries.isnan(), labels == 0
        placed = bad & none & ~nan if call.has_infinite_scalar() else torch.zeros_like(bad)
        born = bad & (none | (nan & (labels >= EMERGED))) & ~placed
        if turns_sign(call, inputs):
            born |= bad & (entries > 0) & (labels >= EMERGED)
        emerged = torch.zeros_like(bad)
        if lets_sentinels_out(call, inputs, entries):
            emerged = bad & ~born & (labels >= SENTINEL)
        for where, first in ((born, 1), (emerged, EMERGED), (placed, SENTINEL)):
            if bool(where.any()):
                labels = torch.where(where, self.lineage.born(passage, entries, where, owner, first), labels)
        self.lineage.note(entries, bad, labels, passage, self.memories.at(tensor, inner=True))


def _ids(values: Sequence[Any]) -> set[int]:
    return {id(t) for value in values for t in (value if isinstance(value, (list, tuple)) else [value])}
