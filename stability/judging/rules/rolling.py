"""What rules remember of a run: recent numbers, how often in a row something held, which loss to look at.

No rule and no limit here.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence

from stability.records import Evaluation, Step

MAD_TO_SIGMA = 1.4826
"""The median absolute deviation of normal noise times this is its standard deviation."""


class RollingWindow:
    """The last `size` numbers, kept sorted too, so that their median is a look-up. Finite numbers only."""

    __slots__ = ("_order", "_size", "_sorted")

    def __init__(self, size: int) -> None:
        self._size = size
        self._order: deque[float] = deque()
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._order)

    def add(self, value: float) -> None:
        """Take in `value`; beyond `size` numbers the oldest leaves."""
        if len(self._order) == self._size:
            del self._sorted[bisect_left(self._sorted, self._order.popleft())]
        self._order.append(value)
        insort(self._sorted, value)

    def median(self) -> float:
        """Of the numbers now held; there must be one."""
        return _middle(self._sorted)

    def spread(self, floor: float) -> float:
        """Robust standard deviation: the MAD in units of sigma, at least `floor`."""
        median = self.median()
        return max(MAD_TO_SIGMA * _middle(sorted([abs(value - median) for value in self._sorted])), floor)

    def above(self, value: float, limit: float, floor: float) -> float | None:
        """By how many spreads `value` exceeds the median, if by more than `limit`; else None."""
        excess = value - self.median()
        if excess <= limit * floor:  # whatever the spread is: mostly saves computing it
            return None
        z = excess / self.spread(floor)
        return z if z > limit else None


class Streak:
    """Whether a condition has held `needed` times in a row."""

    __slots__ = ("_needed", "_run")

    def __init__(self, needed: int) -> None:
        self._needed = needed
        self._run = 0

    def goes_on(self, holds: bool) -> bool:
        """Note one more observation; True from the `needed`-th in a row on."""
        self._run = self._run + 1 if holds else 0
        return self._run >= self._needed


class LogLoss:
    """The logarithm of the loss, of one `quantity` at a time.

    That is the differentiated total until one is missing or not above 0 (a learned weighting may go below),
    and from then on the sum of the unweighted components: never one quantity compared with another.
    """

    __slots__ = ("quantity",)

    def __init__(self) -> None:
        self.quantity = "total"

    def of(self, step: Step) -> float | None:
        """None where the loss has no finite logarithm; a change of `quantity` shows from this step on."""
        if self.quantity == "total":
            if step.total is not None and not step.total <= 0.0:
                return _log(step.total)
            self.quantity = "sum of losses"
        return _log(sum(step.losses.values()))


def last_step(evaluation: Evaluation) -> int:
    """The step an evaluation follows, counted from 0 like all steps; 0 for the one before training."""
    return max(0, evaluation.step - 1)


def _log(value: float) -> float | None:
    return math.log(value) if 0.0 < value < math.inf else None


def _middle(ordered: Sequence[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
