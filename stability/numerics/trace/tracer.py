"""Switches the tracing of a step on and off, and says in the end where it broke."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode_stack

from stability.numerics.trace.components import Component, component_of, told
from stability.numerics.trace.endings import End, ends_in, ends_of
from stability.numerics.trace.lineage import EMERGED, SENTINEL, Birth, Passage
from stability.numerics.trace.observer import Observer
from stability.records import Link, Phase, Provenance

LONGEST_CHAIN = 12


class Tracer:
    """Traces what runs between `start` and `stop`, which need not be in one function; of use only once."""

    def __init__(self) -> None:
        self._observer = Observer()
        self._observer.tracer = self
        self._components: list[Component] = []
        self._anomaly: tuple[bool, bool] | None = None
        self.batch_size: int | None = None
        """How many elements the batch has, if told: no element is named of a batch of another size."""

    def start(self) -> None:
        """Begin; from here on every operation of this thread and of its backward passes is seen."""
        self._anomaly = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
        torch.set_anomaly_enabled(True, False)  # so that autograd's nodes know their forward line
        self._observer.__enter__()

    def stop(self) -> None:
        """End; safe after an exception, and when it has ended before."""
        if self._anomaly is None:
            return
        torch.set_anomaly_enabled(*self._anomaly)
        self._anomaly = None
        self._observer.tracer = None
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
            ends += ends_of(seen.participants, seen.lineage)
        if not ends:
            return None
        return self._answer(self._before_backward(ends))

    def _before_backward(self, ends: list[End]) -> list[End]:
        """Where an infinite number made the loss infinite: that, not what the backward pass made of it."""
        losses, births = self._observer.differentiated, self._observer.lineage.births
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
        return self._answer([End(None, writers, is_loss=True)])

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
        component = component_of(origin, same, self._components, lineage)
        reached = [end for end in ends if same & end.labels]
        end = next((end for end in reached if component and end.name == component), reached[0])
        last = [lineage.passages[w - 1] for each in same & end.labels for w in end.writers[each] if w]
        way = min((lineage.way(origin, each) for each in last), key=len, default=[origin])
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
            chain=self._chain(way),
        )

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
