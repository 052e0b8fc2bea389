"""What is measured on weights and gradients, as 0-d tensors on their device. No host read, no rule.

All functions only read: no gradient is recorded, no random number drawn, nothing written in place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from stability.records import Measure

UPDATE_MATRICES, UPDATE_ELEMENTS = 8, 2**15
"""So many matrices, and so many weights of each, are compared before and after an update, so that it costs
the same for any model; 1 MB in fp32 together."""


Number = float | Tensor
Numbers = list[float] | Tensor
"""On the CPU numbers of the host; elsewhere tensors, for which no device is made to wait."""


def norms(tensors: Sequence[Tensor], *, uniform: bool = False) -> Tensor:
    """The Euclidean norm of each tensor, shape (len(tensors),), in at least fp32, on the first one's device.

    Sparse tensors count by their coalesced values. `uniform`: the caller knows that `is_uniform` holds.
    """
    if uniform or is_uniform(tensors):
        return torch.stack(torch._foreach_norm(tensors))
    dense = [t.coalesce().values() if t.is_sparse else t for t in tensors]
    found = [torch.linalg.vector_norm(t, dtype=torch.promote_types(t.dtype, torch.float32)) for t in dense]
    return torch.stack([norm.to(found[0].device) for norm in found])


def is_uniform(tensors: Sequence[Tensor]) -> bool:
    """Whether one kernel can take all: dense, on one device, of one type that is not half precision."""
    kinds = {(t.dtype, t.device, t.is_sparse) for t in tensors}
    return len(kinds) == 1 and tensors[0].dtype in (torch.float32, torch.float64) and not tensors[0].is_sparse


def total_norm(tensors: Sequence[Tensor], *, uniform: bool = False) -> Tensor:
    """The norm of all `tensors` together; `uniform` as in `norms`."""
    return torch.linalg.vector_norm(norms(tensors, uniform=uniform))


def on_host(norms: Tensor, total: Tensor) -> tuple[Numbers, Number]:
    """As numbers where that waits for nothing, and makes what follows cheap; else as they are."""
    return (norms.tolist(), total.item()) if norms.device.type == "cpu" else (norms, total)


def zero_share(tensors: Sequence[Tensor]) -> Tensor | None:
    """The share of elements that are exactly 0; sparse tensors, which leave them out, do not count."""
    dense = [t for t in tensors if not t.is_sparse]
    if not dense:
        return None
    counted = torch.stack([torch.count_nonzero(t).to(dense[0].device) for t in dense])
    return 1.0 - counted.sum() / sum(t.numel() for t in dense)


class Gradients:
    """Which weights have a gradient, and what of their norms is looked at; the same for many steps."""

    CLIP_SAMPLE = 8
    """How many of the smallest gradients are looked at again after clipping, which scales all alike."""

    def __init__(self, weights: Sequence[Tensor], present: Sequence[int], ends: Sequence[int]) -> None:
        """`present` and `ends` are indices of `weights`: those with a gradient, and the outermost layers."""
        self.present = present
        sizes = [weights[i].numel() for i in present]
        device = weights[present[0]].device
        smallest = sorted(range(len(present)), key=sizes.__getitem__)[: self.CLIP_SAMPLE]
        self.uniform = is_uniform([weights[i].grad for i in present])
        self.clip_sample = [weights[present[i]] for i in smallest]
        self._smallest = smallest if device.type == "cpu" else torch.tensor(smallest, device=device)
        rms = {Measure.GRAD_RMS_FIRST: ends[0], Measure.GRAD_RMS_LAST: ends[1]} if ends else {}
        self._layers = {name: present.index(i) for name, i in rms.items() if i in present}
        self._roots = {name: math.sqrt(sizes[i]) for name, i in self._layers.items()}
        self._root = math.sqrt(sum(sizes))

    def sampled_norm(self, norms: Numbers) -> Number:
        """The norm of the clip sample, out of the norms of all gradients."""
        if isinstance(norms, list):
            return math.hypot(*(norms[i] for i in self._smallest))
        return torch.linalg.vector_norm(norms[self._smallest])

    def root_mean_squares(self, norms: Numbers, total: Number) -> dict[str, Number]:
        """Of all gradient elements, and of the layers nearest the input and the loss."""
        layers = {name: norms[i] / self._roots[name] for name, i in self._layers.items()}
        return {Measure.GRAD_RMS: total / self._root} | layers


class UpdateSample:
    """Compares some weights before and after an update: leading rows of matrices of every depth."""

    def __init__(self, weights: Sequence[Tensor]) -> None:
        matrices = [w for w in weights if w.ndim >= 2 and w.numel()] or [torch.atleast_1d(w) for w in weights]
        spread = matrices[:: -(-len(matrices) // UPDATE_MATRICES)]
        self._rows = [w.detach()[: max(1, UPDATE_ELEMENTS * len(w) // w.numel())] for w in spread]
        self._before = [rows.clone() for rows in self._rows]

    def ratio(self) -> Tensor:
        """Norm of the change / norm of the weights before it."""
        change = torch._foreach_sub(self._rows, self._before)
        return total_norm(change) / total_norm(self._before)


class BackwardOrder:
    """Which weight matrix is nearest the loss and which nearest the input, seen in one backward pass."""

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self._matrices = [i for i, w in enumerate(weights) if w.ndim >= 2 and w.requires_grad]
        self._seen: list[int] = []
        self._hooks = [
            weights[i].register_post_accumulate_grad_hook(lambda _, i=i: self._seen.append(i))
            for i in self._matrices
        ]

    def ends(self) -> tuple[int, int] | None:
        """(nearest the input, nearest the loss); by order of registration if no backward pass was seen."""
        for hook in self._hooks:
            hook.remove()
        order = self._seen[::-1] or self._matrices
        return (order[0], order[-1]) if len(order) > 1 else None


def component_gradients(
    losses: Mapping[str, Tensor], weights: Mapping[str, Any], parameters: Sequence[Tensor]
) -> dict[str, Tensor]:
    """Shares of the components in the gradient, and the cosine of each pair; one extra backward pass each.

    `losses` still have their graph, which is kept; `weights` are their coefficients (1 where missing).
    """
    gradients = {name: _gradient(loss * weights.get(name, 1.0), parameters) for name, loss in losses.items()}
    sizes = {name: torch.linalg.vector_norm(gradient) for name, gradient in gradients.items()}
    total = torch.stack(list(sizes.values())).sum()
    found = {f"{Measure.GRAD_SHARE}/{name}": size / total for name, size in sizes.items()}
    for a, b in combinations(sorted(gradients), 2):
        cosine = torch.dot(gradients[a], gradients[b]) / (sizes[a] * sizes[b])
        found[f"{Measure.GRAD_COSINE}/{a},{b}"] = cosine
    return found


def _gradient(loss: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    """The gradient of `loss` as one vector, with zeros where it does not reach."""
    parts = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    return torch.cat(list(_flat(parts, parameters)))


def _flat(parts: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> Iterator[Tensor]:
    for part, parameter in zip(parts, parameters, strict=True):
        if part is None:
            yield torch.zeros(parameter.numel(), device=parameter.device)
        else:
            yield (part.to_dense() if part.is_sparse else part).flatten().float()
