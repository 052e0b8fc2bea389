"""Remembers where each non-finite entry came from.

Every non-finite entry of a tensor carries a *label*, which stands for its birth (an operation and a batch
element), and its *writer*, the last operation that passed it on. Labels grow with time, so that the least of
several is the earliest. Infinities that the user put there on purpose (sentinels) have labels of their own,
greater than all others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from stability.numerics.trace.frames import Site
from stability.numerics.trace.memory import Memories, Memory, distinct, read, write, write_one
from stability.numerics.trace.owners import Owner
from stability.numerics.trace.tensors import kind, not_finite, numbers
from stability.records import InputRange, Phase

EMERGED = 1 << 28
"""From here on, labels of sentinels that a reduction let out: the maximum of a row of nothing but -inf."""
SENTINEL = 1 << 29
"""From here on, labels of sentinels as they were put there."""
NONE = (1 << 31) - 1
"""Greater than every label."""


@dataclass(slots=True, eq=False)
class Passage:
    """One operation that gave something non-finite, or (phase external) the reading of what had come in.

    `setting` names a number that is not finite that the program gave it; `outputs` are the storages it wrote;
    `by_hand`: it ran after a backward pass, in neither an optimizer nor torch's clipping; `overflow`: a
    gradient scaler was at work, and it gave something too large for its type.
    """

    index: int
    phase: Phase
    op: str | None
    site: Site
    value: str
    parents: tuple[int, ...] = ()
    labels: frozenset[int] = frozenset()
    max_abs_input: float | None = None
    node: int | None = None  # the sequence number of the autograd node
    came_in: Tensor | None = None
    source: str | None = None
    read_in: Phase | None = None  # of what came in
    held_as: str | None = None  # what the program's variables call what came in
    setting: str | None = None
    outputs: frozenset[int | None] = frozenset()
    by_hand: bool = False
    overflow: bool | None = None
    place: tuple[int, ...] = ()  # of the first entry that was born here
    backward_of: str | None = None
    inputs: tuple[InputRange, ...] = ()


@dataclass(frozen=True, slots=True)
class Birth:
    """What a label stands for: the entries born in one passage of batch element `item` of `universe`.

    `first` and `last` are the least and the greatest index, along each dimension of `shape`, of all that was
    born in that passage.
    Without an `item` the entries may belong to several elements; `lost`: no dimension is the batch.
    """

    passage: Passage
    value: str
    item: int | None
    universe: int
    lost: bool
    several: int  # the label for entries of more than one element of this birth
    first: tuple[int, ...]
    last: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(slots=True)
class Lineage:
    """All births and passages of one step."""

    memories: Memories
    passages: list[Passage] = field(default_factory=list)
    births: dict[int, Birth] = field(default_factory=dict)
    _next: dict[int, int] = field(default_factory=lambda: {1: 1, EMERGED: EMERGED, SENTINEL: SENTINEL})

    def passage(self, phase: Phase, op: str | None, site: Site, value: str) -> Passage:
        """A new passage, numbered by time; number 0 is none."""
        made = Passage(len(self.passages) + 1, phase, op, site, value)
        self.passages.append(made)
        return made

    def born(
        self, passage: Passage, values: Tensor, where: Tensor, owner: Owner | None, first: int = 1
    ) -> Tensor:
        """Labels for the entries `where` something was born: one for each batch element among them.

        `first` is 1, EMERGED or SENTINEL. Returns the labels in the shape of `values`, 0 elsewhere.
        """
        rows, items = _owned_rows(owner, where)
        known = sorted(set(items.tolist()))
        start = self._next[first]
        several = start + len(known)
        self._next[first] = several + 1
        extent = _extent(where)
        passage.place = passage.place or tuple(
            int(each) for each in np.unravel_index(int(where.flatten().byte().argmax()), tuple(where.shape))
        )
        apart = known if owner is not None and owner.dim is not None else []
        lowest = {item: int(rows[int((items == item).argmax())]) for item in apart}
        for number, item in enumerate([*known, -1]):
            values_of, where_of = values, where
            if item in lowest:
                values_of, where_of = (each.select(owner.dim, lowest[item]) for each in (values, where))
            self.births[start + number] = Birth(
                passage,
                kind(_first(values_of, where_of)),
                None if item < 0 else item,
                owner.universe if owner is not None else 0,
                owner is not None and owner.is_lost,
                several,
                *extent,
                tuple(values.shape),
            )
        if not lowest:
            return where.to(torch.int32) * start
        numbered = torch.zeros(where.shape[owner.dim], dtype=torch.int32)
        numbered[rows] = torch.from_numpy(np.searchsorted(known, items)).to(torch.int32) + start
        shape = [-1 if dim == owner.dim else 1 for dim in range(where.ndim)]
        return where.to(torch.int32) * numbered.to(where.device).reshape(shape)

    def divided(self, tensor: Tensor, owner: Owner) -> None:
        """Tell the elements of a batch apart in what was born before its items were put together."""
        memory, entries = self.memories.of(tensor), numbers(tensor)
        if memory is None or (memory.labels is None and memory.one is None) or entries is None:
            return
        if (memory.one is None and memory.unit != entries.element_size()) or entries.ndim != tensor.ndim:
            return
        memory.spread(entries)
        labels, _ = self.known(entries)
        bad = not_finite(entries)
        for label in distinct(labels * bad):
            first = max(kept for kept in (1, EMERGED, SENTINEL) if kept <= label)
            where = (labels == label) & bad
            labels[where] = self.born(self.births[label].passage, entries, where, owner, first)[where]

    def together(self, labels: Iterable[int]) -> int:
        """The one label for all these: the earliest, or the one for several elements of its birth."""
        least = min(labels)
        birth = self.births[least]
        others = [self.births[label] for label in labels if self.births[label].passage is birth.passage]
        if birth.several in labels or len({other.item for other in others if other.item is not None}) > 1:
            return birth.several
        return least

    def note(
        self, tensor: Tensor, bad: Tensor, labels: Tensor, passage: Passage, memory: Memory | None
    ) -> None:
        """Remember what an operation gave at the `bad` entries of `tensor`."""
        found = distinct(labels * bad)
        if memory is not None and len(found) == 1:
            write_one(memory, tensor, *found, passage.index)
        elif memory is not None:
            write(memory, tensor, bad, labels, passage.index)
        passage.labels |= found

    def known(self, tensor: Tensor) -> tuple[Tensor, Tensor]:
        """The labels and the writers of a tensor's entries, 0 where none are known."""
        return read(self.memories.of(tensor), tensor)

    def adopt(self, passage: Passage, tensor: Tensor, bad: Tensor, owner: Owner | None, first: int) -> None:
        """Give the `bad` entries of a tensor that nothing is known of labels that begin with `passage`."""
        memory = self.memories.at(tensor, inner=False)
        labels = self.born(passage, tensor, bad, owner, first)
        self.note(tensor, bad, labels, passage, memory)

    def way(self, goal: Passage, end: Passage) -> list[Passage]:
        """The shortest way from the passage where something was born to `end`."""
        labels = {label for label, birth in self.births.items() if birth.passage is goal}
        came_from: dict[int, Passage | None] = {end.index: None}
        front = [end]
        for passage in front:
            if passage is goal:
                break
            for index in passage.parents:
                parent = self.passages[index - 1]
                if index not in came_from and (parent is goal or labels & parent.labels):
                    came_from[index] = passage
                    front.append(parent)
        else:
            return [goal, end]
        way: list[Passage] = []
        step: Passage | None = goal
        while step is not None:
            way.append(step)
            step = came_from[step.index]
        return way


def _owned_rows(owner: Owner | None, where: Tensor) -> tuple[Tensor, np.ndarray]:
    """The indices along the owner's dimension at which something is, and the batch element of each.

    One element for all, or -1 where none is known, without a dimension.
    """
    if owner is None or owner.is_lost or owner.dim is None:
        item = -1 if owner is None or owner.is_lost else int(owner.items[0])
        return torch.zeros(1, dtype=torch.int64), np.array([item])
    rows = _along(where, owner.dim).nonzero()[:, 0].cpu()
    return rows, owner.items[rows.numpy()]


def _along(where: Tensor, dim: int) -> Tensor:
    """At which indices of one dimension there is anything."""
    others = [other for other in range(where.ndim) if other != dim]
    return where.any(others) if others else where


def _extent(where: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The least and the greatest index along each dimension at which there is anything."""
    found = [_along(where, dim).nonzero() for dim in range(where.ndim)]
    return tuple(int(each[0]) for each in found), tuple(int(each[-1]) for each in found)


def _first(values: Tensor, where: Tensor) -> float:
    return values.flatten()[int(where.flatten().byte().argmax())].item()
