"""When a stage with looks is looked at, and how much of the test's error may be spent by then.

Plain numbers in, plain numbers out: the study file is checked with them before anything is known of a trial.
"""

from __future__ import annotations

import math
from enum import StrEnum
from statistics import NormalDist

ALPHA = 0.05
"""The two-sided level at which two arms are compared, over all looks together."""


class Spending(StrEnum):
    """The alpha-spending functions (Lan & DeMets, Biometrika 70:659, 1983)."""

    OBRIEN_FLEMING = "obrien_fleming"
    POCOCK = "pocock"


def spent(spending: Spending, fraction: float, alpha: float = ALPHA) -> float:
    """The probability of a false alarm that may be used up once `fraction` in (0, 1] of the pairs are in.

    2 - 2 Phi(z / sqrt(t)) with z the upper alpha/2 point, which follows the bounds of O'Brien & Fleming
    (Biometrics 35:549, 1979), or alpha ln(1 + (e - 1) t), which follows Pocock's (Biometrika 64:191, 1977);
    both from Lan & DeMets 1983. `alpha` is two-sided, and both give `alpha` at the end.
    """
    if spending is Spending.POCOCK:
        return alpha * math.log1p((math.e - 1) * fraction)
    z = NormalDist().inv_cdf(1 - alpha / 2)
    return math.erfc(z / math.sqrt(2 * fraction))


def schedule(seeds: int, looks: int) -> list[int]:
    """How many seeds are in at each look; the parts between differ by one seed at most."""
    return [math.ceil(seeds * look / looks) for look in range(1, looks + 1)]


def earliest_end(spending: Spending, seeds: int, looks: int) -> int | None:
    """The seeds after which a stage could end at the earliest, however its trials come out.

    A sign test over n pairs cannot go below p = 2 * 0.5^n. None: not even at the last look.
    """
    ends = schedule(seeds, looks)
    return next((n for n in ends if 2 * 0.5**n <= spent(spending, n / seeds)), None)


def fewest_seeds(spending: Spending, seeds: int, looks: int) -> int:
    """The least number of seeds, from `seeds` up, with which a look before the last could end the stage."""
    while earliest_end(spending, seeds, looks) in (None, seeds):
        seeds += 1
    return seeds
