"""What a step leaves behind that is not finite: losses, gradients, weights, optimizer state."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stability.numerics.trace.frames import Site
from stability.numerics.trace.lineage import Lineage
from stability.numerics.trace.participants import Participants
from stability.numerics.trace.tensors import all_finite, extremes, kind_of, not_finite, numbers, tensors_in
from stability.records import Phase


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """A tensor that is not finite: its labels, and for each the last passages it came through."""

    name: str | None
    writers: Mapping[int, tuple[int, ...]]
    is_loss: bool

    @property
    def labels(self) -> frozenset[int]:
        return frozenset(self.writers)


def end_of(tensor: Tensor, name: str | None, lineage: Lineage, source: str | None = None) -> End | None:
    """Look at a tensor; None if it is finite.

    What no operation made is external, brought by `source`; a tensor that is no source is a loss.
    """
    entries = numbers(tensor.detach())
    if entries is None or all_finite(*extremes(entries)):
        return None
    bad = not_finite(entries)
    labels, _ = lineage.known(entries)
    unknown = bad & (labels == 0)
    if bool(unknown.any()):
        passage = lineage.passage(Phase.EXTERNAL, None, Site(), kind_of(entries, unknown))
        passage.came_in, passage.source = tensor, source
        lineage.adopt(passage, entries, unknown, None, 1)
    labels, writers = lineage.known(entries)
    pairs = torch.stack((labels[bad], writers[bad])).unique(dim=1).T.tolist()
    found: dict[int, tuple[int, ...]] = {}
    for label, writer in pairs:
        found[label] = (*found.get(label, ()), writer)
    return End(name, found, is_loss=source is None)


def ends_in(returned: Any, read: list[End], lineage: Lineage) -> Iterator[End]:
    """What `step` returned: tensors, or numbers, which can only have been read from tensors."""
    for tensor in tensors_in(returned):
        if (end := end_of(tensor, None, lineage)) is not None:
            yield end
    if any(not math.isfinite(number) for number in _floats(returned)):
        yield from read


def ends_of(participants: Participants, lineage: Lineage) -> Iterator[End]:
    """Gradients, weights and optimizer state."""
    weights = list(participants.weights())
    named = [(f"gradient of {name}", w.grad) for name, w in weights if w.grad is not None]
    named += [(f"weight {name}", w) for name, w in weights]
    named += [(f"optimizer state {name}", s) for name, s in participants.state()]
    for name, tensor in named:
        if (end := end_of(tensor, name, lineage, source=name)) is not None:
            yield end


def _floats(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _floats(part)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _floats(part)
