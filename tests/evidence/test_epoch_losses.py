"""Loss summaries: non-finite values are counted, never averaged."""

from __future__ import annotations

import statistics

import pandas as pd
import pytest

from stability.evidence.losses import epoch_losses, summarise

NAN, INF = float("nan"), float("inf")


def test_summary_of_finite_values_matches_the_standard_library():
    found = summarise([1.0, 2.0, 4.0], expected=5)
    assert found.mean == pytest.approx(statistics.mean([1, 2, 4]))
    assert found.sd == pytest.approx(statistics.stdev([1, 2, 4]))
    assert (found.n, found.nonfinite, found.missing) == (3, 0, 2)


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_nonfinite_value_changes_only_its_count(bad):
    clean, dirty = summarise([1.0, 3.0], 3), summarise([1.0, bad, 3.0], 3)
    assert (dirty.mean, dirty.sd, dirty.n) == (clean.mean, clean.sd, clean.n)
    assert (dirty.nonfinite, dirty.missing) == (1, 0)


def test_nothing_finite_has_no_mean():
    found = summarise([NAN, INF], 2)
    assert (found.mean, found.sd, found.n, found.nonfinite) == (None, None, 0, 2)
    assert summarise([5.0], 1).sd is None


def test_the_mean_of_half_an_epoch_is_missing_but_a_nonfinite_one_is_counted():
    trials = pd.DataFrame(
        {"trial_id": [1, 2, 3], "arm": ["a"] * 3, "verdict": ["STABLE", "DIVERGED", "DIVERGED"]}
    )
    rows = [(1, 0, 2.0, 4), (2, 0, 9.0, 2), (3, 0, NAN, 2)]
    epochs = pd.DataFrame(rows, columns=["trial_id", "epoch", "value", "n"])
    [cell] = epoch_losses(trials, epochs.assign(source="train", component="mel"))
    assert (cell.summary.mean, cell.summary.n, cell.summary.nonfinite, cell.summary.missing) == (2.0, 1, 1, 1)


def test_epochs_are_summarised_per_arm_over_trials_with_evidence():
    trials = pd.DataFrame(
        {"trial_id": [1, 2, 3], "arm": ["a", "a", "a"], "verdict": ["STABLE", "DIVERGED", "INCONCLUSIVE"]}
    )
    rows = [(1, 0, 2.0), (2, 0, NAN), (3, 0, 50.0), (1, 1, 1.0)]
    epochs = pd.DataFrame(rows, columns=["trial_id", "epoch", "value"])
    first, second = epoch_losses(trials, epochs.assign(source="train", component="mel", n=4))
    assert (first.epoch, first.summary.mean, first.summary.n, first.summary.nonfinite) == (0, 2.0, 1, 1)
    assert (second.epoch, second.summary.n, second.summary.missing) == (1, 1, 1)
