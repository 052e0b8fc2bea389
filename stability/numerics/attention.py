"""The largest attention logit of one forward pass, seen from below the model, which stays as it is.

Scores are recognised by where they come from: a softmax whose input descends from a batched matrix product
is attention; one over the output of a linear layer (a vocabulary) is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_aten = torch.ops.aten
_PRODUCTS = {_aten.bmm, _aten.baddbmm}
_SOFTMAX = {_aten._softmax, _aten._safe_softmax}
_FUSED = {
    _aten._scaled_dot_product_flash_attention_for_cpu,
    _aten._scaled_dot_product_flash_attention,
    _aten._scaled_dot_product_efficient_attention,
    _aten._scaled_dot_product_cudnn_attention,
    _aten._scaled_dot_product_fused_attention_overrideable,
}
_PASSING = {
    _aten.view, _aten._unsafe_view, _aten.reshape, _aten.expand, _aten.transpose, _aten.permute, _aten.clone,
    _aten.contiguous, _aten._to_copy, _aten.mul, _aten.div, _aten.add, _aten.sub, _aten.masked_fill,
    _aten.where, _aten.mul_, _aten.div_, _aten.add_, _aten.masked_fill_,
}  # fmt: skip
_SAMPLED_QUERIES = 256


class AttentionLogits(TorchDispatchMode):
    """While entered, notes max |logit| of every attention; `largest` is the maximum as a 0-d tensor, or None.

    Entries of -inf are masks and left out; anything else counts. Fused kernels never form their scores, so
    for those they are computed for up to 256 queries of the first batch element, before any mask.
    """

    def __init__(self) -> None:
        super().__init__()
        self._scores: dict[int, Tensor] = {}  # by id, and alive so that no id is used twice
        self._found: list[Tensor] = []

    @property
    def largest(self) -> Tensor | None:
        return torch.stack([value.float() for value in self._found]).amax() if self._found else None

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        packet = func.overloadpacket
        if packet in _PRODUCTS or (packet in _PASSING and any(id(arg) in self._scores for arg in args)):
            self._scores[id(out)] = out
        elif packet in _SOFTMAX and id(args[0]) in self._scores:
            self._note(args[0])
        elif packet in _FUSED:
            self._note(_sampled_scores(args[0], args[1], (kwargs or {}).get("scale")))
        return out

    def _note(self, logits: Tensor) -> None:
        self._found.append(torch.where(logits == -math.inf, 0.0, logits.abs()).amax())


def _sampled_scores(query_BHQE: Tensor, key_BHKE: Tensor, scale: float | None) -> Tensor:
    """Scores of the first batch element for evenly spaced queries."""
    stride = -(-query_BHQE.shape[-2] // _SAMPLED_QUERIES)
    query_HQE, key_HKE = query_BHQE[0, :, ::stride], key_BHKE[0]
    groups = query_HQE.shape[0] // key_HKE.shape[0]  # grouped-query attention shares keys
    key_HKE = key_HKE.repeat_interleave(groups, 0) if groups > 1 else key_HKE
    return query_HQE.float() @ key_HKE.float().mT * (scale or query_HQE.shape[-1] ** -0.5)
