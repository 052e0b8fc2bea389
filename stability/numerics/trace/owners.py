"""Which batch element the entries of a tensor belong to, and how views of a storage inherit it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Owner:
    """The batch elements of the entries along `dim`; without a `dim`, all belong to `items[0]`.

    `universe` is the size of the batch that `items` counts in; 0: no dimension is the batch any more. `root`
    numbers the tensor that came in and was first taken for that batch.
    """

    dim: int | None
    items: np.ndarray
    universe: int
    root: int = 0

    def agrees(self, other: Owner) -> bool:
        """Whether both say the same of every entry."""
        return self.dim == other.dim and np.array_equal(self.items, other.items)

    def along(self, dim: int) -> Owner:
        """The same elements along another dimension."""
        return Owner(dim, self.items, self.universe, self.root)

    def of_items(self, items: np.ndarray, dim: int | None) -> Owner:
        """Other elements of the same batch."""
        return Owner(dim, items, self.universe, self.root)

    @property
    def is_lost(self) -> bool:
        return self.universe == 0


LOST = Owner(None, np.zeros(1, dtype=np.int64), 0)
"""What an operation leaves that mixes the elements of the batch."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A storage as the tensor that was first seen in it; `offset` and `strides` count bytes.

    `came_in`: it was not made in the step, so that its batch dimension is an assumption.
    """

    owner: Owner
    shape: tuple[int, ...]
    offset: int
    strides: tuple[int, ...]
    came_in: bool

    def seen_by(self, tensor: Tensor) -> Owner:
        """The owner of a view of this storage."""
        unit = tensor.element_size()
        strides = tuple(stride * unit for stride in tensor.stride())
        start = tensor.storage_offset() * unit - self.offset
        if tensor.numel() == 0 or 0 in self.shape:
            return LOST
        if self.owner.dim is None or (start == 0 and self.strides == strides and self.shape == tensor.shape):
            return self.owner
        reach = [(size - 1) * stride for size, stride in zip(tensor.shape, strides, strict=True)]
        varying = []
        for dim, (size, stride) in enumerate(zip(tensor.shape, strides, strict=True)):
            if size < 2 or not stride:
                continue
            along = np.arange(size) * stride
            items = self._items(start + along)
            elsewhere = self._items(start + sum(reach) - reach[dim] + along)
            if (items == items[0]).all() and (elsewhere == elsewhere[0]).all():
                continue
            if not np.array_equal(items, elsewhere):
                return LOST  # it depends on the other dimensions as well
            varying.append((dim, items))
        if not varying:
            return self.owner.of_items(self._items(np.array([start])), None)
        return self.owner.of_items(varying[0][1], varying[0][0]) if len(varying) == 1 else LOST

    def _items(self, positions: np.ndarray) -> np.ndarray:
        dim = self.owner.dim or 0
        return self.owner.items[positions // max(self.strides[dim], 1) % self.shape[dim]]


def layout_of(tensor: Tensor, owner: Owner, *, came_in: bool) -> Layout:
    """The layout of a storage in which `tensor` is seen first; its owner is lost where strides overlap."""
    unit = tensor.element_size()
    strides = tuple(stride * unit for stride in tensor.stride())
    if owner.dim is not None and not _separable(tensor, owner.dim):
        owner = LOST
    return Layout(owner, tuple(tensor.shape), tensor.storage_offset() * unit, strides, came_in)


def _separable(tensor: Tensor, dim: int) -> bool:
    """Whether the index along `dim` can be told from an entry's place in the storage."""
    stride, size = tensor.stride(dim), tensor.shape[dim]
    if tensor.numel() == 0:
        return True
    if size > 1 and stride == 0:
        return False
    inner = 1
    for other, (length, step) in enumerate(zip(tensor.shape, tensor.stride(), strict=True)):
        if other == dim or length < 2:
            continue
        if step >= stride * size:
            if step % (stride * size):
                return False
        else:
            inner += (length - 1) * step
    return size < 2 or inner <= stride
