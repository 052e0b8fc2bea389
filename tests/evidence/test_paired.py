"""Paired ratios: known answers, worst ranks, and no averaging over what is not finite."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from stability.evidence.paired import IntervalMethod, epoch_values, paired_ratio, ratio_interval


def study(baseline: list, treatment: list) -> tuple[pd.DataFrame, pd.Series]:
    """Trials whose final value is given; "lost" diverged, "failed" was lost to infrastructure."""
    rows, values = [], {}
    for arm, finals in (("a", baseline), ("b", treatment)):
        for seed, final in enumerate(finals):
            trial_id = len(rows)
            verdict = {"lost": "DIVERGED", "failed": "INCONCLUSIVE"}.get(final, "STABLE")
            outcome = {"lost": "STOPPED", "failed": "LOST"}.get(final, "FINISHED")
            rows.append((trial_id, arm, seed, verdict, outcome))
            values[trial_id] = final if isinstance(final, float) else float("nan")
    columns = ["trial_id", "arm", "seed", "verdict", "outcome"]
    return pd.DataFrame(rows, columns=columns), pd.Series(values)


def test_ratio_is_the_geometric_mean_of_pair_ratios():
    found = paired_ratio(*study([1.0, 2.0, 4.0], [2.0, 2.0, 4.0]), "a", "b")
    assert found.ratio == pytest.approx(2 ** (1 / 3))
    assert (found.used, found.wins, found.losses, found.ties) == (3, 0, 1, 2)
    assert found.win_probability == pytest.approx(1 / 3)


def test_below_ten_pairs_the_interval_is_students():
    logs = np.log([1.1, 1.2, 0.9, 1.3])
    ratio, ci, method = ratio_interval(logs)
    half = stats.t.ppf(0.975, 3) * logs.std(ddof=1) / 2
    assert method is IntervalMethod.STUDENT
    assert ci == pytest.approx((ratio * math.exp(-half), ratio * math.exp(half)))


def test_from_ten_pairs_the_bootstrap_is_repeatable_and_near_the_t_interval():
    logs = np.random.default_rng(7).normal(0.1, 0.05, size=40)
    ratio, ci, method = ratio_interval(logs)
    assert method is IntervalMethod.BCA
    assert ratio_interval(logs)[1] == ci
    low, high = stats.t.interval(0.95, 39, logs.mean(), stats.sem(logs))
    assert ci == pytest.approx((math.exp(low), math.exp(high)), rel=0.005)
    assert ci[0] < ratio < ci[1]


@pytest.mark.parametrize(
    ("logs", "method"),
    [([], IntervalMethod.ONE_PAIR), ([0.1], IntervalMethod.ONE_PAIR), ([0.1] * 12, IntervalMethod.ALL_EQUAL)],
)
def test_there_is_no_interval_without_spread(logs, method):
    assert ratio_interval(np.array(logs))[1:] == (None, method)


def test_a_diverged_trial_is_worst_and_never_averaged():
    baseline = [1.0] * 8
    treatment = [0.9, 0.8, 0.85, 0.7, 0.95, 0.9, "lost", "lost"]
    found = paired_ratio(*study(baseline, treatment), "a", "b")
    assert found.used == 6
    assert found.treatment_diverged_only == 2
    assert (found.wins, found.losses) == (6, 2)
    without = paired_ratio(*study(baseline[:6], treatment[:6]), "a", "b")
    assert found.ratio == without.ratio
    assert found.wilcoxon_p > without.wilcoxon_p


def test_how_badly_a_trial_diverged_does_not_matter():
    trials, values = study([1.0, 1.0, 1.0], [0.9, 0.8, "lost"])
    results = []
    for junk in (float("nan"), float("inf"), 1e30, -5.0):
        results.append(paired_ratio(trials, values.where(values.index != 5, junk), "a", "b"))
    assert all(result == results[0] for result in results)


def test_failures_partners_and_missing_values_are_dropped_and_counted():
    found = paired_ratio(*study([1.0, 1.0, 1.0, float("nan")], [0.9, "failed", "lost", 1.0]), "a", "b")
    assert (found.used, found.treatment_diverged_only, found.dropped) == (1, 1, 2)


def test_both_diverged_is_a_tie():
    found = paired_ratio(*study(["lost", "lost"], ["lost", "lost"]), "a", "b")
    assert (found.ratio, found.ci, found.both_diverged, found.ties) == (None, None, 2, 2)
    assert (found.win_probability, found.wilcoxon_p) == (0.5, 1.0)


def test_no_pairs_at_all():
    found = paired_ratio(*study([1.0], []), "a", "b")
    assert (found.ratio, found.used, found.dropped, found.wilcoxon_p) == (None, 0, 1, None)
    assert found.win_probability is None


def test_wilcoxon_without_divergence_is_scipys_on_the_logs():
    one, two = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0], [1.1, 1.3, 2.3, 2.4, 3.9, 3.6, 5.1]
    found = paired_ratio(*study(one, two), "a", "b")
    assert found.wilcoxon_p == pytest.approx(stats.wilcoxon(np.log(two) - np.log(one)).pvalue)


def test_the_last_epoch_is_each_trials_own_and_never_the_one_before_training():
    rows = [(1, -1, 9.0), (1, 0, 5.0), (1, 1, 4.0), (2, -1, 9.0), (2, 0, float("inf")), (3, -1, 9.0)]
    epochs = pd.DataFrame(rows, columns=["trial_id", "epoch", "value"])
    epochs = epochs.assign(source="yardstick", component="mel")
    assert epoch_values(epochs, "yardstick", "mel").to_dict() == {1: 4.0, 2: float("inf")}
    assert epoch_values(epochs, "yardstick", "mel", epoch=0).to_dict() == {1: 5.0, 2: float("inf")}


@pytest.mark.parametrize("pairs", [1, 3, 12])
def test_a_ratio_larger_than_a_number_can_be_is_infinite(pairs):
    logs = 800.0 + np.arange(pairs, dtype=float)
    ratio, ci, _ = ratio_interval(logs)
    assert ratio == math.inf and (pairs == 1 or ci[1] == math.inf)
    assert ratio_interval(-logs)[0] == 0.0
