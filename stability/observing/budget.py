"""How often a program may be copied, so that it costs a small share of its time."""

from __future__ import annotations

import time
from collections import deque
from statistics import median

SHARE = 0.05
"""Of the time since the first iteration."""
FIRST_S = 0.02
"""What a copy costs before one has been made."""


class Budget:
    """Counts what copies have cost: the time to make one, and the slower iteration after it."""

    def __init__(self, every: int | None) -> None:
        """`every`: copy after so many iterations, whatever that costs."""
        self._every, self._since = every, 0
        self._began_s: float | None = None
        self._spent_s = 0.0
        self._cost_s = FIRST_S
        self._last_s = 0.0
        self._usual: deque[float] = deque(maxlen=15)
        self._copied = False

    def iteration_ended(self) -> None:
        """Once an iteration."""
        now_s = time.perf_counter()
        if self._began_s is None:
            self._began_s = now_s
        elif self._copied and self._usual:
            slower_s = max(0.0, now_s - self._last_s - median(self._usual))
            self._spent_s += slower_s
            self._cost_s = max(self._cost_s + slower_s, 1e-4)
        elif not self._copied:
            self._usual.append(now_s - self._last_s)
        self._copied = False
        self._since += 1
        self._last_s = now_s

    def allows(self) -> bool:
        """Whether a copy may be made now."""
        if self._every is not None:
            return self._since >= self._every
        return self._spent_s + self._cost_s <= SHARE * (time.perf_counter() - (self._began_s or 0.0))

    def copied(self, took_s: float) -> None:
        """A copy was made."""
        self._spent_s += took_s
        self._cost_s, self._copied, self._since = took_s, True, 0
        self._last_s = time.perf_counter()

    def usual_s(self) -> float:
        """What an iteration takes."""
        return median(self._usual) if self._usual else 0.0
