"""What is known of each storage: who wrote its non-finite entries, and which batch element owns them.

Views of one storage share what is known of it. Storages are told apart by weak references, which keep an
address from being used again but not the numbers alive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from stability.numerics.trace.tensors import numbers

PRUNE_AT = 4096
"""How many storages are remembered before those that are gone are forgotten."""


@dataclass(slots=True, eq=False)
class Memory:
    """One storage. `labels` and `writers` hold a number for each entry, 0 where it was always finite.

    Instead of them, `one` holds the label and the writer of all non-finite entries, where these have the
    same: where a number broke for good, whole tensors do. `full`: every entry is known to be non-finite.
    `inner`: an operation of the step made it; `product`: it multiplied matrices. `constant`: the user wrote
    it down as a number; `filled`: item after item was written into it. `blank`: name and moment of the
    operation that left it unwritten.
    """

    ref: StorageWeakRef
    inner: bool = False
    product: bool = False
    constant: bool = False
    filled: bool = False
    blank: Any = None
    layout: Any = None
    unit: int = 0
    labels: Tensor | None = None
    writers: Tensor | None = None
    one: tuple[int, int] | None = None
    full: bool = False

    def spread(self, tensor: Tensor) -> None:
        """Give each entry a label and a writer of its own; `tensor` is one that `numbers` gave."""
        unit = tensor.element_size()
        if self.labels is not None and self.unit == unit:
            return
        length = tensor.untyped_storage().nbytes() // unit
        label, writer = self.one or (0, 0)
        self.labels = torch.full((length,), label, dtype=torch.int32, device=tensor.device)
        self.writers = torch.full_like(self.labels, writer)
        self.unit, self.one = unit, None


class Memories:
    """The storages of one step."""

    def __init__(self) -> None:
        self._known: dict[int, Memory] = {}
        self._prune_at = PRUNE_AT

    def of(self, tensor: Tensor) -> Memory | None:
        """What is known of a tensor's storage; None if it was never seen or the tensor has none."""
        key = address(tensor)
        return None if key is None else self._known.get(key)

    def at(self, tensor: Tensor, *, inner: bool) -> Memory | None:
        """What is known of a tensor's storage, which is `inner` if this is the first that is seen of it."""
        key = address(tensor)
        if key is None:
            return None
        if (memory := self._known.get(key)) is None:
            self._prune()
            memory = self._known[key] = Memory(StorageWeakRef(held_by(tensor)), inner)
        return memory

    def _prune(self) -> None:
        if len(self._known) >= self._prune_at:
            self._known = {k: m for k, m in self._known.items() if not m.ref.expired()}
            self._prune_at = max(PRUNE_AT, 2 * len(self._known))


def held_by(tensor: Tensor) -> torch.UntypedStorage:
    """The storage of a tensor; of a sparse one, that of its values."""
    if tensor.layout is not torch.strided:
        stand_in = numbers(tensor)
        tensor = tensor if stand_in is None else stand_in
    return tensor.untyped_storage()


def address(tensor: Tensor) -> int | None:
    """What tells storages apart; None for tensors without one."""
    try:
        return held_by(tensor)._cdata
    except (NotImplementedError, RuntimeError):  # opaque and wrapper tensors
        return None


def read(memory: Memory | None, tensor: Tensor) -> tuple[Tensor, Tensor]:
    """The labels and the writers of the entries of `tensor`, which is one that `numbers` gave."""
    if memory is not None and memory.one is not None:
        known = torch.tensor(memory.one, dtype=torch.int32, device=tensor.device)
        return known[0].expand(tensor.shape), known[1].expand(tensor.shape)
    if memory is None or memory.labels is None or memory.writers is None:
        nothing = torch.zeros((), dtype=torch.int32, device=tensor.device).expand(tensor.shape)
        return nothing, nothing
    if memory.unit != tensor.element_size():  # the same bytes seen as another type: anything in there
        return _anything(memory.labels, tensor), _anything(memory.writers, tensor)
    geometry = tensor.shape, tensor.stride(), tensor.storage_offset()
    return memory.labels.as_strided(*geometry), memory.writers.as_strided(*geometry)


def write(memory: Memory, tensor: Tensor, bad: Tensor, labels: Tensor, writer: int) -> None:
    """Note `labels` and the `writer` at the `bad` entries of `tensor`."""
    memory.spread(tensor)
    if torch._debug_has_internal_overlap(tensor) == 1:
        return
    geometry = tensor.shape, tensor.stride(), tensor.storage_offset()
    known, writers = memory.labels.as_strided(*geometry), memory.writers.as_strided(*geometry)
    known.copy_(torch.where(bad, labels, known))
    writers.masked_fill_(bad, writer)


def is_whole(tensor: Tensor) -> bool:
    """Whether a tensor is all that its storage holds."""
    return tensor.numel() * tensor.element_size() == tensor.untyped_storage().nbytes()


def write_one(memory: Memory, tensor: Tensor, label: int, writer: int) -> None:
    """Note one label and the `writer` for all non-finite entries of `tensor`."""
    blank = memory.one is None and memory.labels is None
    if is_whole(tensor) or blank or memory.one == (label, writer):
        memory.one, memory.labels, memory.writers = (label, writer), None, None
        return
    memory.spread(tensor)
    geometry = tensor.shape, tensor.stride(), tensor.storage_offset()
    memory.labels.as_strided(*geometry).fill_(label)
    memory.writers.as_strided(*geometry).fill_(writer)


def distinct(labels: Tensor) -> set[int]:
    """The labels that there are, without 0: at a glance where there is one, as there mostly is."""
    if labels.numel() == 0:
        return set()
    low, high = (int(end) for end in torch.aminmax(labels))
    if low == high:
        return {low} - {0}
    if low == 0 and bool(((labels == 0) | (labels == high)).all()):
        return {high}
    return set(labels.unique().tolist()) - {0}


def _anything(known: Tensor, tensor: Tensor) -> Tensor:
    found = known[known > 0]
    value = found.min() if found.numel() else torch.zeros((), dtype=known.dtype, device=known.device)
    return value.expand(tensor.shape)
