"""How the labels of an operation's inputs become those of its output, entry by entry where possible."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stability.numerics.trace.lineage import NONE
from stability.numerics.trace.operations import Call
from stability.numerics.trace.owners import Owner


@dataclass(slots=True, eq=False)
class Input:
    """A non-finite input as it was before the operation; masks and labels have the shape of its `numbers`."""

    tensor: Tensor
    bad: Tensor
    labels: Tensor
    writers: Tensor
    owner: Owner | None
    largest: float | None  # the largest finite |x| in it


Merge = Callable[[Collection[int]], int]
"""Gives the one label for entries that have all of several."""


def flowed(call: Call, inputs: Sequence[Input], whole: Tensor, owner: Owner | None, merge: Merge) -> Tensor:
    """The labels that reach each entry of an output, 0 where none does; `whole` is 0, of its shape."""
    if not inputs:
        return whole
    if call.kind.is_move and (moved := _moved(call, inputs)) is not None:
        return moved.expand(whole.shape)
    if _is_elementwise(call, inputs, whole.shape):
        return _least([labels.expand(whole.shape) for labels in _chosen(call, inputs)], whole)
    return _by_element(inputs, whole, owner, merge)


def _is_elementwise(call: Call, inputs: Sequence[Input], shape: torch.Size) -> bool:
    """Whether entries of the inputs can be paired with those of an output; complex ones are left alone."""
    real = all(each.labels.ndim == each.tensor.ndim for each in inputs)
    return call.kind.is_elementwise and real and all(_fits(each.labels.shape, shape) for each in inputs)


def _fits(shape: torch.Size, into: torch.Size) -> bool:
    if len(shape) > len(into):
        return False
    paired = zip(reversed(shape), reversed(into), strict=False)
    return all(size in (1, other) for size, other in paired)


def _least(labels: list[Tensor], start: Tensor) -> Tensor:
    """The least label at each entry, 0 counting as none."""
    least = torch.full_like(start, NONE)
    for each in labels:
        least = torch.minimum(least, torch.where(each == 0, NONE, each.to(least.device)))
    return torch.where(least == NONE, 0, least)


def _chosen(call: Call, inputs: Sequence[Input]) -> list[Tensor]:
    """The labels of the inputs, without those that `where` and `masked_fill` replace."""
    base = call.kind.base.rstrip("_")
    if base not in ("where", "masked_fill"):
        return [each.labels for each in inputs]
    chosen = []
    for each in inputs:
        if base == "where":
            condition = call.argument("condition")
            keep = condition if call.argument("self") is each.tensor else ~condition
        else:
            mask = call.argument("mask")
            keep = ~mask if call.argument("self") is each.tensor else mask
        chosen.append(torch.where(keep, each.labels.to(keep.device), 0))
    return chosen


def parents(call: Call, inputs: Sequence[Input], bad: Tensor) -> tuple[int, ...]:
    """The passages whose non-finite entries reached the `bad` entries of an output."""
    found: set[int] = set()
    elementwise = _is_elementwise(call, inputs, bad.shape)
    for each, labels in zip(inputs, _chosen(call, inputs) if elementwise else [], strict=False):
        reached = bad & (labels.to(bad.device) > 0).expand(bad.shape)
        found |= set(each.writers.to(bad.device).expand(bad.shape)[reached].unique().tolist())
    if not elementwise:
        for each in inputs:
            found |= set(each.writers[each.bad].unique().tolist())
    return tuple(sorted(found - {0}))


def _moved(call: Call, inputs: Sequence[Input]) -> Tensor | None:
    """Run the operation on the labels in place of the entries."""
    if any(each.labels.ndim != each.tensor.ndim for each in inputs):
        return None
    known = {id(each.tensor): each.labels for each in inputs}

    def stand_in(value: object) -> object:
        if isinstance(value, Tensor):
            labels = known.get(id(value))
            if labels is None and value.is_floating_point():
                return torch.zeros(value.shape, dtype=torch.int32, device=value.device)
            return value if labels is None else labels
        if isinstance(value, (list, tuple)):
            return [stand_in(part) for part in value]
        return 0 if isinstance(value, float) else value

    moved = call.func(*map(stand_in, call.args), **{k: stand_in(v) for k, v in call.kwargs.items()})
    return moved if isinstance(moved, Tensor) else None


def _by_element(inputs: Sequence[Input], whole: Tensor, owner: Owner | None, merge: Merge) -> Tensor:
    """The label of the same batch element, or of all where elements cannot be told apart."""
    least = merge(_distinct(inputs))
    if owner is None or owner.is_lost:
        return torch.full_like(whole, least)
    best = torch.full((int(owner.items.max()) + 1,), NONE, dtype=torch.int32, device=whole.device)
    apart = [each for each in inputs if each.owner is not None and each.owner.universe == owner.universe]
    for each in apart:
        _gather(best, each)
    if shared := _distinct([each for each in inputs if each not in apart]):
        best = torch.clamp(best, max=merge(shared))
    mine = best[torch.from_numpy(owner.items).to(best.device)]
    mine = torch.where(mine == NONE, least, mine)
    if owner.dim is None:
        return mine[0].expand(whole.shape)
    rest = [1] * whole.ndim
    rest[owner.dim] = -1
    return mine.reshape(rest).expand(whole.shape)


def _distinct(inputs: Sequence[Input]) -> set[int]:
    return {label for each in inputs for label in each.labels.unique().tolist() if label}


def _gather(best: Tensor, given: Input) -> None:
    """Lower the entries of `best` to the least label of each batch element."""
    labels = torch.where(given.labels == 0, NONE, given.labels).to(best.device)
    owner = given.owner
    if owner is None:
        return
    items = torch.from_numpy(owner.items).to(best.device)
    if owner.dim is None:
        each = labels.min().reshape(1)
        items = items[:1]
    else:
        others = [dim for dim in range(labels.ndim) if dim != owner.dim]
        each = labels.amin(others) if others else labels
    inside = items < len(best)
    best.scatter_reduce_(0, items[inside], each[inside], "amin")
