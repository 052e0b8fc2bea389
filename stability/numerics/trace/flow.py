"""How the labels of an operation's inputs become those of its output, entry by entry where possible."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import torch
from torch import Tensor

from stability.numerics.trace.lineage import EMERGED, NONE
from stability.numerics.trace.memory import Memory, distinct, read
from stability.numerics.trace.operations import Call
from stability.numerics.trace.owners import Owner
from stability.numerics.trace.tensors import kind_between, kind_of, largest_finite, none_finite, not_finite


class Input:
    """A non-finite input as it was before the operation; masks and labels have the shape of its `numbers`.

    `one` holds its only label and writer where its storage knows no other; `full`: no entry is finite. Masks
    are made when they are asked for, which must be before the operation where that writes over them.
    """

    __slots__ = ("_bad", "_known", "_labels", "_largest", "entries", "full", "one", "owner", "tensor")

    def __init__(
        self, tensor: Tensor, entries: Tensor, owner: Owner | None, memory: Memory | None, *, full: bool
    ) -> None:
        self.tensor, self.entries, self.owner, self.full = tensor, entries, owner, full
        self.one = None if memory is None else memory.one
        self._known = None if self.one is not None else read(memory, entries)
        self._bad: Tensor | None = None
        self._labels: Tensor | None = None
        self._largest: tuple[float | None] | None = None

    def keep(self) -> None:
        """Look now at what the operation is going to write over."""
        if not self.full:
            self._bad = not_finite(self.entries)
            self._largest = (largest_finite(self.entries, self._bad),)
        if self._known is not None:
            self._known = self._known[0].clone(), self._known[1].clone()

    @property
    def largest(self) -> float | None:
        """The largest finite |x| in it."""
        if self.full:
            return None
        if self._largest is None:
            self._largest = (largest_finite(self.entries, self.bad),)
        return self._largest[0]

    @property
    def bad(self) -> Tensor:
        """The mask of the entries that are not finite."""
        if self._bad is None:
            self._bad = _mask(self.entries, full=self.full)
        return self._bad

    @property
    def labels(self) -> Tensor:
        """The label of each entry, 0 where it is finite."""
        if self._labels is None:
            label = self._known[0] if self.one is None else self.one[0]
            self._labels = self.bad * label if self.one is None else self.bad.to(torch.int32) * label
        return self._labels

    @property
    def writers(self) -> Tensor:
        """The last passage of each entry."""
        if self._known is not None:
            return self._known[1]
        one = torch.full((), self.one[1], dtype=torch.int32, device=self.entries.device)
        return one.expand(self.entries.shape)

    def distinct(self) -> set[int]:
        """All labels in it."""
        return distinct(self.labels) if self.one is None else {self.one[0]}

    def distinct_writers(self) -> set[int]:
        """The last passages of all its entries."""
        return distinct(self.writers * self.bad) if self.one is None else {self.one[1]}


class Broken:
    """An output that is not finite: the tensor, its `numbers`, and what they are."""

    def __init__(self, tensor: Tensor, entries: Tensor, low: float, high: float) -> None:
        self.tensor, self.entries = tensor, entries
        self.full = none_finite(entries)
        self._value = kind_between(low, high)
        self._bad: Tensor | None = None

    @property
    def bad(self) -> Tensor:
        """The mask of the entries that are not finite."""
        if self._bad is None:
            self._bad = _mask(self.entries, full=self.full)
        return self._bad

    @property
    def value(self) -> str:
        """nan if any entry is, else the first one's infinity."""
        return self._value or kind_of(self.entries, self.bad)


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


def _mask(entries: Tensor, *, full: bool) -> Tensor:
    """Which entries are not finite; `full`: all of them."""
    if not full:
        return not_finite(entries)
    return torch.ones((), dtype=torch.bool, device=entries.device).expand(entries.shape)


def _is_elementwise(call: Call, inputs: Sequence[Input], shape: torch.Size) -> bool:
    """Whether entries of the inputs can be paired with those of an output; complex ones are left alone."""
    real = all(each.entries.ndim == each.tensor.ndim for each in inputs)
    return call.kind.is_elementwise and real and all(_fits(each.entries.shape, shape) for each in inputs)


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


def label_of_all(
    call: Call, inputs: Sequence[Input], output: Broken, owner: Owner | None, merge: Merge
) -> int | None:
    """The one label that reaches every non-finite entry of an output, if it can be told cheaply.

    So nothing is born there: each such entry has a non-finite one behind it.
    """
    if not inputs or call.has_nonfinite_scalar():
        return None
    if call.kind.is_elementwise:
        found = _label_of_covering(call, inputs, output)
    elif call.kind.is_move or not (owner is None or owner.is_lost):
        labels = {label for each in inputs for label in each.distinct()}
        found = labels.pop() if len(labels) == 1 else None
    else:
        found = merge(_distinct(inputs))
    return found if found is not None and found < EMERGED else None


def _label_of_covering(call: Call, inputs: Sequence[Input], output: Broken) -> int | None:
    """The label of inputs that have no other, where one of them reaches every non-finite entry."""
    if call.kind.is_mask or any(each.one is None for each in inputs):
        return None
    labels = {each.one[0] for each in inputs}
    if len(labels) != 1 or not _is_elementwise(call, inputs, output.entries.shape):
        return None
    if not any(each.full and each.entries.numel() for each in inputs):
        unreached = output.bad
        for each in inputs:
            unreached = unreached & ~each.bad.to(unreached.device)
        if bool(unreached.any()):
            return None
    return labels.pop()


def parents(call: Call, inputs: Sequence[Input], bad: Tensor) -> set[int]:
    """The passages whose non-finite entries reached the `bad` entries of an output."""
    if all(each.one is not None for each in inputs) and not call.kind.is_mask:
        return {each.one[1] for each in inputs}
    if not _is_elementwise(call, inputs, bad.shape):
        return {writer for each in inputs for writer in each.distinct_writers()}
    found: set[int] = set()
    for each, labels in zip(inputs, _chosen(call, inputs), strict=True):
        reached = bad & (labels.to(bad.device) > 0).expand(bad.shape)
        found |= distinct(each.writers.to(bad.device).expand(bad.shape) * reached)
    return found


def _moved(call: Call, inputs: Sequence[Input]) -> Tensor | None:
    """Run the operation on the labels in place of the entries."""
    if any(each.entries.ndim != each.tensor.ndim for each in inputs):
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
    return {label for each in inputs for label in each.distinct()}


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
