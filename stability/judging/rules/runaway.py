"""Ends a training that is beyond return: its loss is a million times its start, and not coming down."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator

from stability.judging.rules.rule import Context, Rule
from stability.judging.signals import training_loss
from stability.records import Event, EventKind, Severity, Step


class Runaway(Rule):
    """The size of the training loss exceeds `policy.runaway` times that of its first numbers.

    For `policy.runaway_steps` steps in a row, at their end no lower than at their beginning. The size of the
    first `policy.runaway_steps` numbers is the largest of them, so an explosion that began at once must go
    on. A verdict needs far less; this rule is to end nothing that could have come back.
    """

    kind = EventKind.BLOW_UP

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._directions = context.directions
        self._first: list[float] = []
        self._last = deque[float](maxlen=context.policy.runaway_steps)
        self._fired = False

    def step(self, step: Step) -> Iterator[Event]:
        """The one event, at the step that makes the row complete."""
        value = step.total if step.total is not None else training_loss(step, self._directions)
        if self._fired or not math.isfinite(value):
            return
        if len(self._first) < self._policy.runaway_steps:
            self._first.append(value)
            return
        limit = self._policy.runaway * max(map(abs, self._first))
        if not value > limit > 0.0:
            self._last.clear()
            return
        self._last.append(value)
        if len(self._last) == self._last.maxlen and value >= self._last[0]:
            self._fired = True
            name = "sum of losses" if step.total is None else "total"
            yield Event(step.step, EventKind.BLOW_UP, name, value, self._first[0], Severity.LOST)
