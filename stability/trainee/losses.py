"""The training loss as a pure function of (weights, batch, hyperparameters), and the yardstick.

Toggles are arithmetic on 0-d tensors, written so that switching one off cannot create a NaN; nothing is
clamped, masked by finiteness or replaced. Components are always unweighted.

Shapes: B batch, T frames, G groups, M mel bands, L latent, C the three components in the order of COMPONENTS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from stability.trainee.batches import Batch
from stability.trainee.hyperparameters import Hyperparameters
from stability.trainee.model import Prediction

COMPONENTS = ("mel", "stop", "kl")

YARDSTICK = {
    "mel": "L1 after the post-net, normalised log-mel, mean over valid frames and bands",
    "stop": "BCE, unsmoothed, unweighted, mean over valid groups",
    "kl": "KL(posterior || N(0, I)), sum over latent dimensions, mean over utterances",
}
"""How `yardstick` computes each component, whatever the hyperparameters: evaluation mode, fp32, z = mu."""


class Coefficients(NamedTuple):
    """The numeric hyperparameters and toggles of the loss as tensors: 0-d, and `weights_C` of shape (3,)."""

    weights_C: Tensor
    huber: Tensor
    smoothing: Tensor
    pos_weight: Tensor
    adaptive: Tensor


def coefficients(hp: Hyperparameters, device: str = "cpu") -> Coefficients:
    """The loss settings of `hp` as tensors on `device`; `weights_C` before annealing."""
    return Coefficients(
        weights_C=torch.tensor([hp.mel_weight, hp.stop_weight, hp.kl_weight], device=device),
        huber=torch.tensor(float(hp.huber), device=device),
        smoothing=torch.tensor(hp.smoothing, device=device),
        pos_weight=torch.tensor(float(hp.pos_weight), device=device),
        adaptive=torch.tensor(hp.adaptive, device=device),
    )


def annealed(weights_C: Tensor, hp: Hyperparameters, step: int) -> Tensor:
    """`weights_C` with the KL coefficient of 0-based `step`, linear from 0 (Bowman, arXiv 1511.06349)."""
    if step >= hp.kl_anneal_steps:
        return weights_C
    return weights_C * torch.tensor([1.0, 1.0, step / hp.kl_anneal_steps], device=weights_C.device)


def components(model: Callable[[Batch], Prediction], batch: Batch, c: Coefficients) -> dict[str, Tensor]:
    """The unweighted training losses of `model` on `batch` as 0-d fp32 tensors: mel, stop and kl.

    `model` may be a module or a closure over `torch.func.functional_call`: equal weights, batch and
    coefficients give equal numbers, dropout included, and the global random state is left as it was.
    """
    with seeded(batch.seed, batch.mel_BTM.device):
        prediction = Prediction(*(part.float() for part in model(batch)))
    mel = _mel(prediction.pre_BTM, batch, c.huber) + _mel(prediction.post_BTM, batch, c.huber)
    stop = _stop(prediction.stop_BG, batch, c.smoothing, c.pos_weight)
    return {"mel": mel, "stop": stop, "kl": kl_divergence(prediction.mu_BL, prediction.logvar_BL)}


def total(
    losses_C: Tensor, weights_C: Tensor, log_variances_C: Tensor, adaptive: Tensor
) -> tuple[Tensor, Tensor]:
    """The differentiated sum, and the coefficients in force.

    Adaptive (Kendall et al., arXiv 1705.07115): sum of w exp(-s) L + s with learned log-variances s.
    Otherwise s is 0 and, through `where`, gets an exactly zero gradient even from an infinite loss.
    """
    s_C = torch.where(adaptive, log_variances_C, torch.zeros_like(log_variances_C))
    in_force_C = weights_C * torch.exp(-s_C)
    return (in_force_C * losses_C + s_C).sum(), in_force_C


def yardstick(model: torch.nn.Module, batch: Batch, unit: float) -> dict[str, Tensor]:
    """The losses of `YARDSTICK` as 0-d tensors; `unit` is one normalised unit in `batch`'s scale."""
    training = model.training
    model.eval()
    with torch.no_grad():
        prediction = model(batch)
    model.train(training)
    off, one = (torch.full((), value, device=batch.mel_BTM.device) for value in (0.0, 1.0))
    return {
        "mel": _mel(prediction.post_BTM / unit, batch._replace(mel_BTM=batch.mel_BTM / unit), off),
        "stop": _stop(prediction.stop_BG, batch, off, one),
        "kl": kl_divergence(prediction.mu_BL, prediction.logvar_BL),
    }


def kl_divergence(mu_BL: Tensor, logvar_BL: Tensor) -> Tensor:
    """KL(N(mu, exp(logvar)) || N(0, I)), summed over latent dimensions, averaged over utterances."""
    return 0.5 * (mu_BL.square() + logvar_BL.exp() - 1.0 - logvar_BL).sum(-1).mean()


def definitions(hp: Hyperparameters) -> dict[str, str]:
    """How this trial computes each printed number; numbers of two trials compare only where these agree."""
    distance = "Huber(1.0)" if hp.huber else "L1"
    scale = "raw" if hp.mel_scale == "raw" else "normalised"
    rise = f" annealed over {hp.kl_anneal_steps} steps" if hp.kl_anneal_steps else ""
    weighted = f"{hp.mel_weight:g}*mel + {hp.stop_weight:g}*stop + {hp.kl_weight:g}*kl{rise}"
    learned = ", each term times exp(-s) plus s, s learned from 0 (Kendall)" if hp.adaptive else ""
    return {
        "mel": f"{distance} before + {distance} after the post-net, {scale} log-mel, mean over frames, bands",
        "stop": f"BCE, smoothing {hp.smoothing:g}, pos_weight {hp.pos_weight:g}, mean over groups",
        "kl": YARDSTICK["kl"],
        "total": weighted + learned,
    }


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Run the body (dropout) from `seed` and give the global random state back afterwards."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _mel(predicted_BTM: Tensor, batch: Batch, huber: Tensor) -> Tensor:
    """Mean over valid frames and bands of L1, or of Huber with threshold 1 where `huber` is 1.

    Huber(a) = a - (c - c^2 / 2) with c = min(a, 1): c stays finite, so 0 * (c - c^2 / 2) adds no NaN.
    """
    distance_BTM = (predicted_BTM - batch.mel_BTM).abs()
    near_BTM = distance_BTM.clamp(max=1.0)
    loss_BTM = distance_BTM - huber * (near_BTM - 0.5 * near_BTM.square())
    return _mean(loss_BTM.mean(-1), batch.frame_mask_BT)


def _stop(logits_BG: Tensor, batch: Batch, smoothing: Tensor, pos_weight: Tensor) -> Tensor:
    """Mean binary cross-entropy over valid groups, with targets moved by smoothing / 2 towards one half."""
    targets_BG = batch.stop_BG * (1.0 - smoothing) + 0.5 * smoothing
    entropy = F.binary_cross_entropy_with_logits
    return _mean(entropy(logits_BG, targets_BG, pos_weight=pos_weight, reduction="none"), batch.group_mask_BG)


def _mean(loss: Tensor, mask: Tensor) -> Tensor:
    """The mean where `mask` is true; what lies in the padding cannot reach it, not even as 0 * inf."""
    return loss.masked_fill(~mask, 0.0).sum() / mask.sum()
