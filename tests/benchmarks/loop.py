"""The trainee's training step in pieces, so that a benchmark can vary one thing in it. Measures nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stability.trainee import losses
from stability.trainee.batches import Batch, Clips, Streams, epoch_of, load_clips
from stability.trainee.corpus import load_corpus
from stability.trainee.features import load_features
from stability.trainee.hyperparameters import Hyperparameters, check_model, from_params
from stability.trainee.model import VaeTransformerTts, build
from stability.trainee.optimizer import optimizer_for


@dataclass(frozen=True, slots=True)
class Loop:
    """What a training step needs; two of equal arguments have equal weights."""

    hp: Hyperparameters
    model: VaeTransformerTts
    log_variances_C: Tensor
    weights: list[Tensor]
    optimizer: torch.optim.Optimizer
    coefficients: losses.Coefficients
    clips: Clips
    streams: Streams
    latent: int


def loop(
    size: str,
    params: Mapping[str, Any],
    cache: Path,
    *,
    corpus: str = "en",
    seed: int = 0,
    device: str = "cpu",
) -> Loop:
    """A model of `size` with its optimizer and data, as the trainee builds them."""
    hp, dimensions, streams = from_params(params), check_model({"size": size}), Streams.of(seed)
    features = load_features(load_corpus(corpus, 30), cache)
    clips = load_clips(features.train, features.mean, features.std, device)
    model = build(dimensions, hp, features.vocabulary_size, clips.longest(), streams.initial).to(device)
    log_variances_C = torch.zeros(len(losses.COMPONENTS), device=device, requires_grad=True)
    weights = [*model.parameters(), log_variances_C]
    return Loop(
        hp=hp,
        model=model.train(),
        log_variances_C=log_variances_C,
        weights=weights,
        optimizer=optimizer_for(weights, hp),
        coefficients=losses.coefficients(hp, device),
        clips=clips,
        streams=streams,
        latent=dimensions.latent,
    )


def batches(made: Loop) -> Iterator[Batch]:
    """Batches of 8 utterances, epoch after epoch."""
    while True:
        yield from epoch_of(made.clips, 8, made.latent, made.streams)


def forward(made: Loop, batch: Batch) -> tuple[dict[str, Tensor], Tensor, dict[str, Tensor]]:
    """The components, the total to differentiate and the coefficients in force."""
    c = made.coefficients
    measured = losses.components(made.model, batch, c)
    total, in_force_C = losses.total(
        torch.stack(list(measured.values())), c.weights_C, made.log_variances_C, c.adaptive
    )
    return measured, total, dict(zip(losses.COMPONENTS, in_force_C.detach(), strict=True))
