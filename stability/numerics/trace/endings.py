"""What a step leaves behind that is not finite: losses, gradients, weights, optimizer state."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stability.numerics.trace.frames import Site
from stability.numerics.trace.kept import Left
from stability.numerics.trace.lineage import EMERGED, Birth, Lineage
from stability.numerics.trace.memory import address, distinct
from stability.numerics.trace.participants import Participants
from stability.numerics.trace.tensors import all_finite, extremes, kind_of, not_finite, numbers, tensors_in
from stability.records import Phase


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """A tensor that is not finite: its labels, and for each the last passages it came through.

    `passing`: a loss or a gradient, which the next step makes anew.
    """

    name: str | None
    writers: Mapping[int, tuple[int, ...]]
    passing: bool

    @property
    def labels(self) -> frozenset[int]:
        return frozenset(self.writers)

    def without(self, unwanted: Callable[[int], bool]) -> End | None:
        """The end that is left without some labels; None if nothing is."""
        kept = {label: writers for label, writers in self.writers.items() if not unwanted(label)}
        return End(self.name, kept, self.passing) if kept else None


def end_of(tensor: Tensor, name: str | None, lineage: Lineage, source: str | None = None) -> End | None:
    """Look at a tensor; None if it is finite.

    What no operation made is external, brought by `source`; a tensor that is no source is a loss.
    """
    entries = numbers(tensor.detach())
    if entries is None or all_finite(*extremes(entries)):
        return None
    memory = lineage.memories.of(entries)
    if memory is None or memory.one is None:
        labels, _ = lineage.known(entries)
        unknown = not_finite(entries) & (labels == 0)
        if bool(unknown.any()):
            passage = lineage.passage(Phase.EXTERNAL, None, Site(), kind_of(entries, unknown))
            passage.came_in, passage.source = tensor, source
            lineage.adopt(passage, entries, unknown, None, 1)
    return _end(name, entries, lineage, passing=source is None or source.startswith("gradient"))


def ends_in(returned: Any, read: list[End], lineage: Lineage) -> Iterator[End]:
    """What `step` returned: losses, or numbers, which can only have been read from tensors."""
    for tensor in tensors_in(returned):
        if is_loss(tensor) and (end := end_of(tensor, None, lineage)) is not None:
            yield end
    if any(not math.isfinite(number) for number in _floats(returned)):
        yield from read


def is_loss(tensor: Tensor) -> bool:
    """Whether a tensor that a step hands out can be a loss: one number, or something that has a gradient.

    Masked scores and samples, made without gradients, are none.
    """
    return tensor.numel() == 1 or tensor.requires_grad


def ends_of(participants: Participants, left: Iterable[Left], lineage: Lineage) -> Iterator[End]:
    """Gradients, weights, optimizer state, and what else the step keeps for the next."""
    weights = list(participants.weights())
    named = [(f"gradient of {name}", w.grad) for name, w in weights if w.grad is not None]
    named += [(f"weight {name}", w) for name, w in weights]
    named += [(f"optimizer state {name}", s) for name, s in participants.state()]
    for name, tensor in named:
        if (end := end_of(tensor, name, lineage, source=name)) is not None:
            yield end
    for name, buffer in participants.buffers():
        if (end := kept_end(buffer, f"buffer {name}", lineage)) is not None:
            yield end
    known, shapes = {address(tensor) for _, tensor in named}, {w.shape for _, w in weights}
    for each in left:
        tensor = each.tensor() if each.shape in shapes else None
        if tensor is None or address(tensor) in known:
            continue
        if (end := kept_end(tensor, f"tensor of shape {each.shape}", lineage)) is not None:
            yield end


def kept_end(tensor: Tensor, name: str, lineage: Lineage) -> End | None:
    """Look at something kept whose infinities may be meant: a mask, the start of a minimum.

    Counts NaN that the step passed on, and what was born in the step; what it never touched does not count.
    """
    entries = numbers(tensor.detach())
    if entries is None or all_finite(*extremes(entries)):
        return None
    return _end(name, entries, lineage, passing=False).without(
        lambda label: label >= EMERGED or _is_meant(lineage.births[label])
    )


def _is_meant(birth: Birth) -> bool:
    return birth.passage.phase is Phase.EXTERNAL and birth.value != "nan"


def _end(name: str | None, entries: Tensor, lineage: Lineage, *, passing: bool) -> End:
    """What is known of the non-finite entries; those that are unknown are left out."""
    memory = lineage.memories.of(entries)
    if memory is not None and memory.one is not None:
        label, writer = memory.one
        return End(name, {label: (writer,)}, passing)
    labels, writers = lineage.known(entries)
    found: dict[int, tuple[int, ...]] = {}
    for label, writer in _pairs(labels * not_finite(entries), writers):
        found[label] = (*found.get(label, ()), writer)
    return End(name, found, passing)


def _pairs(labels: Tensor, writers: Tensor) -> list[tuple[int, int]]:
    """The distinct pairs with a label, each packed into one number, which sorts forty times as fast."""
    if len(one := distinct(labels)) == 1 and len(by := distinct(writers * (labels > 0))) == 1:
        return [(*one, *by)]
    packed = (labels.to(torch.int64) << 32 | writers)[labels > 0].unique().tolist()
    return [(pair >> 32, pair & 0xFFFFFFFF) for pair in packed]


def _floats(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _floats(part)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _floats(part)
