"""Tells a number that is too large for its type from one that no type can hold."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from stability.numerics.trace.operations import Call
from stability.numerics.trace.tensors import all_finite, extremes, numbers, tensors_in

CASTS = frozenset({"_to_copy", "to", "copy_", "copy"})


def is_overflow(call: Call, value: str) -> bool:
    """Whether the same finite inputs give something finite in double precision.

    `value` is what was born. It answers for operations that wrote over their inputs, that draw random
    numbers, or that do not exist in double precision: NaN is no overflow.
    """
    if call.kind.base in CASTS:
        return True
    if call.kind.written or torch.Tag.nondeterministic_seeded in call.func.tags:
        return value != "nan"
    try:
        again = call.func(*map(_doubled, call.args), **{k: _doubled(v) for k, v in call.kwargs.items()})
    except RuntimeError:
        return value != "nan"
    results = [found for each in tensors_in(again) if (found := numbers(each)) is not None]
    return all(all_finite(*extremes(each)) for each in results)


def _doubled(value: Any) -> Any:
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.double()
    if isinstance(value, (list, tuple)):
        return [_doubled(part) for part in value]
    return torch.float64 if isinstance(value, torch.dtype) else value
