"""Detectors: recorded numbers in, events out. Pure Python, no torch, no I/O.

Each rule is one class with a `step` or an `evaluation` method that yields events; `Monitor` runs them all,
in a training process as the numbers come or over stored records.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping

from stability.records import BEFORE_TRAINING, Evaluation, Event, EventKind, Policy, Records, Severity, Step
from stability.verdict import yardstick


class Monitor:
    """Feeds a trial's numbers through every rule, in the order they were recorded."""

    def __init__(self, weights: Mapping[str, float], policy: Policy) -> None:
        """`weights` are the yardstick's coefficients."""
        blow_up = BlowUp(weights, policy)
        self._steps = (
            NonfiniteLoss(),
            NonfiniteGradient(policy),
            NonfiniteWeight(),
            MaskedNonfinite(policy),
            blow_up,
        )
        self._evaluations = (NonfiniteYardstick(), blow_up)

    def step(self, step: Step) -> list[Event]:
        """The events of one optimizer step: losses first, then the gradient, then the weights."""
        return [event for rule in self._steps for event in rule.step(step)]

    def evaluation(self, evaluation: Evaluation) -> list[Event]:
        """The events of one yardstick evaluation."""
        return [event for rule in self._evaluations for event in rule.evaluation(evaluation)]


def scan(records: Records, weights: Mapping[str, float], policy: Policy) -> list[Event]:
    """All events of a trial's stored steps and evaluations, whoever recorded them."""
    monitor = Monitor(weights, policy)
    timeline = sorted(
        [*records.steps, *records.evaluations], key=lambda r: (_steps_done(r), _is_evaluation(r))
    )
    events = []
    for record in timeline:
        found = monitor.evaluation(record) if _is_evaluation(record) else monitor.step(record)
        events.extend(found)
    return events


def _is_evaluation(record: Step | Evaluation) -> bool:
    return isinstance(record, Evaluation)


def _steps_done(record: Step | Evaluation) -> int:
    return record.step if _is_evaluation(record) else record.step + 1


class NonfiniteLoss:
    """A raw loss component, or the total, is NaN or infinite; the first time for each of them.

    The order in which components break is evidence, so every component has its own event.
    """

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def step(self, step: Step) -> Iterator[Event]:
        losses = dict(step.losses)
        if step.total is not None:
            losses.setdefault("total", step.total)
        for name, value in losses.items():
            if not math.isfinite(value) and name not in self._seen:
                self._seen.add(name)
                yield Event(step.step, _kind(value), name, value)


class NonfiniteYardstick:
    """An evaluation component is NaN or infinite."""

    def evaluation(self, evaluation: Evaluation) -> Iterator[Event]:
        for name, value in evaluation.losses.items():
            if not math.isfinite(value):
                yield Event(_last_step(evaluation), _kind(value), f"yardstick/{name}", value)


class NonfiniteGradient:
    """The gradient norm before clipping is not finite.

    Steps that an AMP scaler skipped are the scaler at work, unless `policy.skipped_steps` come in a row
    (`policy.calibration_steps` before the first step that it applied).
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._skipped = 0
        self._applied = False
        self._fired = False

    def step(self, step: Step) -> Iterator[Event]:
        self._skipped = self._skipped + 1 if step.skipped else 0
        self._applied = self._applied or not step.skipped
        allowed = self._policy.skipped_steps if self._applied else self._policy.calibration_steps
        if step.grad_norm is None or math.isfinite(step.grad_norm) or self._fired:
            return
        if not step.skipped or self._skipped >= allowed:
            self._fired = True
            yield Event(step.step, EventKind.NAN_GRAD, "grad_norm", step.grad_norm)


class NonfiniteWeight:
    """The norm of all weights is not finite after the update."""

    def __init__(self) -> None:
        self._fired = False

    def step(self, step: Step) -> Iterator[Event]:
        if step.weight_norm is not None and not math.isfinite(step.weight_norm) and not self._fired:
            self._fired = True
            yield Event(step.step, EventKind.NONFINITE_WEIGHT, "weight_norm", step.weight_norm)


class MaskedNonfinite:
    """Losses that moved before stay bit-equal for `policy.masked_steps` steps, or are 0 from the start.

    This is what `where(isfinite(loss), loss, 0)` looks like from outside: the printed loss falls to 0 while
    every step is NaN. All components frozen together means lost. It is only a warning where one component
    alone rests at exactly 0, as a collapsed KL does too, or where the gradient norm was recorded and is
    finite and not 0. A component resting elsewhere (free bits), or with such a gradient norm, is nothing.
    At learning rate 0 nothing can move.
    """

    def __init__(self, policy: Policy) -> None:
        self._needed = policy.masked_steps
        self._last: dict[str, float] = {}
        self._run: dict[str, int] = {}
        self._moved: set[str] = set()
        self._fired: set[Severity] = set()

    def step(self, step: Step) -> Iterator[Event]:
        for name, value in step.losses.items():
            self._note(name, value)
        if step.lr == 0.0:
            return
        frozen = [name for name in step.losses if self._run[name] >= self._needed]
        finite_gradient = step.grad_norm is not None and 0.0 < step.grad_norm < math.inf
        if frozen and len(frozen) == len(step.losses):
            if self._moved & set(frozen) or not any(step.losses.values()):
                severity = Severity.WARNING if finite_gradient else Severity.LOST
                yield from self._event(step, frozen[0], severity)
        elif not finite_gradient:
            zeros = [name for name in frozen if step.losses[name] == 0.0 and name in self._moved]
            yield from (event for name in zeros[:1] for event in self._event(step, name, Severity.WARNING))

    def _event(self, step: Step, name: str, severity: Severity) -> Iterator[Event]:
        """Each severity once."""
        if severity not in self._fired:
            self._fired.add(severity)
            value, needed = step.losses[name], float(self._needed)
            yield Event(step.step, EventKind.MASKED_NONFINITE, name, value, needed, severity)

    def _note(self, name: str, value: float) -> None:
        equal = name in self._last and value == self._last[name]  # NaN never equals itself: not masked
        if name in self._last and not equal:
            self._moved.add(name)
        self._run[name] = self._run[name] + 1 if equal else 1
        self._last[name] = value


class BlowUp:
    """The yardstick is far above its value before training; each severity fires once.

    A trial that was not evaluated before training is judged by the sum of its unweighted training losses
    instead: the mean of the last `policy.blow_up_after_steps` steps against the first step.
    """

    def __init__(self, weights: Mapping[str, float], policy: Policy) -> None:
        self._weights = weights
        self._policy = policy
        self._initial: float | None = None
        self._first_sum: float | None = None
        self._sums: deque[float] = deque(maxlen=policy.blow_up_after_steps)
        self._fired: set[Severity] = set()

    def evaluation(self, evaluation: Evaluation) -> Iterator[Event]:
        value = yardstick(evaluation.losses, self._weights)
        if evaluation.epoch == BEFORE_TRAINING:
            self._initial = value
        elif self._initial is not None and evaluation.step >= self._policy.blow_up_after_steps:
            yield from self._compared("yardstick", value, self._initial, _last_step(evaluation))

    def step(self, step: Step) -> Iterator[Event]:
        if self._initial is not None:
            return
        total = sum(step.losses.values())
        if self._first_sum is None:
            self._first_sum = total
        else:
            self._sums.append(total)
        if len(self._sums) == self._sums.maxlen:
            mean = sum(self._sums) / len(self._sums)
            yield from self._compared("sum of losses", mean, self._first_sum, step.step)

    def _compared(self, where: str, value: float, initial: float, step: int) -> Iterator[Event]:
        ratio = value / initial if initial > 0 else math.nan
        levels = ((self._policy.blow_up_severe, Severity.LOST), (self._policy.blow_up, Severity.WARNING))
        for threshold, severity in levels:
            if ratio > threshold:
                if severity not in self._fired:
                    self._fired.add(severity)
                    yield Event(step, EventKind.BLOW_UP, where, ratio, threshold, severity)
                return


def _last_step(evaluation: Evaluation) -> int:
    """The step an evaluation follows, counted from 0 like all steps; 0 for the one before training."""
    return max(0, evaluation.step - 1)


def _kind(value: float) -> EventKind:
    return EventKind.NAN_LOSS if math.isnan(value) else EventKind.INF_LOSS
