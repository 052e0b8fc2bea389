"""Sample sizes against simulation-free twins and published figures."""

from __future__ import annotations

import itertools
import math

import pytest
from scipy import stats

from stability.evidence import power
from stability.evidence.proportions import PairTable
from stability.evidence.rates import mcnemar


def enumerated_power(n: int, treatment_only: float, baseline_only: float) -> float:
    """Power of exact McNemar by going through every outcome."""
    total = 0.0
    for b, c in itertools.product(range(n + 1), repeat=2):
        if b + c <= n and mcnemar(PairTable(0, b, c, n - b - c)) < 0.05:
            ways = math.comb(n, b) * math.comb(n - b, c)
            rest = 1 - treatment_only - baseline_only
            total += ways * treatment_only**b * baseline_only**c * rest ** (n - b - c)
    return total


def test_needed_pairs_is_the_first_size_with_the_power():
    n = power.needed_pairs(0.6, 0.05)
    assert enumerated_power(n, 0.6, 0.05) >= 0.8 > enumerated_power(n - 1, 0.6, 0.05)


def test_arms_that_diverge_on_the_same_seeds_need_fewer_pairs():
    assert power.needed_pairs(0.15, 0.0) == 52  # 5% within 20%
    assert power.needed_seeds(0.05, 0.20, paired=True) == 83


def test_independent_seeds_are_enough_for_fishers_exact_test():
    n = power.needed_seeds(0.05, 0.50, paired=False)
    rejected = sum(
        math.comb(n, k) * 0.05**k * 0.95 ** (n - k) * math.comb(n, m) * 0.5**n
        for k, m in itertools.product(range(n + 1), repeat=2)
        if stats.fisher_exact([[k, m], [n - k, n - m]]).pvalue < 0.05
    )
    assert 0.8 <= rejected < 0.9


@pytest.mark.parametrize("paired", [True, False])
def test_more_seeds_than_can_be_searched_is_none(paired):
    assert power.needed_seeds(0.05, 0.06, paired=paired) is None
    assert power.needed_seeds(0.3, 0.3, paired=paired) is None


def test_five_pairs_can_never_decide():
    assert not power.can_ever_reject(5)
    assert power.can_ever_reject(6)
    assert mcnemar(PairTable(0, 5, 0, 0)) > 0.05 > mcnemar(PairTable(0, 6, 0, 0))
