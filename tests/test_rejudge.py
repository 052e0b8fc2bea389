"""Stored trials under another policy, on studies that really ran."""

import csv
import functools
import io
import json
import math
import sqlite3
from pathlib import Path

import pytest

from stability.judging.policy import Policy
from stability.records import UserError
from stability.rejudge import policy_from, rejudge
from stability.store import Store

DEFAULT = Path(__file__).parents[1] / "studies" / "basic_vs_enhanced.yaml"


@pytest.fixture
def judge(stability):
    return functools.partial(stability, "judge")


def snapshot(path):
    with sqlite3.connect(path) as raw:
        return "\n".join(raw.iterdump())


@pytest.mark.parametrize("function", ["quadratic", "masks", "nan_then_raise", "writes_nonsense"])
def test_the_policy_of_the_run_agrees_with_every_stored_verdict(run_study, study_file, function):
    _, store, watcher = run_study(study_file(function=function), "limits.max_alike_failures=null")
    found = rejudge(store, "toy", Policy())
    assert found.changes == () and found.cut_short == ()
    assert found.trials == len(watcher.rows) == 10
    assert sum(count.diverged for count in found.counts) == sum(count.diverged_now for count in found.counts)


@pytest.mark.slow
def test_a_study_of_the_built_in_trainee_agrees_diverged_trials_included(run_study):
    arms = "arms={low: {lr: 1e-4}, high: {lr: 0.5}, none: {lr: 0.0}}"
    fixed = {
        "mel_weight": 1.0,
        "kl_weight": 0.5,
        "clip": 1.0,
        "adaptive": "false",
        "label_smoothing": "false",
        "huber": "false",
    }
    overrides = [f"params.{name}={{value: {value}}}" for name, value in fixed.items()]
    _, store, watcher = run_study(
        DEFAULT, *overrides, arms, "params.lr={min: 0.0, max: 1.0}", "compare={baseline: low, treatment: high}",
        "budget.epochs=4", "plan=[{compare: {seeds: 2}}]",
    )  # fmt: skip
    verdicts = {row["key"]: row["verdict"] for row in watcher.rows}
    assert verdicts["high/seed-0"] == verdicts["high/seed-1"] == "DIVERGED"
    assert verdicts["none/seed-0"] == verdicts["none/seed-1"] == "STUCK"
    found = rejudge(store, "basic_vs_enhanced", Policy())
    assert found.changes == () and found.trials == 6


def test_stricter_limits_find_more_and_earlier_divergence(run_study, study_file):
    """A loss that gives back 55% of what it had learned: part of it for the default limits."""
    _, store, _ = run_study(study_file(function="gives_back"))
    assert {count.diverged for count in rejudge(store, "toy", Policy()).counts} == {0}
    found = rejudge(store, "toy", policy_from(["given_back=0.52"]))
    rough = next(count for count in found.counts if count.arm == "rough")
    assert (rough.trials, rough.diverged, rough.diverged_now, rough.changed) == (3, 0, 3, 3)
    change = next(change for change in found.changes if change.trial == "rough/seed-0")
    assert (change.now, change.kind, change.step) == ("DIVERGED", "gave_back", 30)
    assert change.evidence == "total gave back 55% of what it had learned, from step 30 on"


def test_laxer_limits_cannot_know_what_a_stopped_trial_would_have_done(run_study, study_file):
    """A frozen loss with a NaN gradient ends a trial after as many steps as the policy says."""
    _, store, _ = run_study(study_file(function="freezes"))
    found = rejudge(store, "toy", policy_from(["masked_steps=40"]))
    rough = next(count for count in found.counts if count.arm == "rough")
    assert (rough.diverged, rough.diverged_now, rough.inconclusive_now) == (3, 0, 3)
    assert set(found.cut_short) == {7}
    change = next(change for change in found.changes if change.trial == "rough/seed-0")
    assert (change.stored, change.stored_kind, change.stored_step) == ("DIVERGED", "nan_grad", 4)
    assert (change.now, change.kind, change.step) == ("INCONCLUSIVE", None, None)
    assert change.evidence == (
        "stopped after 7 steps under the policy of its run; what it would have done later is unknown"
    )


def test_a_trial_that_failed_stays_inconclusive_under_any_policy(run_study, study_file):
    path = study_file(("lr: {min: 1e-3, max: 10.0, log: true}", "how: {values: [raise, exit-3]}"),
                      ("gentle: {lr: 0.1}", "gentle: {how: raise}"), ("rough: {lr: 2.0}", "rough: {how: exit-3}"),
                      function="ends")  # fmt: skip
    _, store, watcher = run_study(path, "plan.search.trials=2", "limits.max_alike_failures=null")
    assert {row["verdict"] for row in watcher.rows} == {"INCONCLUSIVE"}
    assert rejudge(store, "toy", policy_from(["given_back=1e9", "masked_steps=50"])).changes == ()


def test_nothing_stored_changes(finished, judge, tmp_path):
    before = snapshot(tmp_path / "s.db")
    assert judge("toy", "given_back=1e9", "--storage", "s.db").returncode == 0
    assert snapshot(tmp_path / "s.db") == before


def test_what_the_command_prints(run_study, study_file, judge):
    run_study(study_file(function="freezes"))
    same = judge("toy", "--storage", "s.db")
    assert same.returncode == 0 and same.stdout.splitlines()[-1] == "10 of 10 stored verdicts are the same"
    lax = ("toy", "masked_steps=40", "--storage", "s.db")
    lines = judge(*lax).stdout.splitlines()
    assert lines[0].split()[:4] == ["stage", "trial", "arm", "stored"]
    assert any("rough/seed-0" in line and "INCONCLUSIVE" in line for line in lines)
    assert lines[-1].endswith(
        "stopped after 7 steps under the policy of the run; what would follow is unknown"
    )
    whole = json.loads(judge(*lax, "--format", "json").stdout)
    assert whole["trials"] == 10 and whole["agree"] == 10 - len(whole["changes"])
    assert whole["cut_short"] == [7] * len(whole["changes"])
    rough = next(count for count in whole["counts"] if count["arm"] == "rough")
    assert rough["diverged"] == 3 and rough["diverged_now"] == 0
    table = list(csv.DictReader(io.StringIO(judge(*lax, "-f", "csv").stdout)))
    assert [row["trial"] for row in table] == [change["trial"] for change in whole["changes"]]
    assert judge("toy", "--storage", "s.db", "-f", "csv").stdout == (
        "stage,trial,arm,stored,stored_kind,stored_step,now,kind,step,evidence\n"
    )


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("given_back", "argument 'given_back': error: a limit is KEY=VALUE, such as given_back=0.6"),
        ("masked_steps=x", "argument 'masked_steps=x': error: masked_steps is an integer, got 'x'"),
        ("masked_steps=2.5", "argument 'masked_steps=2.5': error: masked_steps is an integer, got '2.5'"),
        ("spike_z=", "argument 'spike_z=': error: spike_z is a number, got ''"),
        ("spike_z=nan", "policy spike_z=nan: error: a positive number"),
        ("given_back=-1", "policy given_back=-1.0: error: a positive number"),
    ],
)
def test_limits_that_cannot_be_used_are_refused(override, message):
    with pytest.raises(UserError) as error:
        policy_from([override])
    assert str(error.value) == message


def test_an_unknown_limit_is_answered_with_the_nearest():
    with pytest.raises(UserError, match=r"unknown limit 'givenback'; did you mean 'given_back'\? \(level_errors, "):
        policy_from(["givenback=2"])


def test_a_study_or_store_that_is_not_there(judge, finished):
    assert judge("toy", "--storage", "none.db").returncode == 2
    done = judge("other", "--storage", "s.db")
    assert done.returncode == 2 and "no study 'other'" in done.stderr


def test_limits_change_only_what_they_name():
    policy = policy_from(["given_back=0.6", "masked_steps=5"])
    assert (policy.given_back, policy.masked_steps) == (0.6, 5)
    assert isinstance(policy.masked_steps, int) and math.isclose(policy.spike_z, Policy().spike_z)


def test_a_database_of_another_program_has_no_study(tmp_path):
    sqlite3.connect(tmp_path / "x.db").close()
    with pytest.raises(UserError, match="no study 'toy'"):
        rejudge(Store(str(tmp_path / "x.db")), "toy", Policy())
