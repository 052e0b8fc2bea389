"""Runs one trial of the built-in trainee. Judges none of the numbers it records.

Same seed on the CPU: bit-identical records. Trials of equal seed share initial weights, data order, noise and
dropout seeds, whatever their hyperparameters are (equal batch size given).
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from stability.numerics.watch import Watch
from stability.records import BEFORE_TRAINING, Recorder, TrialSpec
from stability.trainee import losses, optimizer
from stability.trainee.batches import Batch, Clips, Streams, epoch_of, load_clips, whole
from stability.trainee.corpus import load_corpus
from stability.trainee.features import load_features, prepared_features
from stability.trainee.hyperparameters import Hyperparameters, check_model, from_params
from stability.trainee.model import VaeTransformerTts, build

AUTOCAST = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


@dataclass(frozen=True, slots=True)
class Data:
    """A trial's utterances on its device; `unit` is one normalised unit in the scale of the mels."""

    training: Clips
    evaluation: Clips
    vocabulary_size: int
    unit: float


@dataclass(frozen=True, slots=True)
class Session:
    """What one trial carries from step to step; `weights` are the model's and the log-variances."""

    hp: Hyperparameters
    model: VaeTransformerTts
    log_variances_C: Tensor
    weights: list[Tensor]
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    watch: Watch
    coefficients: losses.Coefficients
    total_steps: int


def train(trial: TrialSpec, recorder: Recorder) -> None:
    """Train for `trial.epochs` epochs, or `trial.max_steps` steps, telling `recorder` every step.

    Raises UserError for params, data or a model that do not exist; `StopTrial` passes through.
    """
    hp, size = from_params(trial.params), check_model(trial.model)
    data, streams = _load(trial, hp), Streams.of(trial.seed)
    batch_size = hp.batch_size or trial.batch_size
    steps = _steps(trial, len(data.training), batch_size)
    longest = max(data.training.longest(), data.evaluation.longest())
    model = build(size, hp, data.vocabulary_size, longest, streams.initial).to(trial.device)
    session = _session(hp, model, trial.device, steps, recorder)
    held_out = whole(data.evaluation, size.latent)
    recorder.define(**losses.definitions(hp))
    recorder.evaluate(_evaluate(model, held_out, data.unit), BEFORE_TRAINING)
    step = 0
    for epoch in range(trial.epochs):
        if step == steps:
            break
        batches = epoch_of(data.training, batch_size, size.latent, streams)
        for batch in islice(batches, steps - step):
            _step(session, batch, step, epoch)
            step += 1
        session.watch.flush()
        recorder.evaluate(_evaluate(model, held_out, data.unit), epoch)


def _load(trial: TrialSpec, hp: Hyperparameters) -> Data:
    features = prepared_features(trial.data["sha256"], trial.cache) if "sha256" in trial.data else None
    if features is None:
        corpus = load_corpus(trial.data["corpus"], trial.data.get("utterances"))
        features = load_features(corpus, trial.cache)
    raw = hp.mel_scale == "raw"
    shift, scale = (0.0, 1.0) if raw else (features.mean, features.std)
    return Data(
        training=load_clips(features.train, shift, scale, trial.device),
        evaluation=load_clips(features.evaluation, shift, scale, trial.device),
        vocabulary_size=features.vocabulary_size,
        unit=features.std if raw else 1.0,
    )


def _steps(trial: TrialSpec, utterances: int, batch_size: int) -> int:
    steps = trial.epochs * math.ceil(utterances / batch_size)
    return steps if trial.max_steps is None else min(steps, trial.max_steps)


def _session(
    hp: Hyperparameters, model: VaeTransformerTts, device: str, total_steps: int, recorder: Recorder
) -> Session:
    log_variances_C = torch.zeros(len(losses.COMPONENTS), device=device, requires_grad=True)
    weights = [*model.parameters(), log_variances_C]
    scaled = hp.grad_scaler and hp.precision == "16-mixed"
    rule = optimizer.optimizer_for(weights, hp)
    scaler = torch.amp.GradScaler(torch.device(device).type, enabled=scaled)
    return Session(
        hp=hp,
        model=model.train(),
        log_variances_C=log_variances_C,
        weights=weights,
        optimizer=rule,
        scaler=scaler,
        watch=Watch(model, rule, scaler=scaler, recorder=recorder),
        coefficients=losses.coefficients(hp, device),
        total_steps=total_steps,
    )


def _step(session: Session, batch: Batch, step: int, epoch: int) -> None:
    """Forward, backward, clip, update; the watch measures in between and tells the recorder."""
    hp, scaler, watch = session.hp, session.scaler, session.watch
    lr = optimizer.learning_rate(hp, step, session.total_steps)
    optimizer.set_learning_rate(session.optimizer, lr)
    measured, total, in_force = _forward(session, batch, step)
    watch.components(measured, in_force)
    session.optimizer.zero_grad()
    scaler.scale(total).backward()
    scaler.unscale_(session.optimizer)
    watch.step(measured, total, batch.ids, loss_weights=in_force, epoch=epoch)
    optimizer.clip(session.weights, watch.grad_norm, hp.clip)
    scaler.step(session.optimizer)
    scaler.update()


def _forward(
    session: Session, batch: Batch, step: int
) -> tuple[dict[str, Tensor], Tensor, dict[str, Tensor]]:
    """The components, the total to differentiate and the coefficients in force."""
    c = session.coefficients
    with _autocast(session.hp, batch.mel_BTM.device.type):
        measured = losses.components(session.model, batch, c)
    weights_C = losses.annealed(c.weights_C, session.hp, step)
    losses_C = torch.stack(list(measured.values()))
    total, in_force_C = losses.total(losses_C, weights_C, session.log_variances_C, c.adaptive)
    return measured, total, dict(zip(losses.COMPONENTS, in_force_C.detach(), strict=True))


def _autocast(hp: Hyperparameters, device_type: str) -> AbstractContextManager[None]:
    if hp.precision == "fp32":
        return nullcontext()
    return torch.autocast(device_type, dtype=AUTOCAST[hp.precision])


def _evaluate(model: VaeTransformerTts, held_out: Batch, unit: float) -> dict[str, float]:
    measured = losses.yardstick(model, held_out, unit)
    return dict(zip(measured, torch.stack(list(measured.values())).tolist(), strict=True))
