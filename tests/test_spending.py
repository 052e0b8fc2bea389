"""Spending functions against their closed form, schedules, and which stage could end early at all."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from stability.spending import Spending, earliest_end, fewest_seeds, schedule, spent

OBF, POCOCK = Spending.OBRIEN_FLEMING, Spending.POCOCK


@pytest.mark.parametrize(
    ("fraction", "error"), [(0.25, 0.0000886), (0.5, 0.00557), (0.75, 0.0236), (1.0, 0.05)]
)
def test_obrien_fleming_spends_late(fraction, error):
    assert spent(OBF, fraction) == pytest.approx(error, rel=5e-3)
    exact = 2 - 2 * stats.norm.cdf(stats.norm.ppf(0.975) / math.sqrt(fraction))
    assert spent(OBF, fraction) == pytest.approx(exact, rel=1e-9)


def test_pocock_spends_evenly():
    expected = [0.0179, 0.0310, 0.0414, 0.05]
    assert [spent(POCOCK, t) for t in (0.25, 0.5, 0.75, 1)] == pytest.approx(expected, rel=3e-3)
    assert spent(POCOCK, 1, alpha=0.01) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("seeds", "looks", "ends"),
    [(16, 4, [4, 8, 12, 16]), (9, 4, [3, 5, 7, 9]), (5, 1, [5]), (3, 3, [1, 2, 3])],
)
def test_parts_are_as_equal_as_can_be(seeds, looks, ends):
    assert schedule(seeds, looks) == ends


@pytest.mark.parametrize(
    ("spending", "seeds", "looks", "end"),
    [
        (OBF, 20, 4, 10),
        (OBF, 16, 4, 12),
        (OBF, 60, 4, 15),
        (OBF, 16, 2, 16),
        (OBF, 5, 4, None),
        (POCOCK, 28, 4, 7),
    ],
)
def test_the_earliest_end_is_known_before_any_trial(spending, seeds, looks, end):
    assert earliest_end(spending, seeds, looks) == end


def test_the_fewest_seeds_that_looks_are_of_use_for():
    assert [fewest_seeds(OBF, 2, looks) for looks in (2, 3, 4)] == [17, 10, 7]
    assert fewest_seeds(POCOCK, 2, 2) == 11 and fewest_seeds(POCOCK, 12, 2) == 13  # 12 divide into 6 and 6
