"""Detectors: recorded numbers in, events out. Pure Python, no torch, no I/O.

Each rule is one class with a `step` or an `evaluation` method that yields events; `Monitor` runs them all,
in a training process as the numbers come or over stored records.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from stability.records import BEFORE_TRAINING, Evaluation, Event, EventKind, Policy, Records, Severity, Step
from stability.verdict import yardstick


class Monitor:
    """Feeds a trial's numbers through every rule, in the order they were recorded."""

    def __init__(self, weights: Mapping[str, float], policy: Policy) -> None:
        """`weights` are the yardstick's coefficients."""
        self._steps = (NonfiniteLoss(), NonfiniteGradient(policy), NonfiniteWeight(), MaskedNonfinite(policy))
        self._evaluations = (NonfiniteYardstick(), BlowUp(weights, policy))

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
                yield Event(evaluation.step, _kind(value), f"yardstick/{name}", value)


class NonfiniteGradient:
    """The gradient norm before clipping is not finite.

    Steps that an AMP scaler skipped are the scaler at work, unless `policy.skipped_steps` come in a row.
    """

    def __init__(self, policy: Policy) -> None:
        self._allowed = policy.skipped_steps
        self._skipped = 0
        self._fired = False

    def step(self, step: Step) -> Iterator[Event]:
        self._skipped = self._skipped + 1 if step.skipped else 0
        if step.grad_norm is None or math.isfinite(step.grad_norm) or self._fired:
            return
        if not step.skipped or self._skipped >= self._allowed:
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
    """A loss that moved before stays bit-equal for `policy.masked_steps` steps, or all are 0 from the start.

    This is what `where(isfinite(loss), loss, 0)` looks like from outside: the printed loss falls to 0 while
    every step is NaN. A component that never moved at all (a term switched off) is not one, nor is a
    stretch at learning rate 0, where nothing can move.
    """

    def __init__(self, policy: Policy) -> None:
        self._needed = policy.masked_steps
        self._last: dict[str, float] = {}
        self._run: dict[str, int] = {}
        self._moved: set[str] = set()
        self._fired = False

    def step(self, step: Step) -> Iterator[Event]:
        for name, value in step.losses.items():
            self._note(name, value)
        if self._fired or step.lr == 0.0:
            return
        frozen = [name for name in step.losses if self._run[name] >= self._needed]
        for name in frozen:
            all_zero = len(frozen) == len(step.losses) and not any(step.losses.values())
            if name in self._moved or all_zero:
                self._fired = True
                yield Event(
                    step.step, EventKind.MASKED_NONFINITE, name, step.losses[name], float(self._needed)
                )
                return

    def _note(self, name: str, value: float) -> None:
        equal = name in self._last and value == self._last[name]  # NaN never equals itself: not masked
        if name in self._last and not equal:
            self._moved.add(name)
        self._run[name] = self._run[name] + 1 if equal else 1
        self._last[name] = value


class BlowUp:
    """The yardstick is far above its value before training; each severity fires once."""

    def __init__(self, weights: Mapping[str, float], policy: Policy) -> None:
        self._weights = weights
        self._policy = policy
        self._initial: float | None = None
        self._fired: set[Severity] = set()

    def evaluation(self, evaluation: Evaluation) -> Iterator[Event]:
        value = yardstick(evaluation.losses, self._weights)
        if evaluation.epoch == BEFORE_TRAINING:
            self._initial = value
            return
        if self._initial is None or evaluation.step < self._policy.blow_up_after_steps:
            return
        ratio = value / self._initial if self._initial > 0 else math.nan
        levels = ((self._policy.blow_up_severe, Severity.LOST), (self._policy.blow_up, Severity.WARNING))
        for threshold, severity in levels:
            if ratio > threshold and severity not in self._fired:
                self._fired.add(severity)
                yield Event(evaluation.step, EventKind.BLOW_UP, "yardstick", ratio, threshold, severity)
                return


def _kind(value: float) -> EventKind:
    return EventKind.NAN_LOSS if math.isnan(value) else EventKind.INF_LOSS
