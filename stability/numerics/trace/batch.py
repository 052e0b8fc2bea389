"""Follows the batch dimension through the operations of one step.

Tensors that come into the step are taken to have the batch first. From there on views keep their owner
through the storage, and other operations hand it on by the rules of `carrying`. Where there is more than
one answer there is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from stability.numerics.trace.carrying import MATRIX_PRODUCTS, carried
from stability.numerics.trace.memory import Memories
from stability.numerics.trace.operations import Call
from stability.numerics.trace.owners import Layout, Owner, layout_of
from stability.numerics.trace.tensors import is_plain


class Batch:
    """The owners of every tensor of one step."""

    def __init__(self, memories: Memories, is_weight: Callable[[Tensor], bool]) -> None:
        self._memories, self._is_weight = memories, is_weight
        self._came_in: Counter[int] = Counter()
        self._shapes: set[tuple[int, ...]] = set()
        self._size: int | None = None

    @property
    def size(self) -> int | None:
        """The batch size: what the model was called with, else the commonest first dimension that came in."""
        if self._size is None and self._came_in:
            return self._came_in.most_common(1)[0][0]
        return self._size

    def model_called(self, inputs: Sequence[Tensor]) -> None:
        """Take the batch size from what the outermost module was first given."""
        if self._size is not None:
            return
        votes: Counter[int] = Counter()
        for tensor in inputs:
            owner = self.of(tensor)
            if owner is not None and not owner.is_lost:
                votes[owner.universe] += 1
            elif tensor.ndim:
                votes[tensor.shape[0]] += 1
        if votes:
            self._size = votes.most_common(1)[0][0]

    def hinted(self, tensor: Tensor, dim: int) -> None:
        """A module was told by `batch_first` which dimension of its input is the batch.

        Believed against what was only assumed of a tensor that came in.
        """
        memory = self._memories.of(tensor)
        owner = self.of(tensor)
        if owner is None or owner.dim is None or owner.dim == dim or tensor.shape[dim] == self._size:
            return
        if memory is not None and memory.layout is not None:
            self._size = tensor.shape[dim]

    def of(self, tensor: Tensor, *, adopt: bool = True) -> Owner | None:
        """The owner of a tensor's entries; None where nothing is known.

        A tensor that came in is taken to have the batch first, if `adopt`.
        """
        memory = self._memories.at(tensor, inner=False) if is_plain(tensor) else None
        if memory is None:
            return None
        if memory.layout is None:
            if memory.inner or not adopt or not tensor.ndim or self._is_weight(tensor):
                return None
            memory.layout = self._coming_in(tensor)
            self._came_in[tensor.shape[0]] += 1
            self._shapes.add(tuple(tensor.shape))
        if memory.layout.came_in and self._size not in (None, memory.layout.owner.universe):
            memory.layout = _resized(memory.layout, self._size)
        return memory.layout.seen_by(tensor)

    def carry(self, call: Call, inputs: list[Tensor], outputs: list[Tensor], *, adopt: bool) -> None:
        """Give the outputs of an operation the owners that follow from those of its inputs."""
        owned = [(tensor, self.of(tensor, adopt=adopt)) for tensor in inputs]
        owned = [(tensor, owner) for tensor, owner in owned if owner is not None]
        size = self.size
        if any(owner.universe == size for _, owner in owned):
            owned = [(tensor, owner) for tensor, owner in owned if owner.universe in (0, size)]
        if adopt and call.kind.is_elementwise:
            self._check_mixing(owned)
        for output in outputs:
            memory = self._memories.at(output, inner=True) if is_plain(output) else None
            if memory is not None:
                memory.product |= call.kind.base in MATRIX_PRODUCTS
            if memory is None or memory.layout is not None or not owned:
                continue
            owner = carried(call, owned, output)
            if owner is not None:
                memory.layout = layout_of(output, owner, came_in=False)

    def _check_mixing(self, owned: list[tuple[Tensor, Owner]]) -> None:
        """Projections of two elements that are combined entry by entry: these are frames, not elements.

        So a recurrence over (frames, batch, features) is told from a loop over the elements of a batch.
        """
        mixed = [tensor for tensor, owner in owned if owner.dim is None and owner.universe == self._size]
        mixed = [t for t in mixed if t.ndim == 2 and (m := self._memories.of(t)) is not None and m.product]
        items = {int(owner.items[0]) for tensor, owner in owned if any(tensor is each for each in mixed)}
        if len(items) > 1 and any(shape[:2] == (self._size, mixed[0].shape[0]) for shape in self._shapes):
            self._size = mixed[0].shape[0]

    @staticmethod
    def _coming_in(tensor: Tensor) -> Layout:
        owner = Owner(0, np.arange(tensor.shape[0]), tensor.shape[0])
        return layout_of(tensor, owner, came_in=True)


def _resized(layout: Layout, size: int | None) -> Layout:
    """A layout whose batch is the only dimension of `size`, if there is one."""
    dims = [dim for dim, length in enumerate(layout.shape) if length == size]
    if len(dims) != 1 or size is None:
        return layout
    owner = Owner(dims[0], np.arange(size), size)
    return Layout(owner, layout.shape, layout.offset, layout.strides, came_in=True)
