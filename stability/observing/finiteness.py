"""Whether tensors hold a number that is not finite. Only reads; torch sees none of it in a traced step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from stability.numerics import measures


def first_nonfinite(tensors: Iterable[tuple[str, Tensor]]) -> str | None:
    """The name of the first tensor that is not finite throughout; None if all are."""
    named = [(name, tensor.detach()) for name, tensor in tensors if _has_fractions(tensor) and tensor.numel()]
    if not named:
        return None
    groups: dict[Any, list[tuple[str, Tensor]]] = {}
    for name, tensor in named:
        groups.setdefault((tensor.device, tensor.dtype, tensor.is_sparse), []).append((name, tensor))
    broken = [name for group in groups.values() if (name := _first_of(group)) is not None]
    order = {name: place for place, (name, _) in enumerate(named)}
    return min(broken, key=order.__getitem__, default=None)


def norms(tensors: Sequence[Tensor]) -> list[float]:
    """The Euclidean norm of each tensor; waits for the device."""
    return measures.norms(tensors).tolist() if tensors else []


def state_of(optimizer: Any) -> Iterator[tuple[str, Tensor]]:
    """What an optimizer keeps of each of its weights: `optimizer state exp_avg_sq of weight 3`."""
    number = {id(weight): n for n, (_, weight) in enumerate(weights_of(optimizer))}
    for weight, kept in list(optimizer.state.items()):
        for key, value in kept.items() if isinstance(kept, Mapping) else ():
            if isinstance(value, Tensor):
                yield f"optimizer state {key} of weight {number.get(id(weight), '')}", value


def weights_of(optimizer: Any) -> Iterator[tuple[str, Tensor]]:
    """The weights of an optimizer, numbered."""
    weights = (weight for group in optimizer.param_groups for weight in group["params"])
    yield from ((f"weight {number}", weight) for number, weight in enumerate(weights))


def _has_fractions(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _first_of(group: Sequence[tuple[str, Tensor]]) -> str | None:
    """A norm of finite numbers may be too large for its type, so a bad one is looked at closely."""
    tensors = [torch.view_as_real(t.resolve_conj()) if t.is_complex() else t for _, t in group]
    if all(map(math.isfinite, norms(tensors))):
        return None
    for (name, _), tensor in zip(group, tensors, strict=True):
        dense = tensor.coalesce().values() if tensor.is_sparse else tensor
        if not bool(torch.isfinite(dense).all()):
            return name
    return None
