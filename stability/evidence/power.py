"""How many seeds would decide: power of the tests that `rates` uses. Rates in, a number of seeds out."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from stability.spending import ALPHA

POWER = 0.8
MOST_SEEDS = 2000
"""Where the search for a sample size gives up and answers None."""


def needed_seeds(baseline: float, treatment: float, *, paired: bool) -> int | None:
    """Fewest seeds an arm that tell the two rates apart at 5% with 80% power; None above `MOST_SEEDS`.

    Paired: exact McNemar with arms that diverge independently given the seed, which is the cautious
    assumption (arms that diverge on the same seeds need fewer).
    """
    if baseline == treatment:
        return None
    if paired:
        return needed_pairs(treatment * (1 - baseline), baseline * (1 - treatment))
    n = independent_seeds(baseline, treatment)
    return n if n <= MOST_SEEDS else None


def needed_pairs(treatment_only: float, baseline_only: float) -> int | None:
    """Fewest pairs with which exact McNemar has 80% power; None above `MOST_SEEDS`.

    Arguments: the probabilities (different ones) that only that arm of a pair diverges. Power is
    unconditional: summed over the number of discordant pairs (Duffy, Biometrics 40:1005-1015, 1984).
    """
    discordant = treatment_only + baseline_only
    rejects = _mcnemar_rejects(treatment_only / discordant)
    sizes = range(1, MOST_SEEDS + 1)
    return next((n for n in sizes if _power(n, discordant, rejects) >= POWER), None)


def independent_seeds(p1: float, p2: float) -> int:
    """Seeds an arm for two independent rates, continuity-corrected, hence cautious for Barnard's test.

    Formulas 4.14 and 4.17 of Fleiss, Levin, Paik, Statistical Methods for Rates and Proportions, 3rd ed.
    """
    distance, middle = abs(p1 - p2), (p1 + p2) / 2
    z_alpha, z_power = stats.norm.isf(ALPHA / 2), stats.norm.ppf(POWER)
    spread = z_alpha * math.sqrt(2 * middle * (1 - middle))
    spread += z_power * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    plain = (spread / distance) ** 2
    return math.ceil(plain / 4 * (1 + math.sqrt(1 + 4 / (plain * distance))) ** 2)


def can_ever_reject(pairs: int) -> bool:
    """Whether any outcome over so many pairs is significant: exact McNemar needs 6 (2 * 0.5^6 = 0.031)."""
    return 2 * 0.5**pairs < ALPHA


def _power(n: int, discordant: float, rejects: np.ndarray) -> float:
    return float(stats.binom.pmf(np.arange(n + 1), n, discordant) @ rejects[: n + 1])


def _mcnemar_rejects(share: float) -> np.ndarray:
    """P(reject | m discordant pairs) for m = 0..MOST_SEEDS, `share` of them from the treatment."""
    m = np.arange(MOST_SEEDS + 1)
    critical = stats.binom.ppf(ALPHA / 2, m, 0.5) - 1  # the largest c with 2 P(X <= c) < alpha
    either = stats.binom.cdf(critical, m, share) + stats.binom.sf(m - critical - 1, m, share)
    return np.where(critical >= 0, either, 0.0)
