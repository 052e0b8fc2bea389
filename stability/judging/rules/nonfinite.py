"""Rules on numbers that are not finite: losses, evaluations, gradients, weights.

One such number is an event at once. It ends a training where it cannot be undone: in the weights, or several
times in a row, since programs skip a bad batch or a step that overflowed and go on. Whether a training that
was not ended came back is asked at its end (`remains_nonfinite`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from stability.judging.rules.rolling import Streak, last_step
from stability.judging.rules.rule import Context, Needs, Rule
from stability.judging.signals import is_loss
from stability.records import Direction, Evaluation, Event, EventKind, Measure, Records, Severity, Step

SKIPPED = "skipped batches"
"""Where the loss of a batch was that a program skipped, and did not print."""
KINDS = frozenset({EventKind.NAN_LOSS, EventKind.INF_LOSS, EventKind.NAN_GRAD, EventKind.NONFINITE_WEIGHT})


class NonfiniteLoss(Rule):
    """A raw loss component, or the total, is NaN or infinite; the first time for each of them.

    So is the loss of a batch that a program only says it skipped (`Measure.SKIPPED_BATCHES`).

    The order in which components break is evidence, so every component has its own event.
    `policy.nonfinite_steps` steps in a row end the training, unless a gradient scaler skipped them.
    """

    kind = EventKind.NAN_LOSS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._directions = context.directions
        self._seen: set[str] = set()
        self._streak = Streak(context.policy.nonfinite_steps)
        self._first: Event | None = None
        self._fired = False

    def step(self, step: Step) -> Iterator[Event]:
        """The events of one step."""
        broken = [] if step.skipped else list(_broken(step, self._directions))
        skipped = step.measures and step.measures.get(Measure.SKIPPED_BATCHES)
        if skipped and SKIPPED not in self._seen:
            self._seen.add(SKIPPED)
            yield Event(step.step, EventKind.NAN_LOSS, SKIPPED, skipped, None, Severity.WARNING)
        for name, value in broken:
            if name not in self._seen:
                self._seen.add(name)
                yield Event(step.step, _kind(value), name, value, None, Severity.WARNING)
        if not broken:
            self._first = None
        elif self._first is None:
            name, value = broken[0]
            self._first = Event(step.step, _kind(value), name, value)
        if self._streak.goes_on(bool(broken)) and not self._fired:
            self._fired = True
            yield self._first


class NonfiniteYardstick(Rule):
    """An evaluation component is NaN or infinite; twice in a row ends the training."""

    kind = EventKind.NAN_LOSS
    needs = Needs.EVALUATIONS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._weights = context.weights
        self._streak = Streak(2)

    def evaluation(self, evaluation: Evaluation) -> Iterator[Event]:
        """The events of one evaluation."""
        broken = list(_broken_evaluation(evaluation, self._weights))
        severity = Severity.LOST if self._streak.goes_on(bool(broken)) else Severity.WARNING
        for name, value in broken:
            yield Event(last_step(evaluation), _kind(value), f"yardstick/{name}", value, None, severity)


class NonfiniteGradient(Rule):
    """The gradient norm before clipping is not finite, or a scaler skipped the step for it.

    A skipped step is the scaler at work, and not every integration says that a step was skipped: the first is
    an event, `policy.skipped_steps` in a row end the training. From torch's initial scale of 2^16, 16 skips
    reach 1; from 2^24, 40 reach 2^-16, with which no finite number overflows.
    """

    kind = EventKind.NAN_GRAD
    needs = Needs.GRAD_NORM

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._streak = Streak(context.policy.skipped_steps)
        self._seen = self._fired = False

    def step(self, step: Step) -> Iterator[Event]:
        """The events of one step."""
        found = lost_update(step)
        if found and not step.skipped and not self._seen:
            self._seen = True
            yield Event(step.step, EventKind.NAN_GRAD, "grad_norm", step.grad_norm, None, Severity.WARNING)
        if self._streak.goes_on(found) and not self._fired:
            self._fired = True
            yield _no_update(step)


class NonfiniteWeight(Rule):
    """The norm of all weights is not finite after the update: nothing brings them back."""

    kind = EventKind.NONFINITE_WEIGHT
    needs = Needs.WEIGHT_NORM

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._fired = False

    def step(self, step: Step) -> Iterator[Event]:
        """The one event."""
        if step.weight_norm is not None and not math.isfinite(step.weight_norm) and not self._fired:
            self._fired = True
            yield Event(step.step, EventKind.NONFINITE_WEIGHT, "weight_norm", step.weight_norm)


def remains_nonfinite(records: Records, context: Context) -> Event | None:
    """The first of the non-finite numbers with which a training ended; None where it came back from all.

    It ended with them if there is one among the last twentieth of its losses, or in a fifth of those of its
    last third; if its last evaluation is not finite; or if more than half of the updates of its last third
    were lost, of 10 steps at least. Of fewer steps all must be lost, and the last loss must not be finite.
    Losses of steps that a scaler skipped do not count.
    """
    steps = [step for step in records.steps if not step.skipped]
    directions = context.directions
    broken = [i for i, step in enumerate(steps) if any(_broken(step, directions))]
    late = [i for i in broken if i >= len(steps) - max(1, len(steps) // 20)]
    share = [i for i in broken if i >= 2 * len(steps) // 3]
    if late or len(share) > len(steps) / 15:
        step = steps[_begin(broken)]
        name, value = next(_broken(step, directions))
        return Event(step.step, _kind(value), name, value)
    if records.evaluations:
        last = records.evaluations[-1]
        for name, value in _broken_evaluation(last, context.weights):
            return Event(last_step(last), _kind(value), f"yardstick/{name}", value)
    third = records.steps[2 * len(records.steps) // 3 :]
    lost = [step for step in third if lost_update(step)]
    if len(third) >= 10 and len(lost) > len(third) / 2:
        return _no_update(lost[0])
    if lost and lost == list(third) and any(_broken(third[-1], directions)):
        name, value = next(_broken(third[-1], directions))
        return Event(third[-1].step, _kind(value), name, value)
    return None


def lost_update(step: Step) -> bool:
    """Whether the step changed no weight, or ruined them: its gradient was not finite, or it was skipped.

    A step skipped with a finite gradient is somebody's choice.
    """
    if step.grad_norm is None:
        return step.skipped
    return not math.isfinite(step.grad_norm)


def _no_update(step: Step) -> Event:
    value = math.inf if step.grad_norm is None else step.grad_norm
    return Event(step.step, EventKind.NAN_GRAD, "skipped steps" if step.skipped else "grad_norm", value)


def _begin(broken: Sequence[int]) -> int:
    """The first of the broken steps from which on no more than ten finite ones follow each other."""
    begin = broken[-1]
    for i in reversed(broken):
        if begin - i > 10:
            break
        begin = i
    return begin


def _broken(step: Step, directions: Mapping[str, Direction]) -> Iterator[tuple[str, float]]:
    """Losses that are not finite. A metric or a learning rate may be missing where it was not measured."""
    for name, value in step.losses.items():
        if not math.isfinite(value) and is_loss(name, directions):
            yield name, value
    if step.total is not None and not math.isfinite(step.total) and "total" not in step.losses:
        yield "total", step.total


def _broken_evaluation(evaluation: Evaluation, weights: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """What the yardstick weighs, where there is one; what nobody weighs may be a metric."""
    for name, value in evaluation.losses.items():
        if not math.isfinite(value) and (name in weights or not weights):
            yield name, value


def _kind(value: float) -> EventKind:
    return EventKind.NAN_LOSS if math.isnan(value) else EventKind.INF_LOSS
