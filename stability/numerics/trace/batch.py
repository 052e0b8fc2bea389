"""Follows the batch dimension through the operations of one step.

Tensors that come into the step are taken to have the batch first, unless they turn out to be the items that
`collation` sees a batch made of. From there on views keep their owner through the storage, and other
operations hand it on by the rules of `carrying`. Where there is more than one answer there is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from stability.numerics.trace.carrying import MATRIX_PRODUCTS, Owned, carried
from stability.numerics.trace.collation import filled_along, first_dimension, put_together
from stability.numerics.trace.memory import Memories
from stability.numerics.trace.operations import Call
from stability.numerics.trace.owners import LOST, Layout, Owner, layout_of
from stability.numerics.trace.tensors import is_plain


class Batch:
    """The owners of every tensor of one step.

    `divided` is told a tensor and its owner where a batch comes in, or is put together in the step.
    """

    def __init__(
        self,
        memories: Memories,
        is_weight: Callable[[Tensor], bool],
        divided: Callable[[Tensor, Owner], None],
    ) -> None:
        self._memories, self._is_weight, self._divided = memories, is_weight, divided
        self._came_in: Counter[int] = Counter()
        self._shapes: set[tuple[int, ...]] = set()
        self._size: int | None = None
        self._called = False
        self._roots: list[int] = [0]  # the number of entries of each tensor that came in
        self._positions: dict[int, dict[int, int]] = {}  # of the items drawn from a greater number, by that

    @property
    def size(self) -> int | None:
        """The batch size: what the model was called with, else the commonest first dimension that came in."""
        if self._size is None and self._came_in:
            return self._came_in.most_common(1)[0][0]
        return self._size

    def index(self, universe: int, item: int | None, told: int | None) -> int | None:
        """The place in the batch of `item` of `universe`; None if the batch has other than `told` elements.

        If the model was called with some items of many, counts among those.
        """
        if universe == told or item is None:
            return item
        positions = self._positions.get(universe)
        size = universe if positions is None else len(positions)
        if universe != self.size or told not in (None, size):
            return None
        return item if positions is None else positions.get(item)

    def model_called(self, inputs: Sequence[Tensor]) -> None:
        """Take the batch size from what the outermost module was first given."""
        if self._size is not None:
            return
        votes: Counter[int] = Counter()
        for tensor in inputs:
            owner = self.of(tensor)
            if owner is not None and not owner.is_lost:
                votes[owner.universe] += 1
                self._drawn(owner)
            elif tensor.ndim:
                votes[tensor.shape[0]] += 1
        if votes:
            self._size = votes.most_common(1)[0][0]
        self._called = True

    def _drawn(self, owner: Owner) -> None:
        items = owner.items.tolist()
        if owner.dim is not None and len(set(items)) == len(items) < owner.universe:
            self._positions[owner.universe] = {item: place for place, item in enumerate(items)}

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
            self._divided(tensor, memory.layout.owner)
        if memory.layout.came_in and self._size not in (None, memory.layout.owner.universe):
            memory.layout = _resized(memory.layout, self._size)
        return memory.layout.seen_by(tensor)

    def carry(self, call: Call, inputs: list[Tensor], outputs: list[Tensor], *, adopt: bool) -> bool:
        """Give the outputs of an operation the owners that follow from those of its inputs.

        Returns whether items were put together to a batch.
        """
        owned = [(tensor, self.of(tensor, adopt=adopt)) for tensor in inputs]
        owned = [(tensor, owner) for tensor, owner in owned if owner is not None]
        if (
            adopt
            and call.kind.base in ("copy_", "fill_")
            and (filling := self._filling(call, owned)) is not None
        ):
            return filling
        batch = put_together(call, owned) if adopt and not self._called else None
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
            owner = batch or carried(call, owned, output)
            if owner is not None:
                memory.layout = (
                    self._assumed(output, owner) if batch else layout_of(output, owner, came_in=False)
                )
        return batch is not None

    def _filling(self, call: Call, owned: Owned) -> bool | None:
        """One item is written into a part of a tensor of the step: whether before the model was called.

        None where it is not so. An item that is written to another place than its own leaves none known.
        """
        target, source = call.args[0], call.argument("src") if call.kind.base == "copy_" else call.args[1]
        whole, memory = target._base, self._memories.of(target)
        owner = next((owner for tensor, owner in owned if tensor is source), LOST)
        if whole is None or memory is None or not memory.inner or target.numel() >= whole.numel():
            return None
        if owner.is_lost or (memory.layout is not None and not memory.filled):
            return None
        came_in_apart = not self._called and source.numel() >= self._roots[owner.root]
        if owner.dim is not None and not came_in_apart:
            return None
        if memory.layout is None:
            memory.filled, memory.layout = True, self._assumed(whole, filled_along(whole, target))
        place = memory.layout.seen_by(target)
        if (
            owner.dim is None
            and (self._called or owner.universe == place.universe)
            and not place.agrees(owner)
        ):
            memory.layout = layout_of(whole, LOST, came_in=False)
        return not self._called

    def _check_mixing(self, owned: list[tuple[Tensor, Owner]]) -> None:
        """Projections of two elements that are combined entry by entry: these are frames, not elements.

        So a recurrence over (frames, batch, features) is told from a loop over the elements of a batch.
        """
        mixed = [tensor for tensor, owner in owned if owner.dim is None and owner.universe == self._size]
        mixed = [t for t in mixed if t.ndim == 2 and (m := self._memories.of(t)) is not None and m.product]
        items = {int(owner.items[0]) for tensor, owner in owned if any(tensor is each for each in mixed)}
        if len(items) > 1 and any(shape[:2] == (self._size, mixed[0].shape[0]) for shape in self._shapes):
            self._size = mixed[0].shape[0]

    def _coming_in(self, tensor: Tensor) -> Layout:
        self._came_in[tensor.shape[0]] += 1
        self._shapes.add(tuple(tensor.shape))
        return self._assumed(tensor, first_dimension(tensor.shape[0]))

    def _assumed(self, tensor: Tensor, owner: Owner) -> Layout:
        """The layout of a tensor of which it can only be assumed which dimension is the batch."""
        if owner.is_lost:
            return layout_of(tensor, owner, came_in=False)
        self._roots.append(tensor.numel())
        return layout_of(tensor, replace(owner, root=len(self._roots) - 1), came_in=True)


def _resized(layout: Layout, size: int | None) -> Layout:
    """A layout whose batch is the only dimension of `size`, if there is one."""
    dims = [dim for dim, length in enumerate(layout.shape) if length == size]
    if len(dims) != 1 or size is None:
        return layout
    owner = Owner(dims[0], np.arange(size), size, layout.owner.root)
    return Layout(owner, layout.shape, layout.offset, layout.strides, came_in=True)
