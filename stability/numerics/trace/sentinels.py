"""Infinities that someone put there on purpose: the -inf of a mask, the inf that a minimum starts with."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from stability.numerics.trace.flow import Input
from stability.numerics.trace.lineage import EMERGED
from stability.numerics.trace.operations import Call

PICKS = frozenset({"gather", "take_along_dim"})
"""Operations that only move entries, but pick one out of many."""
ADDS = frozenset({"addmm", "baddbmm", "addmv", "addbmm"})
"""Add a mask to a product: an infinity of the other sign is the product's own."""


def came_in_as_sentinel(call: Call, tensor: Tensor, entries: Tensor, bad: Tensor, *, buffer: bool) -> bool:
    """Whether infinities from outside the step are a mask: nothing but -inf and 0, a buffer, one number.

    -inf among other numbers is data that broke before the step (the log of a silent mel).
    """
    values = entries[bad]
    if bool(values.isnan().any()):
        return False
    if tensor.numel() == 1:
        return True
    if bool((values > 0).any()):
        return False
    masks = [call.argument("attn_mask"), call.argument("attn_bias")]
    return buffer or any(tensor is mask for mask in masks) or not bool(entries[~bad].any())


def lets_sentinels_out(call: Call, inputs: Sequence[Input], entries: Tensor) -> bool:
    """Whether the operation makes one number of many, so that an infinity among them is one no longer."""
    if call.kind.is_elementwise or (call.kind.is_move and call.kind.base not in PICKS):
        return False
    return any(each.entries.numel() > entries.numel() for each in inputs)


def turns_sign(call: Call, inputs: Sequence[Input]) -> bool:
    """Whether +inf in the result cannot come from the masks that went in."""
    if call.kind.base not in ADDS or not inputs:
        return False
    return all(each.tensor is call.argument("self") and _only_minus_infinity(each) for each in inputs)


def _only_minus_infinity(each: Input) -> bool:
    sentinel = min(each.distinct()) >= EMERGED
    return sentinel and not bool((each.tensor[each.bad] > 0).any())
