"""Time to divergence: known Kaplan-Meier answers; failures are censored."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from stability.evidence.survival import arm_survival, logrank, survival_curve


def trials(rows: list[tuple[str, str, float | None, int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["arm", "verdict", "event_step", "steps"])


def test_median_by_hand():
    # at risk 5, 4, 3: survival 4/5, 3/5, then 3/5 * 1/2 = 0.3 after 8 steps, one censored after 5
    found = trials(
        [
            ("a", "DIVERGED", 2, 3),
            ("a", "DIVERGED", 4, 5),
            ("a", "INCONCLUSIVE", None, 5),
            ("a", "DIVERGED", 7, 8),
            ("a", "STABLE", None, 16),
        ]
    )
    result = arm_survival(found, "a")
    assert (result.median_steps, result.n_events, result.n_censored) == (8.0, 3, 2)


def test_a_median_that_is_not_reached_is_none():
    found = trials([("a", "DIVERGED", 2, 3)] + [("a", "STABLE", None, 16)] * 5)
    assert arm_survival(found, "a").median_steps is None


def test_no_events_no_trials_and_trials_without_a_step():
    found = trials([("a", "STABLE", None, 16), ("a", "INCONCLUSIVE", None, 0)])
    assert arm_survival(found, "a").n_censored == 1
    assert arm_survival(found, "b").n_events == 0
    assert logrank(found, "a", "b") is None


def test_logrank_tells_early_from_never():
    early = [("a", "DIVERGED", step, step + 1) for step in range(1, 9)]
    never = [("b", "STABLE", None, 16)] * 8
    assert logrank(trials(early + never), "a", "b") < 0.001
    same = [(arm, "DIVERGED", step, step + 1) for arm in "ab" for step in range(1, 9)]
    assert logrank(trials(same), "a", "b") == pytest.approx(1.0)


def test_logrank_without_any_event_is_none():
    assert logrank(trials([("a", "STABLE", None, 4), ("b", "STABLE", None, 4)]), "a", "b") is None


def test_divergence_at_the_first_step_counts():
    found = arm_survival(trials([("a", "DIVERGED", 0, 0)] * 3), "a")
    assert (found.median_steps, found.n_events) == (1.0, 3)


def exact(k: int, n: int) -> pytest.approx:
    """Clopper and Pearson's two-sided limits."""
    return pytest.approx(tuple(stats.binomtest(k, n).proportion_ci(0.95, method="exact")))


def limits(curve) -> list[tuple[float, float]]:
    return list(zip(curve.low, curve.high, strict=True))


def test_without_censoring_the_interval_is_clopper_pearsons_at_every_step():
    rows = [("a", "DIVERGED", step, step + 1) for step in (1, 1, 4, 7)] + [("a", "STABLE", None, 16)] * 6
    curve = survival_curve(trials(rows), "a")
    assert curve.steps == [0, 2, 5, 8, 16]
    assert curve.share == pytest.approx([1, 0.8, 0.7, 0.6, 0.6])
    assert limits(curve) == [exact(k, 10) for k in (10, 8, 7, 6, 6)]


def test_an_interval_exists_without_an_event_and_where_all_are_lost():
    calm = survival_curve(trials([("a", "STABLE", None, 16)] * 6), "a")
    assert limits(calm) == [exact(6, 6)] * 2
    assert calm.low[0] == pytest.approx(0.025 ** (1 / 6))
    lost = survival_curve(trials([("a", "DIVERGED", 0, 1)] * 6), "a")
    assert (lost.share, limits(lost)) == ([1, 0], [exact(6, 6), exact(0, 6)])


def test_the_interval_is_wider_where_trials_were_censored():
    """Two of ten time out after 3 steps: what is known from there on is known of eight."""
    timed_out = [("a", "INCONCLUSIVE", None, 3)] * 2
    curve = survival_curve(trials(timed_out + [("a", "STABLE", None, 16)] * 8), "a")
    assert curve.steps == [0, 3, 16]
    assert limits(curve) == [exact(10, 10), exact(8, 8), exact(8, 8)]


def test_the_interval_misses_the_share_on_neither_side_more_often_than_said():
    """Geometric times to divergence, censored at random: each limit fails in at most 2.5%."""
    rng, grid = np.random.default_rng(0), np.array([3, 8, 15, 25])
    missed = np.zeros(2)
    for _ in range(250):
        time, censored = rng.geometric(0.05, 20), rng.integers(1, 40, 20)
        rows = [
            ("a", "DIVERGED", end - 1, end) if end <= most else ("a", "STABLE", None, most)
            for end, most in zip(time, censored, strict=True)
        ]
        curve = survival_curve(trials(rows), "a")
        at = np.searchsorted(curve.steps, grid, side="right") - 1
        share = 0.95**grid
        missed += [(np.array(curve.low)[at] > share).mean(), (np.array(curve.high)[at] < share).mean()]
    assert (missed / 250 <= 0.025).all()
