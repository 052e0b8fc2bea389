"""The nouns of `stability`: frozen records, closed sets and protocols.

Standard library only, no I/O. Every other module speaks in these types.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

BEFORE_TRAINING = -1
"""The `epoch` of the evaluation made before the first training step."""


class UserError(Exception):
    """A mistake of the caller: one line saying what was given, what is allowed and the fix. Exit code 2."""


class StopTrial(Exception):
    """Raised by `Recorder.step` and `Recorder.evaluate` once the policy says the trial is lost."""


class Outcome(StrEnum):
    """How a trial's process ended."""

    FINISHED = "FINISHED"
    STOPPED = "STOPPED"
    CRASHED = "CRASHED"
    TIMED_OUT = "TIMED_OUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    LOST = "LOST"


class VerdictLabel(StrEnum):
    """What the training did."""

    STABLE = "STABLE"
    UNSTABLE = "UNSTABLE"
    DIVERGED = "DIVERGED"
    STUCK = "STUCK"
    INCONCLUSIVE = "INCONCLUSIVE"


class EventKind(StrEnum):
    """The rules that can fire on a trial's records."""

    NAN_LOSS = "nan_loss"
    INF_LOSS = "inf_loss"
    NAN_GRAD = "nan_grad"
    NONFINITE_WEIGHT = "nonfinite_weight"
    MASKED_NONFINITE = "masked_nonfinite"
    BLOW_UP = "blow_up"
    SPIKE = "spike"
    GRAD_EXPLOSION = "grad_explosion"
    VANISHING = "vanishing"
    STUCK = "stuck"
    UPDATE_RATIO = "update_ratio"
    CLIP_SATURATION = "clip_saturation"
    ATTENTION_LOGITS = "attention_logits"
    DOMINANCE = "dominance"
    OSCILLATION = "oscillation"


class Severity(StrEnum):
    """What an event means: `LOST` ends its trial, `WARNING` is evidence against it, `FACT` is neither."""

    LOST = "LOST"
    WARNING = "WARNING"
    FACT = "FACT"


class Measure(StrEnum):
    """What may be measured at a step besides losses and norms; the keys of `Step.measures`.

    Measures of one loss component, or of two, carry their names: `grad_share/kl`, `grad_cosine/kl,mel`.
    """

    GRAD_RMS = "grad_rms"  # root mean square of all gradient elements, before clipping
    GRAD_RMS_FIRST = "grad_rms_first"  # of the weight matrix nearest the input
    GRAD_RMS_LAST = "grad_rms_last"  # of the weight matrix nearest the loss
    ZERO_GRAD_SHARE = "zero_grad_share"  # share of gradient elements that are exactly 0
    CLIP_FACTOR = "clip_factor"  # gradient norm after clipping / before
    UPDATE_RATIO = "update_ratio"  # norm of the weights' change in this step / norm of the weights
    ATTENTION_LOGIT = "attention_logit"  # largest |logit| before any softmax over attention scores
    GRAD_SHARE = "grad_share"  # weight x gradient norm of a component / the sum over components
    GRAD_COSINE = "grad_cosine"  # cosine between the gradients of two components


class Phase(StrEnum):
    """Where in a training step an operation ran; `EXTERNAL`: the value came with data, weights or state."""

    FORWARD = "forward"
    BACKWARD = "backward"
    OPTIMIZER = "optimizer"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Link:
    """One operation that a non-finite value passed through; `value` is what came out: nan, inf or -inf."""

    phase: Phase
    op: str
    file: str | None
    line: int | None
    module: str | None
    value: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a non-finite value was born.

    `op` is the aten name; `file` and `line` are in the user's code (for backward the forward line);
    `module` is the path below the outermost module; `component` the loss component it belongs to;
    `batch_index` the element of the batch. `value` is what came out first (nan, inf or -inf) of inputs
    no larger than `max_abs_input`. For phase external, `source` says what brought it and `op` is the
    first operation that read it. `chain` leads from the origin to the loss.
    """

    phase: Phase
    op: str | None = None
    file: str | None = None
    line: int | None = None
    module: str | None = None
    component: str | None = None
    batch_index: int | None = None
    value: str | None = None
    max_abs_input: float | None = None
    source: str | None = None
    chain: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One optimizer step as the trainer reported it; numbers may be NaN or infinite.

    `losses` are the unweighted components, `loss_weights` the coefficients in force, `total` the
    weighted sum that was differentiated. `grad_norm` is taken before clipping, `weight_norm` after
    the update. `skipped` marks a step that an AMP gradient scaler did not apply. `measures` maps
    `Measure` names to numbers, `batch` names the elements of the batch in order.
    """

    step: int
    losses: Mapping[str, float]
    total: float | None = None
    epoch: int | None = None
    lr: float | None = None
    grad_norm: float | None = None
    weight_norm: float | None = None
    loss_weights: Mapping[str, float] | None = None
    grad_scale: float | None = None
    skipped: bool = False
    measures: Mapping[str, float] | None = None
    batch: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The yardstick's components after `step` steps; `epoch` is `BEFORE_TRAINING` for the first."""

    step: int
    epoch: int
    losses: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Event:
    """One rule firing: `value` broke `threshold` at `step`, in the quantity `where`."""

    step: int
    kind: EventKind
    where: str
    value: float
    threshold: float | None = None
    severity: Severity = Severity.LOST
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """When a rule fires. Every number has a source, or the measurement it comes from:

    [16 + 11] healthy and diverging runs of small models, measured when this project began; behind the colon,
    on how many of them the rule fired. [AT] AUTOTRAINER, ICSE 2021. [noise] simulated independent noise.
    [244] as many healthy trainings of the built-in trainee, [half] one half of them; docs/numerics.md.

    **All rules.** `window` past values make a running median and MAD [16 + 11]; `samples` measurements in a
    row must agree where one alone may be chance.
    **Yardstick.** Above `blow_up` times its value before training, from `blow_up_after_steps` steps on, a
    trial is UNSTABLE, if it is for `blow_up_evaluations` in a row or at the end [244: 4; one evaluation
    anywhere 8]; above `blow_up_severe` it is lost [16 + 11: 0 and 11]. Without a yardstick the rise must
    exceed `blow_up_noise` times the scatter of the losses; of 200 runs of 2000 steps of log-normal noise 0 or
    1 were called lost then, 57 to 178 before (sigma 0.3 to 1).
    **Masked NaN.** `masked_steps` equal values in a row of a loss that moved before.
    **Scaler.** `skipped_steps` steps in a row skipped by an AMP scaler are a NaN gradient, fewer are normal;
    `calibration_steps` before the first applied one, while it looks for its scale (halving from torch's 2^16,
    16 skips reach 1). Later, more than `skip_rate` of all steps, once there are `skip_rate_steps`: a scaler
    that has found its scale tries a larger one every 2000 steps (torch's growth interval). Growing gradients
    make it look for a smaller one, so more than `calibration_steps` must have been skipped.
    **Spike.** `spike_z` robust standard deviations, after `spike_minimum` values, with the gradient within
    `spike_reach` steps [16 + 11: 0; the gradient alone 3, z > 2.5 8 healthy ones]. `spike_floor` is the least
    spread assumed, in log units: a spike is at least exp(6 x 0.02) - 1 = 13% up.
    **Onset.** `onset_minimum` past values make the band that a quantity leaves before a failure [noise: of 9
    quantities, one left theirs by chance before 1.5% of failures at step 15, and none at step 29 or 99].
    **Large gradients.** `grad_explosion_norm` times the largest loss coefficient above 1 [16 + 11: 0 and 11;
    244: 0, and 5 without the coefficient]; `grad_explosion_rise` times the running
    median of `grad_explosion_minimum` values at least; `layer_ratio`, first over last layer [AT].
    **Small gradients.** `vanishing_rms` (SageMaker Debugger's VanishingGradient); `vanishing_ratio` and
    `vanishing_first` [AT], where the loss stays above `vanishing_learned` of its first value [half: 1 of 132;
    without this 45; deep networks that do not learn stay at 0.9 to 1]; for `vanishing_steps` steps without
    growing by `vanishing_growth`: behind a zero-initialised head under Adam they grow linearly, which is more
    than that up to step 220. `vanishing_zeros` [AT]. A loss below `vanishing_done` of its first value needs
    no more gradient.
    **Stuck.** A drop below `stuck_drop` is no progress. Training losses must fall by `stuck_noise` standard
    errors [noise of 10%, 16 to 1000 steps: 95 to 96% of runs at learning rate 0, and 0 to 2.3% of those that
    halve their loss]; where noise would hide a drop of `stuck_blind`, nothing is said. In fewer than
    `stuck_steps` steps results of short and long trials were unrelated.
    **Updates.** `update_ratio` [half: 0; 0.1 3, 0.03 17 of 132]; `update_ratio_severe` and
    `update_ratio_still` are 300 times and a thousandth of the 1e-3 commonly aimed at.
    **Clipping.** `clip_saturated` and `clip_inactive` are shares of the steps, of `clip_steps` at least.
    **Attention.** Beyond `attention_logit` softmax can be one-hot in any precision (exp(-50) = 2e-22); the
    logits must rise by `attention_rise` over `samples`: a fact, as 6 of [244] did. fp16 ends at 65504:
    `attention_overflow`.
    **Dominance.** `dominance_share` of the weighted gradients; a cosine below minus `dominance_opposition`.
    **Oscillation.** A share `oscillation_flips` of the changes turn back, by `oscillation_amplitude` of the
    loss, over `oscillation_window` steps [noise of 20%: 0 of 60 runs of 10,000 steps, and 2 of 60 over 64; a
    period of two as large as the noise is found in 98%, 1.5 times as large in 100% of runs of 400 steps].
    """

    blow_up: float = 1.25
    blow_up_severe: float = 2.0
    blow_up_after_steps: int = 5
    blow_up_evaluations: int = 2
    blow_up_noise: float = 5.0
    masked_steps: int = 3
    skipped_steps: int = 3
    calibration_steps: int = 17
    skip_rate: float = 0.05
    skip_rate_steps: int = 100
    window: int = 64
    samples: int = 3
    spike_z: float = 6.0
    spike_minimum: int = 20
    spike_reach: int = 2
    spike_floor: float = 0.02
    onset_minimum: int = 8
    grad_explosion_norm: float = 1e3
    grad_explosion_rise: float = 1e3
    grad_explosion_minimum: int = 5
    layer_ratio: float = 70.0
    vanishing_rms: float = 1e-7
    vanishing_ratio: float = 1e-3
    vanishing_first: float = 1e-4
    vanishing_learned: float = 0.75
    vanishing_zeros: float = 0.7
    vanishing_steps: int = 20
    vanishing_growth: float = 1.1
    vanishing_done: float = 1e-3
    stuck_drop: float = 0.01
    stuck_noise: float = 2.0
    stuck_blind: float = 0.25
    stuck_steps: int = 10
    update_ratio: float = 0.15
    update_ratio_severe: float = 0.3
    update_ratio_still: float = 1e-6
    clip_saturated: float = 0.95
    clip_inactive: float = 0.01
    clip_steps: int = 10
    attention_logit: float = 50.0
    attention_rise: float = 1.1
    attention_overflow: float = 1e4
    dominance_share: float = 0.9
    dominance_opposition: float = 0.5
    oscillation_flips: float = 0.6
    oscillation_amplitude: float = 0.05
    oscillation_window: int = 96

    def __post_init__(self) -> None:
        """Raise `UserError` for a number that no rule could work with."""
        for field_ in fields(self):
            value = getattr(self, field_.name)
            if allowed := _refused(value, type(field_.default), field_.name in _SHARES):
                raise UserError(f"policy {field_.name}={value!r}: error: {allowed}")
        for low, high in _ASCENDING:
            one, two = getattr(self, low), getattr(self, high)
            if one > two:
                raise UserError(f"policy {low}={one:g}: error: at most {high}, which is {two:g}")


_SHARES = {
    *(
        "skip_rate",
        "vanishing_learned",
        "vanishing_zeros",
        "stuck_drop",
        "stuck_blind",
        "clip_saturated",
        "clip_inactive",
    ),
    *("dominance_share", "dominance_opposition", "oscillation_flips"),
}
_ASCENDING = (
    ("blow_up", "blow_up_severe"),
    ("update_ratio_still", "update_ratio"),
    ("update_ratio", "update_ratio_severe"),
    ("clip_inactive", "clip_saturated"),
    ("attention_logit", "attention_overflow"),
    ("spike_minimum", "window"),
    ("onset_minimum", "window"),
    ("grad_explosion_minimum", "window"),
)


def _refused(value: Any, kind: type, share: bool) -> str | None:
    """What a number of a `Policy` must be, if `value` is not that."""
    if kind is int:
        accepted = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return None if accepted else "a positive integer"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    accepted = number and 0.0 < value < math.inf and not (share and value > 1.0)
    return None if accepted else "a number above 0, at most 1" if share else "a positive number"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the training did; for anything but STABLE the first bad step, the rule and the evidence."""

    label: VerdictLabel
    step: int | None = None
    kind: EventKind | None = None
    where: str | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class TrialSpec:
    """Everything a trial needs to run, and all that a trainer may read.

    `key` names the trial within its stage and stays the same over resumes (`basic/seed-3`).
    `epochs`, `batch_size` and `max_steps` are the budget; `yardstick` holds the fixed coefficients
    of the evaluation loss. `cache` is a folder shared by all trials of the study.
    """

    study: str
    stage: str
    number: int
    key: str
    arm: str | None
    params: Mapping[str, Any]
    seed: int
    epochs: int
    batch_size: int
    max_steps: int | None
    timeout_s: float
    device: str
    trainer: Any
    data: Mapping[str, Any]
    model: Mapping[str, Any]
    yardstick: Mapping[str, float]
    directory: Path
    cache: Path


@dataclass(frozen=True, slots=True)
class Blame:
    """Whether step `step` fails again with weights of another step, or on other batches.

    `fails_with_earlier_weights`: its batch with the weights of `earlier_step`, None where there is none.
    `other_batches`: step -> whether the batch of that step fails with the weights of `step`.
    """

    step: int
    earlier_step: int | None
    fails_with_earlier_weights: bool | None
    other_batches: Mapping[int, bool]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a replay of a trial found about its first bad step.

    `traced_step` is the step in which it began, earlier than `step` where the weights were broken before.
    `difference` says where the replay left the recorded numbers; `reproduced` that it did not.
    """

    step: int
    traced_step: int
    reproduced: bool
    difference: str | None
    provenance: Provenance | None
    blame: Blame | None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a trial's process ended, with its cost; what `outcome.json` holds."""

    outcome: Outcome
    error: str | None = None
    traceback: str | None = None
    wall_s: float | None = None
    cpu_s: float | None = None
    max_rss_bytes: int | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """All that a trial left behind, in the order it was written."""

    steps: tuple[Step, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    events: tuple[Event, ...] = ()
    definitions: Mapping[str, str] = field(default_factory=dict)


class Recorder(Protocol):
    """What a trainer calls while it trains."""

    def step(
        self,
        losses: Mapping[str, float],
        total: float | None = None,
        lr: float | None = None,
        grad_norm: float | None = None,
        epoch: int | None = None,
        *,
        weight_norm: float | None = None,
        loss_weights: Mapping[str, float] | None = None,
        grad_scale: float | None = None,
        skipped: bool = False,
        measures: Mapping[str, float] | None = None,
        batch: Sequence[str] | None = None,
    ) -> None:
        """Record one optimizer step, in the order of training; raise `StopTrial` when the trial is lost."""

    def evaluate(self, losses: Mapping[str, float], epoch: int) -> None:
        """Record the yardstick's components; `epoch=BEFORE_TRAINING` for the one before the first step."""

    def define(self, **definitions: str) -> None:
        """Say how each component, and `total`, is computed; printed losses compare only where these agree."""
