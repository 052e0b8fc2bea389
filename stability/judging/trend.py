"""The shape of one series of numbers: where it began, how low it got, where it ended, how much it scatters.

Every quantity here moves with the series: add a constant and the levels gain it; multiply by a positive
factor and levels and noise grow by it. So a verdict made of their differences holds in any unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from stability.judging.rules.rolling import MAD_TO_SIGMA

WINDOWS = 10
"""A window is a tenth of the series."""
STEPS_A_WINDOW = 4
"""Windows overlap: each begins a quarter of its length after the one before."""
MANY = 30
"""From so many numbers on a window has three or more. Of fewer the scatter is at least that of all."""
MEDIAN_ERROR = math.sqrt(math.pi / 2.0)
"""Standard error of a median of normal noise times the root of n, in standard deviations."""


@dataclass(frozen=True, slots=True)
class Trend:
    """`n` finite numbers, seen through running medians over `window` of them.

    `start` is the level before training, known up to `start_error`. `best` is the
    lowest level, and `highest` is the highest one after it. `end` is the
    level of the last window and `tail` that of the last three numbers. `peak` is the largest median of three
    neighbours, `top` the largest number. `noise` is the scatter of single numbers about their level, of a
    quiet stretch; `start_noise` that of the first window, or the first half of few numbers, `best_noise` at
    `best`, `end_noise` of the last window. `blocks` are ten levels in order. `exact`: the first number has no
    noise.
    """

    n: int
    window: int
    start: float
    start_error: float
    best: float
    highest: float
    end: float
    tail: float
    peak: float
    peak_at: int
    top: float
    noise: float
    start_noise: float
    best_noise: float
    end_noise: float
    blocks: tuple[float, ...]
    exact: bool

    def error(self, noise: float) -> float:
        """Standard error of a level, of numbers that scatter by `noise`."""
        return MEDIAN_ERROR * noise / math.sqrt(self.window)


def trend(values: Sequence[float], *, exact_start: bool = False) -> Trend:
    """The shape of `values`, at least one and all finite; `exact_start`: the first one has no noise."""
    n = len(values)
    window = max(1, -(-n // WINDOWS))
    begins = [*range(0, n - window, max(1, window // STEPS_A_WINDOW)), n - window]
    levels = [median(values[i : i + window]) for i in begins]
    least = scatter(values) if n < MANY and not exact_start else 0.0
    scatters = [max(least, scatter(values[i : i + max(window, 4)])) for i in begins]
    best = min(levels)
    best_index = levels.index(best)
    smooth = [median(values[max(0, i - 1) : i + 2]) for i in range(n)]
    smooth = list(values) if exact_start else smooth
    peak = max(smooth)
    start, start_error = values[0], 0.0
    if not exact_start:
        quiet = sorted(scatters)[len(scatters) // 4]
        start, start_error = _start(values, levels[0], min(scatters[0], quiet), window)
    return Trend(
        n=n,
        window=window,
        start=start,
        start_error=start_error,
        best=best,
        highest=max(levels[best_index:]),
        end=levels[-1],
        tail=median(values[-3:]),
        peak=peak,
        peak_at=smooth.index(peak),
        top=max(values),
        noise=sorted(scatters)[len(scatters) // 4],
        start_noise=scatter(values[: window + 1 if n >= MANY else max(2, n // 2)]),
        best_noise=scatters[best_index],
        end_noise=max(least, scatter(values[-max(window, 4) :])),
        blocks=blocks(values),
        exact=exact_start,
    )


def blocks(values: Sequence[float]) -> tuple[float, ...]:
    """The levels of ten stretches that follow each other; few numbers stay as they are."""
    if len(values) < 2 * WINDOWS:
        return tuple(values)
    ends = [len(values) * i // WINDOWS for i in range(WINDOWS + 1)]
    return tuple(median(values[a:b]) for a, b in pairwise(ends))


def _start(values: Sequence[float], level: float, noise: float, window: int) -> tuple[float, float]:
    """The level before training, with its standard error.

    The first window says it best, unless the loss had left the level of its first number by then: it fell
    fast, or exploded at once. Nor where the first of many numbers is the lowest, which no noise explains.
    """
    first = values[0]
    if len(values) >= MANY and first < min(values[1:]):
        return first, 0.0
    stays = max(values[:window]) <= first + 10.0 * noise
    if stays and abs(level - first) <= 3.0 * noise:
        return level, MEDIAN_ERROR * noise / math.sqrt(window)
    return first, noise


def quiet(values: Sequence[float]) -> float:
    """The scatter of the calm part of few numbers: a quarter of their changes are smaller."""
    changes = sorted(abs(after - before) for before, after in pairwise(values))
    return MAD_TO_SIGMA * changes[len(changes) // 4] / math.sqrt(2.0) if changes else 0.0


def scatter(values: Sequence[float]) -> float:
    """Robust standard deviation about a slow course, from changes between neighbours; 0 for one number."""
    changes = [abs(after - before) for before, after in pairwise(values)]
    return MAD_TO_SIGMA * median(changes) / math.sqrt(2.0) if changes else 0.0


def falls(values: Sequence[float]) -> float:
    """How likely numbers in random order fall so steadily: the one-sided p of Mann and Kendall's test.

    Exact for up to 10 numbers without ties, else by the normal approximation (Mann 1945; Kendall 1955).
    """
    n = len(values)
    score = sum((a > b) - (a < b) for i, a in enumerate(values) for b in values[i + 1 :])
    if n < 2:
        return 1.0
    if n <= 10:
        return _at_least(n, score)
    deviation = math.sqrt(n * (n - 1) * (2 * n + 5) / 18.0)
    return 0.5 * math.erfc((score - 1) / deviation / math.sqrt(2.0))


def median(values: Sequence[float]) -> float:
    """The middle of at least one number, the mean of two middle ones."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else 0.5 * ordered[half - 1] + 0.5 * ordered[half]


def _at_least(n: int, score: int) -> float:
    """The share of all orders of n numbers with Kendall's score or more: counted by their inversions."""
    counts = [1]
    for size in range(2, n + 1):
        counts = [sum(counts[max(0, k - size + 1) : k + 1]) for k in range(len(counts) + size - 1)]
    pairs = n * (n - 1) // 2
    allowed = (pairs - score) // 2  # inversions of the falling order
    return sum(counts[: allowed + 1]) / math.factorial(n)
