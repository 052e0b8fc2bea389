"""Remembers where each non-finite entry came from.

Every non-finite entry of a tensor carries a *label*, which stands for its birth (an operation and a batch
element), and its *writer*, the last operation that passed it on. Labels grow with time, so that the least of
several is the earliest. Infinities that the user put there on purpose (sentinels) have labels of their own,
greater than all others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from stability.numerics.trace.frames import Site
from stability.numerics.trace.memory import Memories, Memory, read, write
from stability.numerics.trace.owners import Owner
from stability.numerics.trace.tensors import kind, numbers
from stability.records import Phase

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
    overflow: bool = False


@dataclass(frozen=True, slots=True)
class Birth:
    """What a label stands for: the entries born in one passage of batch element `item` of `universe`.

    `first` and `last` are the least and the greatest index of these entries along each dimension of `shape`.
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
        places = where.nonzero()
        known, which = torch.unique(_items(owner, places), return_inverse=True)
        start = self._next[first]
        several = start + len(known)
        self._next[first] = several + 1
        groups = [places[which == number] for number in range(len(known))]
        for number, (item, group) in enumerate(zip([*known.tolist(), -1], [*groups, places], strict=True)):
            self.births[start + number] = Birth(
                passage,
                kind(values[tuple(group[0].tolist())].item()),
                None if item < 0 else item,
                owner.universe if owner is not None else 0,
                owner is not None and owner.is_lost,
                several,
                tuple(group.amin(0).tolist()),
                tuple(group.amax(0).tolist()),
                tuple(values.shape),
            )
        labels = torch.zeros(values.shape, dtype=torch.int32, device=values.device)
        labels[where] = (which + start).to(torch.int32)
        return labels

    def divided(self, tensor: Tensor, owner: Owner) -> None:
        """Tell the elements of a batch apart in what was born before its items were put together."""
        memory, entries = self.memories.of(tensor), numbers(tensor)
        if memory is None or memory.labels is None or entries is None:
            return
        if memory.unit != entries.element_size() or entries.ndim != tensor.ndim:
            return
        labels, _ = self.known(entries)
        for label in labels.unique().tolist():
            if label:
                first = max(kept for kept in (1, EMERGED, SENTINEL) if kept <= label)
                where = labels == label
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
        if memory is not None:
            write(memory, tensor, bad, labels, passage.index)
        passage.labels |= frozenset(labels[bad].unique().tolist())

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


def _items(owner: Owner | None, places: Tensor) -> Tensor:
    """The batch element of each place; -1 where it is not known."""
    if owner is None or owner.is_lost:
        return torch.full((len(places),), -1, device=places.device)
    items = torch.from_numpy(owner.items).to(places.device)
    if owner.dim is None:
        return items[:1].expand(len(places))
    return items[places[:, owner.dim]]
