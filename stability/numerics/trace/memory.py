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
    if memory is None or memory.labels is None or memory.writers is None:
        nothing = torch.zeros(tensor.shape, dtype=torch.int32, device=tensor.device)
        return nothing, nothing
    if memory.unit != tensor.element_size():  # the same bytes seen as another type: anything in there
        return _anything(memory.labels, tensor), _anything(memory.writers, tensor)
    geometry = tensor.shape, tensor.stride(), tensor.storage_offset()
    return memory.labels.as_strided(*geometry), memory.writers.as_strided(*geometry)


def write(memory: Memory, tensor: Tensor, bad: Tensor, labels: Tensor, writer: int) -> None:
    """Note `labels` and the `writer` at the `bad` entries of `tensor`."""
    if memory.labels is None or memory.writers is None or memory.unit != tensor.element_size():
        memory.unit = tensor.element_size()
        length = tensor.untyped_storage().nbytes() // memory.unit
        memory.labels = torch.zeros(length, dtype=torch.int32, device=tensor.device)
        memory.writers = torch.zeros_like(memory.labels)
    if torch._debug_has_internal_overlap(tensor) == 1:
        return
    geometry = tensor.shape, tensor.stride(), tensor.storage_offset()
    memory.labels.as_strided(*geometry)[bad] = labels[bad]
    memory.writers.as_strided(*geometry)[bad] = writer


def _anything(known: Tensor, tensor: Tensor) -> Tensor:
    found = known[known > 0]
    value = found.min() if found.numel() else torch.zeros((), dtype=known.dtype, device=known.device)
    return value.expand(tensor.shape)
