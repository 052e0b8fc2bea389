"""Time to divergence: known Kaplan-Meier answers; failures are censored."""

from __future__ import annotations

import pandas as pd
import pytest

from stability.evidence.survival import arm_survival, logrank


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
