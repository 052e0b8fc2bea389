"""The nouns of `stability`: frozen records, closed sets and protocols.

Standard library only, no I/O. Every other module speaks in these types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

BEFORE_TRAINING = -1
"""The `epoch` of the evaluation made before the first training step."""


YARDSTICK = "yardstick"
NOT_EVALUATED = "training loss, not evaluated"
"""The definition of `YARDSTICK` in a trial that came to its end without any evaluation.

Its training losses stand in for them.
"""


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
    GAVE_BACK = "gave_back"
    RETURNED = "returned"
    EXCURSION = "excursion"
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


class Direction(StrEnum):
    """Which way a recorded number goes in a training that goes well; `NONE`: it says nothing of that."""

    DOWN = "down"
    UP = "up"
    NONE = "none"


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
    PRINTED_DIGITS = "printed_digits"  # most significant digits of any loss, where a log has it rounded
    SKIPPED_BATCHES = "skipped_batches"  # announced since the step before: their loss was not finite


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
    of the evaluation loss, `directions` what the study file declares of recorded numbers. `cache` is a folder
    shared by all trials of the study.
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
    memory_bytes: int | None = None
    directions: Mapping[str, Direction] = field(default_factory=dict)


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
    effective: Mapping[str, str] = field(default_factory=dict)


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
        step: int | None = None,
    ) -> None:
        """Record one optimizer step, in the order of training; raise `StopTrial` when the trial is lost.

        `step` is its number where not every step is recorded; numbers go up.
        """

    def evaluate(self, losses: Mapping[str, float], epoch: int) -> None:
        """Record the yardstick's components; `epoch=BEFORE_TRAINING` for the one before the first step."""

    def define(self, **definitions: str) -> None:
        """Say how each component, and `total`, is computed; printed losses compare only where these agree."""

    def effective(self, **settings: Any) -> None:
        """Say what the training really got, whatever was asked for: the optimizer, its betas, a schedule."""
