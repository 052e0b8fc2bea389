"""How operations hand on which batch element an entry belongs to: one rule for each family of operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from stability.numerics.trace.operations import Call
from stability.numerics.trace.owners import LOST, Owner

Owned = Sequence[tuple[Tensor, Owner]]
Rule = Callable[[Call, Owned, Tensor], Owner | None]

MATRIX_PRODUCTS = {
    "mm": {0: {0: 0}, 1: {1: 1}},
    "mv": {0: {0: 0}},
    "bmm": {0: {0: 0, 1: 1}, 1: {0: 0, 2: 2}},
    "addmm": {1: {0: 0}, 2: {1: 1}},
    "addmv": {1: {0: 0}},
    "baddbmm": {1: {0: 0, 1: 1}, 2: {0: 0, 2: 2}},
    "_addmm_activation": {1: {0: 0}, 2: {1: 1}},
}
"""For each argument by position: which of its dimensions become which of the product's."""


def carried(call: Call, owned: Owned, output: Tensor) -> Owner | None:
    """The owner of an output, given the inputs that have one; None where nothing can be said."""
    base = call.kind.base
    if (rule := RULES.get(base)) is not None:
        return rule(call, owned, output)
    if base in MATRIX_PRODUCTS:
        return _matrix_product(call, owned)
    names = {argument.name for argument in call.func._schema.arguments}
    if {"dim", "keepdim"} <= names:
        return _reduction(call, owned, output)
    return _same_place(call, owned, output)


def _agreed(candidates: list[Owner], lost: bool) -> Owner | None:
    """The one answer that all candidates give; those that name a dimension go first."""
    dims = [owner for owner in candidates if owner.dim is not None]
    for group in (dims, [owner for owner in candidates if owner.dim is None]):
        if group:
            return group[0] if all(group[0].agrees(owner) for owner in group) else LOST
    return LOST if lost else None


def _same_place(call: Call, owned: Owned, output: Tensor) -> Owner | None:
    """The batch stays the dimension it was (from the right if shapes are broadcast) or keeps its size.

    A gradient belongs to the input that has its shape.
    """
    backward = "backward" in call.kind.base
    candidates, lost = [], False
    for tensor, owner in owned:
        if owner.is_lost:
            lost = True
        elif owner.dim is None:
            candidates.append(owner)
        elif (place := _place(call, tensor, owner, output, backward)) is not None:
            candidates.append(owner.along(place))
        else:
            lost = True
    return _agreed(candidates, lost)


def _place(call: Call, tensor: Tensor, owner: Owner, output: Tensor, backward: bool) -> int | None:
    size = len(owner.items)
    if backward:
        return owner.dim if output.shape == tensor.shape else None
    place = owner.dim + (output.ndim - tensor.ndim if call.kind.is_elementwise else 0)
    if 0 <= place < output.ndim and output.shape[place] == size:
        return place
    dims = [dim for dim, length in enumerate(output.shape) if length == size]
    alone = sum(length == size for length in tensor.shape) == 1
    return dims[0] if len(dims) == 1 and alone and not call.kind.is_elementwise else None


def _matrix_product(call: Call, owned: Owned) -> Owner | None:
    candidates, lost = [], False
    for tensor, owner in owned:
        for position, dims in MATRIX_PRODUCTS[call.kind.base].items():
            if position >= len(call.args) or call.args[position] is not tensor:
                continue
            if owner.dim is None and not owner.is_lost:
                candidates.append(owner)
            elif owner.dim in dims:
                candidates.append(owner.along(dims[owner.dim]))
            else:
                lost = True  # summed over
    return _agreed(candidates, lost)


def _reduction(call: Call, owned: Owned, output: Tensor) -> Owner | None:
    (tensor, owner), *_ = owned
    if owner.dim is None:
        return owner
    dims = call.argument("dim")
    dims = [dims] if isinstance(dims, int) else dims
    reduced = {dim % tensor.ndim for dim in dims} if dims else set(range(tensor.ndim))
    if owner.dim in reduced:
        return LOST
    if output.ndim == tensor.ndim:
        return owner
    return owner.along(owner.dim - sum(dim < owner.dim for dim in reduced))


def _cat(call: Call, owned: Owned, output: Tensor) -> Owner | None:
    dim = call.argument("dim", 0) or 0
    return _joined(call, owned, dim % output.ndim, stacked=call.kind.base == "stack")


def _joined(call: Call, owned: Owned, dim: int, *, stacked: bool) -> Owner | None:
    """Parts of one element, or of several, side by side; or parts of all elements along another dimension."""
    owners = {id(tensor): owner for tensor, owner in owned}
    items, kept = [], []
    for part in call.argument("tensors"):
        owner = owners.get(id(part))
        if owner is None or owner.is_lost:
            return LOST if not kept else _agreed(kept, lost=True)
        if owner.dim is None:
            items.append(np.repeat(owner.items[:1], 1 if stacked else part.shape[dim]))
        elif owner.dim == dim and not stacked:
            items.append(owner.items)
        else:
            kept.append(owner.along(owner.dim + (stacked and owner.dim >= dim)))
    if kept:
        return _agreed(kept, lost=True)
    return owned[0][1].of_items(np.concatenate(items), dim)


def _index_select(call: Call, owned: Owned, output: Tensor) -> Owner | None:
    source, dim, index = (call.argument(name) for name in ("self", "dim", "index"))
    dim %= max(source.ndim, 1)
    owners = {id(tensor): owner for tensor, owner in owned}
    owner = owners.get(id(source))
    if owner is None:
        return owners[id(index)].along(dim) if owners[id(index)].dim == 0 else owners[id(index)]
    if owner.dim == dim:
        return owner.of_items(owner.items[index.cpu().numpy()], dim)
    return owner


def _embedding(call: Call, owned: Owned, output: Tensor) -> Owner | None:
    return next((owner for tensor, owner in owned if tensor is call.argument("indices")), None)


def _index(call: Call, owned: Owned, output: Tensor) -> Owner | None:
    """Indexing by one or several tensors side by side; masks count as the positions they are true at."""
    source, indices = call.argument("self"), call.argument("indices")
    owners = {id(tensor): owner for tensor, owner in owned}
    owner = owners.get(id(source))
    given = [(position, index) for position, index in enumerate(indices) if index is not None]
    first = given[0][0]
    if owner is None or owner.dim is None:
        found = [owners[id(index)] for _, index in given if id(index) in owners]
        if owner is not None or not found:
            return owner
        return found[0] if found[0].dim is None else found[0].along(first + found[0].dim)
    if [position for position, _ in given] != list(range(first, first + len(given))):
        return LOST
    return _index_owned(owner, first, [index for _, index in given])


def _index_owned(owner: Owner, first: int, indices: list[Tensor]) -> Owner:
    covered: list[Tensor] = []  # the index of each source dimension from `first` on
    for index in indices:
        covered += index.nonzero(as_tuple=True) if index.dtype.itemsize == 1 else [index]
    depth = max(index.ndim for index in covered)
    if owner.dim < first:
        return owner
    if owner.dim >= first + len(covered):
        return owner.along(owner.dim - len(covered) + depth)
    index = covered[owner.dim - first]
    if index.ndim == 0 or index.numel() == 1:
        return owner.of_items(owner.items[index.reshape(-1).cpu().numpy()], None)
    long = [dim for dim, length in enumerate(index.shape) if length > 1]
    if len(long) != 1:
        return LOST
    return owner.of_items(owner.items[index.reshape(-1).cpu().numpy()], first + depth - index.ndim + long[0])


def _turned(call: Call, owned: Owned, output: Tensor) -> Owner | None:
    """flip and roll: lost if the batch itself is turned."""
    (tensor, owner), *_ = owned
    dims = call.argument("dims")
    turned = {dim % tensor.ndim for dim in dims} if dims else {owner.dim}
    return LOST if owner.dim in turned else owner


def _pack(call: Call, owned: Owned, output: Tensor) -> Owner | None:
    """`pack_padded_sequence`: frame after frame, of the elements that still have one, longest first."""
    padded, lengths, batch_first = (call.argument(name) for name in ("input", "lengths", "batch_first"))
    owner = next((owner for tensor, owner in owned if tensor is padded), None)
    if owner is None or owner.dim != (0 if batch_first else 1) or not output.is_floating_point():
        return None
    alive = [int((lengths > frame).sum()) for frame in range(int(lengths[0]))]
    return owner.of_items(np.concatenate([owner.items[:count] for count in alive]), 0)


def _pad(call: Call, owned: Owned, output: Tensor) -> Owner | None:
    data, counts, batch_first = (call.argument(name) for name in ("data", "batch_sizes", "batch_first"))
    owner = next((owner for tensor, owner in owned if tensor is data), None)
    if owner is None or owner.dim != 0 or not output.is_floating_point():
        return None
    return owner.of_items(owner.items[: int(counts[0])], 0 if batch_first else 1)


RULES: dict[str, Rule] = {
    "cat": _cat,
    "stack": _cat,
    "index_select": _index_select,
    "embedding": _embedding,
    "index": _index,
    "flip": _turned,
    "roll": _turned,
    "_pack_padded_sequence": _pack,
    "_pad_packed_sequence": _pad,
    "nonzero": lambda call, owned, output: LOST,
}
