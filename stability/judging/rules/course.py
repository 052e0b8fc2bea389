"""Rules on where a run's loss goes over all its steps: far above its start, or nowhere."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from stability.judging.policy import Policy
from stability.judging.rules.memory import Past, Streak, last_step
from stability.judging.verdict import yardstick
from stability.records import BEFORE_TRAINING, Evaluation, Event, EventKind, Severity, Step


class BlowUp:
    """The yardstick is far above its value before training; each severity fires once.

    Above the severe limit one evaluation is enough. The warning takes `policy.blow_up_evaluations` in a row,
    or the last one of a training that came to its end: a first epoch may go up and come back.

    A trial that was not evaluated before training is judged by the sum of its unweighted training losses
    instead: the mean of the last `policy.blow_up_after_steps` steps against the first step. The batch of that
    one step may be an easy one, so the logarithm of the rise must also exceed `policy.blow_up_noise` standard
    deviations of the losses' scatter, taken from the changes between neighbouring steps.
    """

    def __init__(self, weights: Mapping[str, float], policy: Policy) -> None:
        self._weights = weights
        self._policy = policy
        self._initial: float | None = None
        self._first_sum: float | None = None
        self._sums: deque[float] = deque(maxlen=policy.blow_up_after_steps)
        self._changes = Past(policy.window)
        self._before = math.nan
        self._above = Streak(policy.blow_up_evaluations)
        self._last: tuple[float, int] | None = None  # the last evaluation's value, and the step it follows
        self._fired: set[Severity] = set()

    def evaluation(self, evaluation: Evaluation) -> Iterator[Event]:
        if not self._weights:
            return
        value = yardstick(evaluation.losses, self._weights)
        if evaluation.epoch == BEFORE_TRAINING:
            self._initial = value
        elif not all(map(math.isfinite, evaluation.losses.values())):
            return  # what is not finite has an event of its own
        elif self._initial is not None and evaluation.step >= self._policy.blow_up_after_steps:
            self._last = value, last_step(evaluation)
            lasts = self._above.goes_on(_ratio(value, self._initial) > self._policy.blow_up)
            yield from self._compared("yardstick", value, self._initial, last_step(evaluation), lasts=lasts)

    def step(self, step: Step) -> Iterator[Event]:
        if self._initial is not None:
            return
        total = sum(step.losses.values())
        if 0.0 < total < math.inf and 0.0 < self._before < math.inf:
            self._changes.add(math.log(total) - math.log(self._before))
        self._before = total
        if self._first_sum is None:
            self._first_sum = total
        else:
            self._sums.append(total)
        if len(self._sums) == self._sums.maxlen:
            mean = sum(self._sums) / len(self._sums)
            if not math.isfinite(mean) or self._is_scatter():
                return
            yield from self._compared("sum of losses", mean, self._first_sum, step.step)

    def _is_scatter(self) -> bool:
        """Whether losses that scatter as these do would lie so far above one first step by chance."""
        if not len(self._changes) or not all(
            0.0 < value < math.inf for value in (self._first_sum, *self._sums)
        ):
            return False
        rise = sum(map(math.log, self._sums)) / len(self._sums) - math.log(self._first_sum)
        scatter = self._changes.spread(0.0) / math.sqrt(2.0)  # a change has that of two steps
        scatter *= 1.0 + 2.0 * len(self._sums) / len(self._changes)  # few changes may all be small by chance
        return rise < self._policy.blow_up_noise * scatter

    def finish(self) -> Iterator[Event]:
        if self._last is not None:
            value, step = self._last
            yield from self._compared("yardstick", value, self._initial, step)

    def _compared(
        self, where: str, value: float, initial: float, step: int, *, lasts: bool = True
    ) -> Iterator[Event]:
        ratio = _ratio(value, initial)
        levels = ((self._policy.blow_up_severe, Severity.LOST), (self._policy.blow_up, Severity.WARNING))
        for threshold, severity in levels:
            if ratio > threshold and (lasts or severity is Severity.LOST):
                if severity not in self._fired:
                    self._fired.add(severity)
                    yield Event(step, EventKind.BLOW_UP, where, ratio, threshold, severity)
                return


class Stuck:
    """A run that came to its end and has nothing to show for it: the loss is not `policy.stuck_drop` lower.

    The budget is the run's recorded steps, at least `policy.stuck_steps`. A run at learning rate 0 is the
    control, and what it would show is known without running it:

    - *Yardstick* (evaluated before training, and after the first third of the budget): always the same batch,
      so the control's drop is exactly 0. The lowest value after the first third is compared with the one
      before training. A run that converged early is still low there; one that learned late, after a warm-up,
      is low at the end; a model that died is back where it started, or never left.
    - *Training losses*, the sum of the unweighted components, where there is no such yardstick: every step
      has another batch, and the control's losses scatter about one level. A drop counts if it also exceeds
      `policy.stuck_noise` standard errors of that scatter, which is taken from neighbouring steps, where the
      course itself hardly matters. Either of two drops will do: from the first steps (a tenth, 3 at least) to
      all after the first third, which sees early learning, or from the first third to the last, which sees
      late learning. Where the scatter would hide a drop of `policy.stuck_blind` from either, nothing is said.

    Silent where the starting level is not above 0 (no relative drop), or where any loss was not finite.
    """

    def __init__(self, weights: Mapping[str, float], policy: Policy) -> None:
        self._weights = weights
        self._policy = policy
        self._sums = array("d")  # 8 bytes a step: the budget is known only at its end
        self._evaluations: list[tuple[Evaluation, float]] = []
        self._last = 0

    def step(self, step: Step) -> Iterator[Event]:
        self._sums.append(sum(step.losses.values()))
        self._last = step.step
        return iter(())

    def evaluation(self, evaluation: Evaluation) -> Iterator[Event]:
        if self._weights:
            self._evaluations.append((evaluation, yardstick(evaluation.losses, self._weights)))
        return iter(())

    def finish(self) -> Iterator[Event]:
        if len(self._sums) < max(3, self._policy.stuck_steps) or not all(map(math.isfinite, self._sums)):
            return
        if (found := self._yardstick_drop()) is not None:
            where, (drop, needed) = "yardstick", found
        elif (found := self._loss_drop()) is not None:
            where, (drop, needed) = "sum of losses", found
        else:
            return
        if drop < needed:
            yield Event(self._last, EventKind.STUCK, where, drop, needed, Severity.WARNING)

    def _yardstick_drop(self) -> tuple[float, float] | None:
        """The largest relative drop after the first third of the budget, and what is needed."""
        before = [value for evaluation, value in self._evaluations if evaluation.epoch == BEFORE_TRAINING]
        third = max(1.0, len(self._sums) / 3)
        after = [value for evaluation, value in self._evaluations if evaluation.step >= third]
        if not before or not after or not before[0] > 0.0 or not all(map(math.isfinite, [before[0], *after])):
            return None
        return 1.0 - min(after) / before[0], self._policy.stuck_drop

    def _loss_drop(self) -> tuple[float, float] | None:
        """The drop that is largest by what it needs, relative to its start, and what it needs."""
        third, beginning = len(self._sums) // 3, max(3, len(self._sums) // 10)
        scatter = _scatter(self._sums)
        found: list[tuple[float, float]] = []
        for early, late in ((slice(beginning), slice(third, None)), (slice(third), slice(-third, None))):
            before, after = self._sums[early], self._sums[late]
            start = _mean(before)
            if not start > 0.0:
                return None
            error = scatter * math.sqrt(1.0 / len(before) + 1.0 / len(after)) / start
            needed = max(self._policy.stuck_drop, self._policy.stuck_noise * error)
            found.append((1.0 - _mean(after) / start, needed))
        if max(needed for _, needed in found) > self._policy.stuck_blind:
            return None
        return max(found, key=lambda drop_and_need: drop_and_need[0] / drop_and_need[1])


def _ratio(value: float, initial: float) -> float:
    return value / initial if initial > 0 else math.nan


def _scatter(values: Sequence[float]) -> float:
    """Standard deviation about a slow course, from differences of neighbours (von Neumann, 1941)."""
    changes = [after - before for before, after in zip(values, values[1:], strict=False)]
    return math.sqrt(sum(change * change for change in changes) / (2.0 * max(1, len(changes))))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
