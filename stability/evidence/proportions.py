"""Intervals of proportions and of their differences: counts in, numbers out. Knows nothing of trials."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from stability.evidence.wilson import wilson

Interval = tuple[float, float]

NEWCOMBE_PAIRED = "Newcombe hybrid score, paired"
NEWCOMBE_UNPAIRED = "Newcombe hybrid score, unpaired"


@dataclass(frozen=True, slots=True)
class PairTable:
    """Pairs by what happened: in both arms, in the treatment only, in the baseline only, in neither."""

    both: int
    treatment_only: int
    baseline_only: int
    neither: int

    @property
    def n(self) -> int:
        return self.both + self.treatment_only + self.baseline_only + self.neither

    @property
    def treatment(self) -> int:
        return self.both + self.treatment_only

    @property
    def baseline(self) -> int:
        return self.both + self.baseline_only


def upper_bound(k: int, n: int, confidence: float = 0.95) -> float:
    """One-sided Clopper-Pearson upper bound of k/n (Biometrika 26:404, 1934).

    With k = 0 it is 1 - (1 - confidence)^(1/n): 95% for one trial, 26% for 10, 5.0% for 59.
    """
    return 1.0 if k == n else float(stats.beta.ppf(confidence, k + 1, n - k))


def lower_bound(k: int, n: int, confidence: float = 0.95) -> float:
    """One-sided Clopper-Pearson lower bound of k/n."""
    return 1 - upper_bound(n - k, n, confidence)


def trials_to_exclude(rate: float, confidence: float = 0.95) -> int:
    """How many trials without a divergence exclude `rate` at `confidence` (59 for 5%)."""
    return math.ceil(math.log(1 - confidence) / math.log(1 - rate))


def unpaired_difference(k_treatment: int, n_treatment: int, k_baseline: int, n_baseline: int) -> Interval:
    """95% interval of treatment rate - baseline rate, independent trials.

    Hybrid score interval: method 10 of Newcombe, Statistics in Medicine 17:873-890, 1998.
    """
    return _hybrid(k_treatment, n_treatment, k_baseline, n_baseline, correlation=0.0)


def paired_difference(pairs: PairTable, confidence: float = 0.95) -> Interval:
    """Interval of treatment rate - baseline rate over pairs.

    Hybrid score interval with the continuity-corrected phi: method 10 of Newcombe, Statistics in Medicine
    17:2635-2650, 1998.
    """
    return _hybrid(pairs.treatment, pairs.n, pairs.baseline, pairs.n, _phi(pairs), confidence)


def _hybrid(k1: int, n1: int, k2: int, n2: int, correlation: float, confidence: float = 0.95) -> Interval:
    p1, p2 = k1 / n1, k2 / n2
    (low1, high1), (low2, high2) = wilson(k1, n1, confidence), wilson(k2, n2, confidence)
    below = _joint(p1 - low1, high2 - p2, correlation)
    above = _joint(high1 - p1, p2 - low2, correlation)
    return p1 - p2 - below, p1 - p2 + above


def _joint(a: float, b: float, correlation: float) -> float:
    return math.sqrt(max(a * a - 2 * correlation * a * b + b * b, 0.0))  # rounding may leave -1e-17


def _phi(pairs: PairTable) -> float:
    """Correlation within pairs; a positive one is shrunk by n/2 but not below 0 (Newcombe 1998)."""
    margins = pairs.treatment * (pairs.n - pairs.treatment) * pairs.baseline * (pairs.n - pairs.baseline)
    if margins == 0:
        return 0.0
    excess = pairs.both * pairs.neither - pairs.treatment_only * pairs.baseline_only
    if excess > 0:
        excess = max(excess - pairs.n / 2, 0.0)
    return excess / math.sqrt(margins)
