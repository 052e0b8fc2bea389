"""The update: learning-rate schedule, torch's own AdamW or SGD, clipping. No loss, no data.

Fused kernels: one pass over memory, and on the CPU several times cheaper than the default loop.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from stability.trainee.hyperparameters import Hyperparameters


def learning_rate(hp: Hyperparameters, step: int, total_steps: int) -> float:
    """The learning rate of 0-based `step`: linear warm-up, then `hp.schedule`.

    cosine (arXiv 1608.03983) and linear reach 0 at `total_steps`; inverse_sqrt is arXiv 1706.03762's.
    """
    if step < hp.warmup_steps:
        return hp.lr * (step + 1) / hp.warmup_steps
    progress = (step - hp.warmup_steps) / max(1, total_steps - hp.warmup_steps)
    start = max(1, hp.warmup_steps)
    factors = {
        "constant": 1.0,
        "cosine": 0.5 * (1.0 + math.cos(math.pi * progress)),
        "linear": 1.0 - progress,
        "inverse_sqrt": math.sqrt(start / max(start, step + 1)),
    }
    return hp.lr * factors[hp.schedule]


def optimizer_for(weights: Iterable[Tensor], hp: Hyperparameters) -> torch.optim.Optimizer:
    """Fused AdamW (arXiv 1711.05101) or SGD over `weights`; only matrices and larger tensors decay."""
    weights = list(weights)
    groups = [
        {"params": [w for w in weights if w.ndim >= 2], "weight_decay": hp.weight_decay},
        {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
    ]
    if hp.optimizer == "sgd":
        # Not fused: where a gradient scaler skips the first step, that kernel leaves its momentum unset.
        return torch.optim.SGD(groups, lr=hp.lr, momentum=hp.momentum, fused=False)
    return torch.optim.AdamW(groups, lr=hp.lr, betas=(hp.momentum, 0.999), fused=True)


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Use `lr` from the next step on."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def clip(weights: Sequence[Tensor], grad_norm: Tensor, limit: float | None) -> None:
    """Scale the gradients to norm `limit` where they exceed it; as in torch, a NaN norm reaches all."""
    if limit is not None:
        torch.nn.utils.clip_grads_with_norm_(weights, limit, grad_norm)
