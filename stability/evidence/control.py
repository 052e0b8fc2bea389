"""Does the comparison find a difference where there is none? One arm against itself, on different seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from stability.evidence.paired import finished
from stability.evidence.proportions import Interval
from stability.evidence.selection import independent_of

FEWEST = 4
"""Seeds a half from which on the interval is not so wide that it says nothing."""


@dataclass(frozen=True, slots=True)
class Control:
    """The arm's yardstick on one half of its seeds over that on the other: 1 up to noise.

    None where a half has fewer than `FEWEST` finite positive yardsticks, or all are equal; `left_out` trials
    had none.
    """

    arm: str
    ratio: float | None
    ci: Interval | None
    n: int
    left_out: int

    @property
    def differs(self) -> bool | None:
        """Whether the interval leaves 1 out, as it does by chance in 5% of studies."""
        return None if self.ci is None else not self.ci[0] <= 1.0 <= self.ci[1]


def control(compared: pd.DataFrame, arm: str) -> Control:
    """Every other seed of an arm against the rest, Welch's t interval of log yardsticks (Welch 1947)."""
    own = finished(compared, arm).sort_values("seed")
    values = pd.to_numeric(own["yardstick_final"]).to_numpy(dtype=float)
    usable = values[np.isfinite(values) & (values > 0)]
    halves = [np.log(usable[start::2]) for start in (0, 1)]
    left_out = len(independent_of(compared[compared["arm"] == arm])) - len(usable)
    if min(map(len, halves)) < FEWEST or all(np.ptp(half) == 0 for half in halves):
        return Control(arm, None, None, len(usable), left_out)
    difference, margin = _welch(*halves)
    ends = (math.exp(difference - margin), math.exp(difference + margin))
    return Control(arm, math.exp(difference), ends, len(usable), left_out)


def _welch(one: np.ndarray, two: np.ndarray) -> tuple[float, float]:
    """The difference of two means and the half width of its 95% interval."""
    parts = [half.var(ddof=1) / len(half) for half in (one, two)]
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(half) - 1) for part, half in zip(parts, (one, two), strict=True)
    )
    return float(one.mean() - two.mean()), float(stats.t.ppf(0.975, freedom) * math.sqrt(sum(parts)))
