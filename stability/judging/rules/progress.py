"""Did the training learn, and keep what it learned? Asked once, of all its numbers, when it has ended."""

from __future__ import annotations

import math
from collections.abc import Iterator

from stability.judging.columns import Columns
from stability.judging.conclusion import conclude
from stability.judging.findings import Conclusion, Series
from stability.judging.rules.rule import Context, Rule
from stability.judging.yardstick import YARDSTICK_NAME, yardstick
from stability.records import BEFORE_TRAINING, Evaluation, Event, EventKind, Step


class Progress(Rule):
    """Collects the training's numbers and the yardstick; `finish` says what they show, if it is bad.

    Which number is followed is in `columns`. Numbers that are not finite have rules of their own and are left
    out here.
    """

    kind = EventKind.GAVE_BACK

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._weights = context.weights
        self._columns = Columns(context.directions)
        self._evaluated: list[tuple[int, float]] = []
        self._before = False

    def step(self, step: Step) -> Iterator[Event]:
        """Note the numbers of one step."""
        self._columns.add(step)
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
        finite = [(max(0, s - 1), v) for s, v in self._evaluated if math.isfinite(v)]
        evaluated = Series(YARDSTICK_NAME, [s for s, _ in finite], [v for _, v in finite])
        weights = {name: weight for name, weight in self._weights.items() if weight}
        training = self._columns.followed(None if self._evaluated else weights)
        return conclude(training, evaluated, self._policy, before=self._before)
