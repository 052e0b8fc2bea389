"""The rule on losses that hide that they were not finite."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator

from stability.judging.rules.rule import Context, Rule
from stability.judging.trend import median
from stability.records import Event, EventKind, Severity, Step


class MaskedNonfinite(Rule):
    """A loss stands still while its gradient is not finite, or fell to exactly 0 in one step and stays there.

    This is what `where(isfinite(loss), loss, 0)` looks like from outside: the printed loss is fine, and every
    step is NaN.

    - Every component stays bit-equal for `policy.masked_steps` steps whose gradient norm is not finite: lost.
    - A component is exactly 0 for `policy.masked_steps` steps without a gradient norm that speaks against it,
      and did not get there by and by: it fell from above half of its recent level and a tenth of its first
      value and had never been 0 before, or its last gradient norm above 0 was five times the usual one. A
      warning. A hinge loss, or one printed with few digits, fades, and an annealed one starts at 0.

    Equal losses alone say nothing: printed digits, averaged micro-batches and finished trainings repeat them.
    """

    kind = EventKind.MASKED_NONFINITE

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._needed = context.policy.masked_steps
        self._last: dict[str, float] = {}
        self._equal = 0
        self._recent: dict[str, deque[float]] = {}
        self._first: dict[str, float] = {}
        self._zeros: dict[str, int] = {}  # steps in a row at exactly 0
        self._fell: set[str] = set()  # whose last fall to 0 was a sudden one
        self._norms = deque[float](maxlen=20)  # of gradients that were not 0
        self._fired: set[str] = set()

    def step(self, step: Step) -> Iterator[Event]:
        """The events of one step."""
        frozen = bool(step.losses) and self._last == dict(step.losses)
        ruined = step.grad_norm is not None and not math.isfinite(step.grad_norm) and not step.skipped
        self._equal = self._equal + 1 if frozen and ruined else 0
        self._last = dict(step.losses)
        if self._equal >= self._needed - 1:
            yield from self._event(step, next(iter(step.losses)), Severity.LOST)
        moves = step.grad_norm is not None and 0.0 < step.grad_norm < math.inf
        for name, value in step.losses.items():
            self._note(name, value)
            if self._zeros[name] == self._needed and not moves and (name in self._fell or self._was_steep()):
                yield from self._event(step, name, Severity.WARNING)
        if moves:
            self._norms.append(step.grad_norm)

    def _note(self, name: str, value: float) -> None:
        recent = self._recent.setdefault(name, deque(maxlen=10))
        first = self._first.setdefault(name, value)
        if value != 0.0:
            self._fell.discard(name)
        elif recent and 0.0 not in recent and recent[-1] > max(0.5 * median(recent), 0.1 * first):
            self._fell.add(name)
        self._zeros[name] = self._zeros.get(name, 0) + 1 if value == 0.0 else 0
        recent.append(value)

    def _was_steep(self) -> bool:
        return len(self._norms) >= 5 and self._norms[-1] > 5.0 * median(self._norms)

    def _event(self, step: Step, name: str, severity: Severity) -> Iterator[Event]:
        if severity not in self._fired:
            self._fired.add(severity)
            value, needed = step.losses[name], float(self._needed)
            yield Event(step.step, EventKind.MASKED_NONFINITE, name, value, needed, severity)
