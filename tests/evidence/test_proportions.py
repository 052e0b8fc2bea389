"""Intervals against published examples and closed forms."""

from __future__ import annotations

import math

import pytest

from stability.evidence import proportions
from stability.evidence.proportions import PairTable
from stability.evidence.wilson import wilson


@pytest.mark.parametrize(("n", "bound"), [(1, 0.95), (10, 0.2589), (30, 0.0950), (59, 0.0495)])
def test_without_a_divergence_the_bound_is_the_closed_form(n, bound):
    assert proportions.upper_bound(0, n) == pytest.approx(1 - 0.05 ** (1 / n))
    assert proportions.upper_bound(0, n) == pytest.approx(bound, abs=1e-4)


def test_upper_bound_solves_its_own_definition():
    k, n = 3, 17
    bound = proportions.upper_bound(k, n)
    tail = sum(math.comb(n, i) * bound**i * (1 - bound) ** (n - i) for i in range(k + 1))
    assert tail == pytest.approx(0.05)
    assert proportions.upper_bound(n, n) == 1.0


def test_wilson_is_its_closed_form():
    k, n, z = 4, 20, 1.959963984540054
    centre = (k / n + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n))
    assert wilson(k, n) == pytest.approx((centre - half, centre + half))


@pytest.mark.parametrize(
    ("counts", "interval"),
    [  # Newcombe, Statistics in Medicine 17:873-890, 1998, table II, method 10
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((10, 10, 0, 20), (0.6791, 1.0)),
    ],
)
def test_unpaired_difference_matches_newcombe(counts, interval):
    assert proportions.unpaired_difference(*counts) == pytest.approx(interval, abs=5e-5)


def test_paired_difference_matches_newcombe():
    table = PairTable(both=36, treatment_only=12, baseline_only=2, neither=0)
    assert proportions.paired_difference(table) == pytest.approx((0.0569, 0.3404), abs=5e-5)


def test_swapping_arms_mirrors_the_paired_interval():
    one = proportions.paired_difference(PairTable(3, 5, 1, 11))
    two = proportions.paired_difference(PairTable(3, 1, 5, 11))
    assert one == pytest.approx((-two[1], -two[0]))


def test_59_trials_exclude_five_percent():
    assert proportions.trials_to_exclude(0.05) == 59
    assert proportions.upper_bound(0, 59) <= 0.05 < proportions.upper_bound(0, 58)
