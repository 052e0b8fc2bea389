"""Tells from an operation on what came in that items are put together to a batch there."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from stability.numerics.trace.carrying import Owned
from stability.numerics.trace.operations import Call
from stability.numerics.trace.owners import LOST, Owner, layout_of


def put_together(call: Call, owned: Owned) -> Owner | None:
    """The owner of a batch that `stack`, or `cat` of items of length 1, makes of tensors that came in apart.

    `LOST` for items of different lengths end to end; None where the parts may be parts of one batch.
    """
    if call.kind.base not in ("stack", "cat"):
        return None
    parts, stacked = call.argument("tensors"), call.kind.base == "stack"
    owners = {id(tensor): owner for tensor, owner in owned}
    found = [owners.get(id(part), LOST) for part in parts]
    if len({owner.root for owner in found if owner.root}) < len(parts):
        return None
    if (call.argument("dim", 0) or 0) % (parts[0].ndim + stacked):
        return None
    if stacked or all(part.shape[0] == 1 for part in parts):
        return first_dimension(len(parts))
    if all(owner.dim == 0 for owner in found) and len({owner.universe for owner in found}) > 1:
        return LOST
    return None


def first_dimension(size: int) -> Owner:
    """The first dimension is a batch of this size."""
    return Owner(0, np.arange(size), size)


def filled_along(whole: Tensor, item: Tensor) -> Owner:
    """The owner of a tensor that gets an item at one index of one dimension; `LOST` if of several."""
    owners = [Owner(dim, np.arange(size), size) for dim, size in enumerate(whole.shape) if size > 1]
    along = [each for each in owners if _is_one_element(whole, item, each)]
    return along[0] if len(along) == 1 else LOST


def _is_one_element(whole: Tensor, item: Tensor, owner: Owner) -> bool:
    seen = layout_of(whole, owner, came_in=False).seen_by(item)
    return seen.dim is None and not seen.is_lost
