"""Switches the tracing of a step on and off, and says in the end where it broke."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode_stack

from stability.numerics.trace.components import Component, component_of, told
from stability.numerics.trace.endings import End, ends_in, ends_of
from stability.numerics.trace.lineage import EMERGED, SENTINEL, Birth, Passage
from stability.numerics.trace.memory import address
from stability.numerics.trace.observer import Observer
from stability.numerics.trace.threads import Threads
from stability.records import Link, Phase, Provenance

LONGEST_CHAIN = 12


class Tracer:
    """Traces what runs between `start` and `stop`, which need not be in one function; of use only once."""

    def __init__(self) -> None:
        self._observer = Observer()
        self._observer.tracer = self
        self._threads = Threads(self._observer)
        self._components: list[Component] = []
        self._anomaly: tuple[bool, bool] | None = None
        self.batch_size: int | None = None
        """How many elements the batch has, if told: no element is named of a batch of another size."""

    def start(self) -> None:
        """Begin; from here on every operation of this thread, of those that start, and of their backward
        passes is seen."""
        self._anomaly = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
        torch.set_anomaly_enabled(True, False)  # so that autograd's nodes know their forward line
        self._threads.start()
        self._observer.__enter__()

    def stop(self) -> None:
        """End; safe after an exception, and when it has ended before."""
        if self._anomaly is None:
            return
        torch.set_anomaly_enabled(*self._anomaly)
        self._anomaly = None
        self._threads.stop()
        self._observer.tracer, self._observer.at_work = None, False
        above: list[TorchDispatchMode] = []
        while self._observer in (stack := _get_current_dispatch_mode_stack()):
            TorchDispatchMode.__exit__(stack[-1], None, None, None)
            above.append(stack[-1])
        for mode in reversed(above[:-1]):  # modes entered since, and not yet left
            TorchDispatchMode.__enter__(mode)

    def components(self, losses: Mapping[str, Any]) -> None:
        """Tell the loss components by name, best before the backward pass; plain numbers are passed over.

        A name may be told again, for another micro-batch.
        """
        with torch._C._DisableTorchDispatch():
            known = told(losses, self._observer.lineage)
        before = {(component.name, component.nodes) for component in self._components}
        self._components += [each for each in known if (each.name, each.nodes) not in before]

    @property
    def unseen(self) -> str | None:
        """Why nothing can be said of the step: it ran in a thread that was at work before; None if seen."""
        if self._observer.trained:
            return None
        if names := list(self._threads.out_of_sight):
            return f"the step ran modules or optimizers in thread {names[0]!r}, which was at work before"
        if not self._observer.saw_any and threading.active_count() > 1:
            return "the step ran no operation of torch in a thread that can be seen"
        return None

    @property
    def roots(self) -> list[nn.Module]:
        """The outermost modules that were called."""
        return self._observer.participants.roots

    def provenance(self, returned: Any = None) -> Provenance | None:
        """Where the step broke, given what it returned; None if all that it left behind is finite.

        Looks at the components told, what `backward` was called on, `returned`, and the gradients, weights
        and optimizer state as they are now.
        """
        seen = self._observer
        if isinstance(returned, Mapping) and not self._components:
            self.components(returned)
        with torch._C._DisableTorchDispatch(), torch.no_grad():
            ends = [component.end for component in self._components if component.end is not None]
            ends += [*seen.differentiated, *ends_in(returned, seen.numbers_read, seen.lineage)]
            ends += ends_of(seen.participants, seen.left.values(), seen.lineage)
        ends = self._not_excused(ends)
        if not ends:
            return None
        return self._answer(self._before_backward(ends))

    def _not_excused(self, ends: list[End]) -> list[End]:
        """Leave out what a gradient scaler has dealt with: it skipped the step, and lowers its scale."""
        births = self._observer.lineage.births
        if not self._observer.skipped:
            return ends
        left = [
            end.without(lambda label: births[label].passage.overflow) if end.passing else end for end in ends
        ]
        return [end for end in left if end is not None]

    def _before_backward(self, ends: list[End]) -> list[End]:
        """Where an infinite number made the loss infinite: that, not what the backward pass made of it."""
        births = self._observer.lineage.births
        losses = self._not_excused(self._observer.differentiated)
        earliest = min(label for end in ends for label in end.labels)
        broke_in_backward = births[earliest].passage.phase is Phase.BACKWARD
        put_there = all(label >= EMERGED for end in losses for label in end.labels)
        return losses if losses and put_there and broke_in_backward else ends

    def hidden(self) -> Provenance | None:
        """Where something broke and was hidden before the step ended, masks of -inf aside; None if nothing.

        For a step that is known to be broken although all that it left behind is finite. Of several, the
        one that got farthest towards the loss or the gradients, or the first where only the update's broke.
        """
        passages = self._observer.lineage.passages
        broken = [p for p in passages if any(label < EMERGED for label in p.labels)]
        if not broken:
            return None
        last = next((p for p in reversed(broken) if p.phase is not Phase.OPTIMIZER), broken[0])
        writers = {label: (last.index,) for label in last.labels if label < EMERGED}
        return self._answer([End(None, writers, passing=True)])

    def first_so_far(self) -> str:
        """One sentence on the first non-finite value of what ran so far."""
        births = self._observer.lineage.births
        label = min(births, default=SENTINEL)
        if label >= EMERGED:
            return "all values were finite so far"
        birth = births[label]
        origin = birth.passage
        where = f" at {origin.site.file}:{origin.site.line}" if origin.site.file else ""
        return f"first non-finite value so far: {birth.value} from {origin.op}{where} ({origin.phase})"

    def _answer(self, ends: list[End]) -> Provenance:
        lineage, participants = self._observer.lineage, self._observer.participants
        labels = {label for end in ends for label in end.labels}
        label = lineage.together(labels)
        birth = lineage.births[label]
        origin = birth.passage
        same = {each for each in labels if lineage.births[each].passage is origin}
        self._settle_phase(origin, [end for end in ends if same & end.labels])
        component = component_of(origin, same, self._components, lineage)
        reached = [end for end in ends if same & end.labels]
        end = next((end for end in reached if component and end.name == component), reached[0])
        way = self._way(origin, same, end)
        return Provenance(
            phase=origin.phase,
            op=origin.op,
            file=origin.site.file,
            line=origin.site.line,
            module=participants.path(origin.site.modules),
            component=component,
            batch_index=self._batch_index(birth),
            value=lineage.births[min(same)].value,
            max_abs_input=origin.max_abs_input,
            source=self._source(origin),
            setting=origin.setting,
            backward_of=origin.backward_of,
            inputs=origin.inputs,
            library_file=origin.site.library[0] if origin.site.library else None,
            library_line=origin.site.library[1] if origin.site.library else None,
            chain=self._chain(way),
        )

    def _way(self, origin: Passage, labels: set[int], end: End) -> list[Passage]:
        lineage = self._observer.lineage
        last = [lineage.passages[w - 1] for each in labels & end.labels for w in end.writers[each] if w]
        return min((lineage.way(origin, each) for each in last), key=len, default=[origin])

    def _settle_phase(self, origin: Passage, reached: list[End]) -> None:
        """Whether what a program did by hand after a backward pass was an update can only be told by its use.

        A gradient that went into a forward pass (an adversarial input, an adaptive loss weight) is part of
        that; what was left as the gradient of a weight belongs to the backward pass.
        """
        if not origin.by_hand:
            return
        weights = [weight for _, weight in self._observer.participants.weights()]
        gradients = {address(weight.grad) for weight in weights if weight.grad is not None}
        if origin.outputs & gradients:
            origin.phase = Phase.BACKWARD
            return
        held = {address(weight) for weight in weights}
        for end in reached:
            way = self._way(origin, set(end.labels), end)
            until = next((n for n, each in enumerate(way) if each.outputs & held), len(way))
            forward = next((n for n, each in enumerate(way[:until]) if each.phase is Phase.FORWARD), 0)
            for each in way[:forward]:
                each.phase = Phase.FORWARD
            if forward:
                return

    def _batch_index(self, birth: Birth) -> int | None:
        """The one element to blame: by the entries' owner, else by the dimension of the batch's size."""
        batch = self._observer.batch
        size = batch.size if self.batch_size is None else self.batch_size
        if birth.lost or size is None or birth.passage.phase is Phase.OPTIMIZER:
            return None
        if birth.universe:
            return batch.index(birth.universe, birth.item, self.batch_size)
        if birth.passage.phase is Phase.BACKWARD:
            return None
        dims = [dim for dim, length in enumerate(birth.shape) if length == size]
        if not dims or (len(dims) > 1 and dims[0] != 0) or birth.first[dims[0]] != birth.last[dims[0]]:
            return None
        return birth.first[dims[0]]

    def _source(self, origin: Passage) -> str | None:
        if origin.came_in is None or origin.source is not None:
            return origin.source
        if (name := self._observer.participants.name_of(origin.came_in)) is not None:
            return name
        if origin.held_as is not None:
            return f"tensor {origin.held_as}"
        if origin.read_in is Phase.OPTIMIZER:
            return "optimizer state"
        return "an infinite number" if origin.came_in.ndim == 0 and origin.value != "nan" else "data"

    def _chain(self, way: list[Passage]) -> tuple[Link, ...]:
        path = self._observer.participants.path
        links: list[Link] = []
        for each in way:
            site = each.site
            if each.op is None:  # what was not finite all along and took part in nothing
                continue
            if links and (links[-1].op, links[-1].file, links[-1].line) == (each.op, site.file, site.line):
                continue
            links.append(Link(each.phase, each.op, site.file, site.line, path(site.modules), each.value))
        return tuple(_shortened(links))


def current_tracer() -> Tracer | None:
    """The tracer that is at work in this thread, if any."""
    for mode in reversed(_get_current_dispatch_mode_stack()):
        if isinstance(mode, Observer):
            return mode.tracer
    return None


def _shortened(links: list[Link]) -> list[Link]:
    """At most `LONGEST_CHAIN` links: both ends, and the birth of NaN."""
    half = LONGEST_CHAIN // 2
    if len(links) <= LONGEST_CHAIN:
        return links
    birth = next((index for index, link in enumerate(links) if link.value == "nan"), 0)
    kept = [*range(half), *range(len(links) - half, len(links))]
    if birth not in kept:
        kept[half - 1] = birth
    return [links[index] for index in sorted(kept)]
