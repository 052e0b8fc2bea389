"""Rules on numbers that are not finite, and on losses that hide that they were not."""

from __future__ import annotations

import math
from collections.abc import Iterator

from stability.judging.policy import Policy
from stability.judging.rules.memory import last_step
from stability.records import Evaluation, Event, EventKind, Measure, Severity, Step


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
                yield Event(last_step(evaluation), _kind(value), f"yardstick/{name}", value)


class NonfiniteGradient:
    """The gradient norm before clipping is not finite.

    Steps that an AMP scaler skipped are the scaler at work, unless `policy.skipped_steps` come in a row
    (`policy.calibration_steps` before the first step that it applied), or more than `policy.skip_rate` of the
    steps since that first one were skipped, once there are `policy.skip_rate_steps` of them. Not before more
    than `policy.calibration_steps` were: where gradients grow, a scaler has to look for another scale. A step
    skipped with a finite gradient is somebody's choice and does not count.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._skipped = 0
        self._applied = False
        self._since = self._skipped_since = 0
        self._fired: set[str] = set()

    def step(self, step: Step) -> Iterator[Event]:
        finite = step.grad_norm is not None and math.isfinite(step.grad_norm)
        self._skipped = self._skipped + 1 if step.skipped else 0
        self._applied = self._applied or not step.skipped
        if self._applied:
            self._since += 1
            self._skipped_since += step.skipped and not finite
        if step.grad_norm is not None and not finite:
            allowed = self._policy.skipped_steps if self._applied else self._policy.calibration_steps
            if not step.skipped or self._skipped >= allowed:
                yield from self._once(Event(step.step, EventKind.NAN_GRAD, "grad_norm", step.grad_norm))
        searched = self._skipped_since > self._policy.calibration_steps
        if searched and self._since >= self._policy.skip_rate_steps:
            rate, limit = self._skipped_since / self._since, self._policy.skip_rate
            if rate > limit:
                yield from self._once(Event(step.step, EventKind.NAN_GRAD, "skipped steps", rate, limit))

    def _once(self, event: Event) -> Iterator[Event]:
        if event.where not in self._fired:
            self._fired.add(event.where)
            yield event


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
    At learning rate 0 nothing can move. Losses read from a log with few digits (`Measure.PRINTED_DIGITS`) may
    stay equal by rounding: for them only all components at 0 say something, a warning.
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
        if step.measures is not None and Measure.PRINTED_DIGITS in step.measures:
            if frozen and not finite_gradient and not any(step.losses.values()):
                yield from self._event(step, frozen[0], Severity.WARNING)
            return
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


def _kind(value: float) -> EventKind:
    return EventKind.NAN_LOSS if math.isnan(value) else EventKind.INF_LOSS
