"""Trials without a verdict: compared between arms, and counted against every statement on a rate."""

import pandas as pd
import pytest
from scipy import stats

from stability.evidence.failures import compare_failures, worst_case
from stability.evidence.proportions import upper_bound
from stability.evidence.rates import Conclusion, RateTest, arm_rate, compare_rates
from stability.evidence.selection import failed, undecided
from stability.evidence.wilson import wilson

ARMS = ("basic", "enhanced")
ENDS = {"·": ("STABLE", "FINISHED"), "×": ("DIVERGED", "STOPPED"), "!": ("INCONCLUSIVE", "CRASHED")} | {
    "h": ("INCONCLUSIVE", "TIMED_OUT"),
    "m": ("INCONCLUSIVE", "OUT_OF_MEMORY"),
    "?": ("INCONCLUSIVE", "FINISHED"),
}


def trials(basic, enhanced):
    """One mark a trial, seeds from 0."""
    rows = [
        {"arm": arm, "seed": seed, "verdict": ENDS[mark][0], "outcome": ENDS[mark][1]}
        for arm, marks in zip(ARMS, (basic, enhanced), strict=True)
        for seed, mark in enumerate(marks)
    ]
    return pd.DataFrame(rows).assign(trial_id=range(len(rows)), stage="compare")


def test_a_trial_that_finished_without_a_verdict_is_no_failure():
    known = trials("·!hm?", "·")
    assert list(failed(known)["outcome"]) == ["CRASHED", "TIMED_OUT", "OUT_OF_MEMORY"]
    assert list(undecided(known)["outcome"]) == ["FINISHED"]
    found = arm_rate(known, "basic")
    assert (found.n, found.infrastructure_failures, found.undecided, found.unknown) == (1, 3, 1, 4)


def test_bounds_count_unknown_trials_against_each_end():
    found = arm_rate(trials("·" * 15 + "×" + "!!h?", "·"), "basic")
    assert (found.diverged, found.n) == (1, 16) and found.ci == wilson(1, 16)
    assert found.worst_ci == (wilson(1, 20)[0], wilson(5, 20)[1])
    assert found.worst_upper == upper_bound(5, 20)
    assert found.worst_upper == pytest.approx(
        stats.binomtest(5, 20, alternative="less").proportion_ci(0.95, method="exact").high
    )


def test_an_arm_that_only_failed_has_no_rate_but_a_bound():
    found = arm_rate(trials("!!!", "·"), "basic")
    assert found.rate is None and found.worst_ci[1] == 1.0 and found.worst_upper == 1.0
    assert arm_rate(trials("", "·"), "basic").worst_upper is None


def test_failures_that_follow_an_arm_are_shown():
    found = compare_failures(trials("·" * 10, "!h" * 4 + "··"), ARMS)
    assert found.failed == (0, 8) and found.n == (10, 10) and found.differ
    assert found.test is RateTest.MCNEMAR and found.p_value == pytest.approx(2 / 2**8)


def test_failures_that_do_not_are_not():
    found = compare_failures(trials("·" * 9 + "!", "!" + "·" * 9), ARMS)
    assert found.failed == (1, 1) and not found.differ
    assert compare_failures(trials("··?", "××?"), ARMS) is None  # undecided is not failed


def test_few_pairs_are_compared_as_independent_samples():
    found = compare_failures(trials("·" * 5, "!" * 5), ARMS)
    assert found.test is RateTest.BARNARD and found.differ


@pytest.mark.parametrize(
    ("basic", "enhanced", "holds"),
    [
        ("·" * 20, "×" * 12 + "·" * 6 + "!!", True),
        ("·" * 12 + "!" * 8, "×" * 12 + "·" * 8, False),  # the failed ones may all have diverged
        ("·" * 20, "×" * 6 + "·" * 4 + "?" * 10, True),  # the undecided ones count as calm here
    ],
)
def test_a_difference_must_hold_with_the_unknown_trials_against_it(basic, enhanced, holds):
    known = trials(basic, enhanced)
    shown = compare_rates(known, *ARMS)
    assert shown.conclusion is Conclusion.TREATMENT_DIVERGES_MORE
    found = worst_case(known, ARMS, shown, lambda own: compare_rates(own, *ARMS))
    assert found.holds is holds and (found.p_value < 0.05) is holds
    assert found.ci[0] <= shown.difference <= found.ci[1]


def test_without_unknown_trials_there_is_no_worst_case():
    known = trials("···", "×××")
    shown = compare_rates(known, *ARMS)
    assert worst_case(known, ARMS, shown, lambda own: compare_rates(own, *ARMS)) is None


CRASHES = """
def train(trial, recorder):
    x = 1.0 + 0.01 * trial.seed
    recorder.evaluate({"square": x * x}, epoch=-1)
    for step in range(6):
        x -= 0.2 * x
        recorder.step({"square": x * x}, grad_norm=abs(x))
        if trial.params["lr"] > 1.0:
            raise RuntimeError("no kernel for that")
    if trial.params["lr"] > 0.05:
        recorder.evaluate({"square": x * x}, epoch=0)
"""
STUDY = """
name: toy
trainer: {call: "train.py:train"}
budget: {epochs: 1, batch_size: 1, timeout_s: 60}
params: {lr: {min: 1e-3, max: 10.0, log: true}}
arms:
  gentle: {lr: 0.1}
  rough: {lr: ROUGH}
compare: {baseline: gentle, treatment: rough}
plan: [{compare: {seeds: 8}}]
yardstick: {square: 1.0}
"""


def test_a_report_opens_with_failures_that_follow_an_arm(reported):
    _, twin, text = reported(CRASHES, STUDY.replace("ROUGH", "2.0"))
    assert twin["comparison"]["failures"]["failed"] == [0, 8] and twin["comparison"]["failures"]["differ"]
    assert twin["arms"]["rough"]["failed_outcomes"] == {"CRASHED": 8}
    opening = text.partition("## The answer")[2].lstrip()
    assert opening.startswith(
        "The trials of `rough` failed more often than those of `gentle` (`CRASHED`): 8 of 8"
    )
    assert "`rough`: upper bounds on its divergence rate count 8 failed and 0 undecided trials" in text


def test_undecided_trials_are_named_apart(reported):
    trials, twin, text = reported(CRASHES, STUDY.replace("ROUGH", "0.01"))
    assert set(trials[trials.arm == "rough"].outcome) == {"FINISHED"}
    rough = twin["arms"]["rough"]
    assert (rough["n"], rough["infrastructure_failures"], rough["undecided"]) == (0, 0, 8)
    assert rough["rate_upper_worst"] == 1.0
    assert twin["infrastructure_failures"] == [] and len(twin["undecided"]) == 8
    assert twin["comparison"]["failures"] is None
    assert "## Undecided trials" in text and "## Infrastructure failures" not in text
    assert "16 trials: 0 diverged, 0 failed, 8 undecided" in text


def test_undecided_trials_are_no_failures_for_status_and_limits(run_study, tmp_path, capsys):
    from stability import terminal

    (tmp_path / "train.py").write_text(CRASHES)
    (tmp_path / "study.yaml").write_text(STUDY.replace("ROUGH", "0.01") + "limits: {max_failures: 0}\n")
    spec, store, watcher = run_study(tmp_path / "study.yaml")
    assert len(watcher.rows) == 16  # nothing ended the run
    assert [(row["failed"], row["undecided"]) for row in store.counts("toy")] == [(0, 0), (0, 8)]
    assert terminal.closing(spec, store, tmp_path / "report.md", "")
    told = capsys.readouterr().out
    assert "8 of 16 trials ended well, but their numbers do not suffice for a verdict" in told
    assert "ended without evidence" not in told
