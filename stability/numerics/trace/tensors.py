"""Looks at one tensor: its extremes, where it is not finite and how. Knows nothing of operations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor


def numbers(tensor: Tensor) -> Tensor | None:
    """The strided, real floating-point tensor that holds `tensor`'s numbers; None where there is none.

    A sparse tensor is stood for by its values, a complex one by its real and imaginary parts (one more
    dimension of 2). Integers, quantised and fake tensors and foreign subclasses hold nothing to look at.
    """
    if not (tensor.is_floating_point() or tensor.is_complex()) or not is_plain(tensor):
        return None
    if tensor._is_zerotensor():  # stands for zeros and has no memory
        return None
    if tensor.layout is torch.sparse_coo:
        tensor = tensor._values()
    elif tensor.layout in (torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc):
        tensor = tensor.values()
    if tensor.layout is not torch.strided or tensor.device.type == "meta":
        return None
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.conj() if tensor.is_conj() else tensor)
    return tensor


def is_plain(tensor: Tensor) -> bool:
    """Whether `tensor` is one array of numbers, not a list of them or a subclass with ways of its own."""
    return type(tensor).__torch_dispatch__ is Tensor.__torch_dispatch__ and not tensor.is_nested


def extremes(tensor: Tensor) -> tuple[float, float]:
    """The least and the greatest entry of what `numbers` gave; NaN if there is any, (0, 0) if empty."""
    if tensor.numel() == 0:
        return 0.0, 0.0
    if tensor.element_size() == 1:  # no reductions exist for eight-bit floats
        tensor = tensor.float()
    low, high = torch.aminmax(tensor)
    return low.item(), high.item()


def all_finite(low: float, high: float) -> bool:
    """Whether a tensor of these extremes is finite throughout."""
    return math.isfinite(low) and math.isfinite(high)


def not_finite(tensor: Tensor) -> Tensor:
    """The mask of the entries that are NaN or infinite.

    Only these leave something when taken from themselves; a third of the time of `isfinite`.
    """
    tensor = tensor.float() if tensor.element_size() == 1 else tensor
    return tensor.sub(tensor).ne(0)


WHOLE_NUMBERS = {
    torch.float16: torch.int16,
    torch.bfloat16: torch.int16,
    torch.float32: torch.int32,
    torch.float64: torch.int64,
}
INFINITIES = {
    dtype: tuple(int(torch.tensor(sign * math.inf, dtype=dtype).view(whole)) for sign in (1, -1))
    for dtype, whole in WHOLE_NUMBERS.items()
}
"""inf and -inf, their bits read as whole numbers."""


def none_finite(tensor: Tensor) -> bool:
    """Whether every entry is NaN or infinite, read off the bits in the time of `extremes` where signs agree.

    Read as whole numbers, positive floats grow with their size up to infinity and then NaN, and so do
    negative ones from the least number on.
    """
    if tensor.numel() == 0 or tensor.is_neg() or tensor.dtype not in INFINITIES:
        return False
    infinity, minus_infinity = INFINITIES[tensor.dtype]
    low, high = (int(end) for end in torch.aminmax(tensor.view(WHOLE_NUMBERS[tensor.dtype])))
    if low >= infinity or minus_infinity <= low <= high < 0:
        return True
    if low < minus_infinity or low >= 0:
        return False
    return bool(not_finite(tensor).all())


def largest_finite(tensor: Tensor, bad: Tensor) -> float | None:
    """The largest |x| among the entries that are not `bad`; None if there are none."""
    if bool(bad.all()):
        return None
    return max(map(abs, extremes(torch.where(bad, 0.0, tensor))))


def kind_between(low: float, high: float) -> str | None:
    """What a tensor of these extremes is: nan, inf or -inf; None where it holds both infinities."""
    if math.isnan(low):
        return "nan"
    if math.isinf(low) and math.isinf(high) and low < high:
        return None
    return kind(low if math.isinf(low) else high)


def kind(value: float) -> str:
    """What `Link.value` calls a number that is not finite."""
    if math.isnan(value):
        return "nan"
    return "inf" if value > 0 else "-inf"


def kind_of(tensor: Tensor, bad: Tensor) -> str:
    """What the `bad` entries are: nan if any is, else the first one's infinity."""
    if bool((tensor.isnan() & bad).any()):
        return "nan"
    first = int(bad.flatten().byte().argmax())
    return kind(tensor.flatten()[first].item())


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor in nested lists, tuples, sets and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple, set)):
        for part in value:
            yield from tensors_in(part)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from tensors_in(part)
