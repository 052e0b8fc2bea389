"""Did the training learn, and keep what it learned? Asked once, of all its numbers, when it has ended."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator

from stability.judging.conclusion import Conclusion, Series, conclude
from stability.judging.rules.rule import Context, Rule
from stability.judging.signals import direction, training_loss
from stability.judging.yardstick import YARDSTICK_NAME, yardstick
from stability.records import BEFORE_TRAINING, Direction, Evaluation, Event, Step


class Progress(Rule):
    """Collects the training loss and the yardstick; `finish` says what they show, if it is bad.

    The training loss is the total where every step has one, else the sum of the components that should
    fall. Numbers that are not finite have rules of their own and are left out here.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._weights, self._directions = context.weights, context.directions
        self._names: dict[str, None] = {}
        self._has_totals = True
        self._totals, self._sums = array("d"), array("d")  # 8 bytes a number: the end is known only there
        self._steps = array("q")
        self._evaluated: list[tuple[int, float]] = []
        self._before = False

    def step(self, step: Step) -> Iterator[Event]:
        """Note the numbers of one step."""
        self._names |= dict.fromkeys(step.losses)
        self._has_totals = self._has_totals and step.total is not None
        self._steps.append(step.step)
        self._totals.append(math.nan if step.total is None else step.total)
        self._sums.append(training_loss(step, self._directions) if step.losses else math.nan)
        return iter(())

    def evaluation(self, evaluation: Evaluation) -> Iterator[Event]:
        """Note the yardstick."""
        if self._weights:
            value = yardstick(evaluation.losses, self._weights)
            self._before = self._before or (evaluation.epoch == BEFORE_TRAINING and math.isfinite(value))
            self._evaluated.append((evaluation.step, value))
        return iter(())

    def finish(self) -> Iterator[Event]:
        """The one event that says what is bad about the whole course, if anything is."""
        found = self.conclusion()
        if found.event is not None:
            yield found.event

    def conclusion(self) -> Conclusion:
        """What the numbers show, the good with the bad."""
        name, values = ("total", self._totals) if self._has_totals else ("sum of losses", self._sums)
        finite = [(s, v) for s, v in zip(self._steps, values, strict=True) if math.isfinite(v)]
        training = Series(name, [s for s, _ in finite], [v for _, v in finite])
        finite = [(max(0, s - 1), v) for s, v in self._evaluated if math.isfinite(v)]
        evaluated = Series(YARDSTICK_NAME, [s for s, _ in finite], [v for _, v in finite])
        roles = [direction(name, self._directions) for name in self._names]
        directed = Direction.DOWN in roles or not roles
        return conclude(training, evaluated, self._policy, directed=directed, before=self._before)
