"""An arm against itself: how often that differs, and what is said where nothing can be."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from stability.evidence.control import control


def trials(values, verdicts=None):
    n = len(values)
    return pd.DataFrame(
        {
            "stage": "compare",
            "arm": "basic",
            "seed": range(n),
            "trial_id": range(n),
            "verdict": verdicts or ["STABLE"] * n,
            "outcome": "FINISHED",
            "yardstick_final": values,
        }
    )


def test_it_is_welchs_interval_of_every_other_seed():
    values = np.exp(np.random.default_rng(0).normal(0.7, 0.2, 15))
    found = control(trials(values), "basic")
    test = stats.ttest_ind(np.log(values[::2]), np.log(values[1::2]), equal_var=False)
    assert found.ci == pytest.approx(tuple(math.exp(end) for end in test.confidence_interval(0.95)))
    assert found.differs is bool(test.pvalue < 0.05) and (found.n, found.left_out) == (15, 0)


@pytest.mark.parametrize("heavy_tails", [False, True])
def test_an_arm_seldom_differs_from_itself(heavy_tails):
    """At most 5%, within three standard errors of 2,000 studies of 20 seeds."""
    random = np.random.default_rng(1)
    draws = random.standard_t(4, (2000, 20)) if heavy_tails else random.normal(0, 1, (2000, 20))
    share = np.mean([control(trials(np.exp(0.1 * draw)), "basic").differs for draw in draws])
    assert share <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2000)


@pytest.mark.parametrize(
    ("values", "verdicts", "n", "left_out"),
    [
        ([1.0, 1.1, 1.2], None, 3, 0),
        ([1.0] * 12, None, 12, 0),
        ([1.0, 1.1] * 4 + [math.nan, math.inf, 0.0], None, 8, 3),
        ([None] * 12, ["DIVERGED"] * 12, 0, 12),
    ],
)
def test_where_nothing_can_be_said(values, verdicts, n, left_out):
    found = control(trials(values, verdicts), "basic")
    assert (found.n, found.left_out) == (n, left_out)
    if n < 8 or len(set(values)) == 1:
        assert found.ci is None and found.differs is None
