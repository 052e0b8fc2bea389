"""Whole studies of toy trials: every planned trial exactly once, whatever happens on the way."""

import json
import math
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import optuna
import pytest
from commanding import in_process_of_its_own

from stability.records import UserError
from stability.store import Store

TOYS = Path(__file__).parents[1] / "toys.py"

def optuna_trials(tmp_path, stage):
    storage = Store(str(tmp_path / "s.db")).optuna_storage()
    return optuna.load_study(study_name=f"toy.{stage}", storage=storage).trials


def results(store):
    """What must not depend on how often a run was interrupted."""
    trials = store.frames("toy").trials.sort_values(["stage", "number"])
    columns = ["stage", "number", "key", "arm", "seed", "params", "verdict", "outcome", "evidence", "steps"]
    return trials[[*columns, "yardstick_final"]].astype(str).to_dict("records")


def test_a_study_runs_every_stage(run_study, study_file, tmp_path):
    _, store, watcher = run_study(study_file())
    assert watcher.stages == [("compare", 6, 0), ("search", 4, 0)]
    trials = store.frames("toy").trials
    rates = trials[trials.stage == "compare"].groupby("arm").verdict.unique()
    assert list(rates["gentle"]) == ["STABLE"] and list(rates["rough"]) == ["DIVERGED"]
    pairs = trials[trials.stage == "compare"].groupby("arm").seed.apply(list)
    assert pairs["gentle"] == pairs["rough"] == [0, 1, 2]


def test_a_diverged_trial_is_complete_finite_and_infeasible_in_optuna(run_study, study_file, tmp_path):
    run_study(study_file())
    for trial in optuna_trials(tmp_path, "compare"):
        diverged = trial.user_attrs["arm"] == "rough"
        assert trial.state.name == "COMPLETE" and math.isfinite(trial.value)
        assert trial.constraints["diverged"] == float(diverged)
        assert trial.system_attrs["constraints"] == [float(diverged)]
        assert trial.user_attrs["verdict"] == ("DIVERGED" if diverged else "STABLE")
        assert len(trial.intermediate_values) <= 20
    with sqlite3.connect(tmp_path / "s.db") as raw:
        for (text,) in raw.execute("select value_json from trial_user_attributes"):
            json.loads(text, parse_constant=pytest.fail)


def test_a_signal_that_no_trial_records_is_told_once(run_study, study_file):
    signals = "signals: {squares: {direction: none}, square: {direction: down}}"
    _, _, watcher = run_study(study_file(("yardstick:", f"{signals}\nyardstick:")))
    assert watcher.notes == ["signals: no trial recorded 'squares'; recorded are square"]


def test_running_again_runs_nothing(run_study, study_file):
    path = study_file()
    _, store, _ = run_study(path)
    before = results(store)
    _, store, watcher = run_study(path)
    assert watcher.rows == [] and watcher.stages == [("compare", 6, 6), ("search", 4, 4)]
    assert results(store) == before


def test_a_longer_plan_runs_only_what_is_new(run_study, study_file):
    path = study_file()
    run_study(path)
    _, _, watcher = run_study(path, "plan.compare.seeds=4")
    assert sorted(row["key"] for row in watcher.rows) == ["gentle/seed-3", "rough/seed-3"]


@pytest.mark.parametrize("sampler", ["random", "sobol", "grid", "tpe", "gp"])
def test_every_sampler_proposes_the_trials_asked_for(run_study, study_file, sampler):
    path = study_file(("sampler: random, trials: 4", f"sampler: {sampler}, trials: 6"))
    spec, store, _ = run_study(path, jobs=1)
    trials = store.frames("toy").trials
    values = [params["lr"] for params in trials[trials.stage == "search"].params]
    assert len(values) == (5 if sampler == "grid" else 6)  # five points, one parameter
    assert all(spec.params["lr"].problem(value) is None for value in values)
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("sampler", ["random", "sobol", "tpe"])
def test_a_resumed_search_draws_what_an_undisturbed_one_would(run_study, study_file, tmp_path, sampler):
    path = study_file(("sampler: random, trials: 4", f"sampler: {sampler}, trials: 5"))
    _, store, _ = run_study(path, jobs=1)
    whole = results(store)
    store.close()
    for file in tmp_path.glob("s.db*"):
        file.unlink()
    run_study(path, "plan.search.trials=2", jobs=1)
    _, store, _ = run_study(path, jobs=1)
    assert results(store) == whole


@pytest.mark.parametrize("cut", [1, 4, 6, 8])
def test_a_driver_that_dies_between_trials_is_resumed(run_study, cut_short, study_file, tmp_path, cut):
    path = study_file()
    cut_short(path, cut)
    _, store, _ = run_study(path)
    keys = [row["stage"] + row["key"] for row in results(store)]
    assert len(keys) == len(set(keys)) == 10
    for stage in ("compare", "search"):
        assert all(trial.state.name == "COMPLETE" for trial in optuna_trials(tmp_path, stage))


def test_infrastructure_failures_are_reported_and_never_counted(run_study, study_file, tmp_path):
    replacements = (
        ("lr: {min: 1e-3, max: 10.0, log: true}", "how: {values: [fine, raise, kill, segfault]}"),
        ("gentle: {lr: 0.1}", "gentle: {how: fine}"),
        ("rough: {lr: 2.0}", "rough: {how: kill}"),
        ("  - search: {sampler: random, trials: 4}\n", ""),
    )
    path = study_file(*replacements, function="ends")
    _, store, watcher = run_study(path)
    assert {(row["arm"], row["verdict"], row["outcome"]) for row in watcher.rows} == {
        ("gentle", "STABLE", "FINISHED"),
        ("rough", "INCONCLUSIVE", "LOST"),
    }
    states = {trial.user_attrs["arm"]: trial.state.name for trial in optuna_trials(tmp_path, "compare")}
    assert states == {"gentle": "COMPLETE", "rough": "FAIL"}
    _, _, again = run_study(path)
    assert again.rows == []
    _, _, retried = run_study(path, retry_failed=True)
    assert [row["arm"] for row in retried.rows] == ["rough"] * 3


def test_a_crash_after_nan_is_divergence(run_study, study_file):
    _, store, watcher = run_study(study_file(function="nan_then_raise"), "plan.compare.seeds=1")
    assert {(row["outcome"], row["verdict"]) for row in watcher.rows} == {("CRASHED", "DIVERGED")}


def test_a_trainer_that_swallows_its_end_was_stopped_all_the_same(run_study, study_file):
    _, _, watcher = run_study(study_file(function="catches_all"), "plan.compare.seeds=1")
    assert {(row["outcome"], row["verdict"]) for row in watcher.rows} == {("STOPPED", "DIVERGED")}


def test_a_changed_study_is_not_mixed_with_its_old_trials(run_study, study_file):
    path = study_file()
    run_study(path)
    with pytest.raises(
        UserError, match=r"study 'toy' in .*s.db ran with another budget; its trials would not compare"
    ):
        run_study(path, "budget.epochs=3")
    with pytest.raises(UserError, match=r"gentle/seed-0 ran with other settings \(lr was 0.1, is 0.2 now\)"):
        run_study(path, "arms.gentle.lr=0.2")


def test_an_arm_changed_while_its_trials_were_under_way_is_refused(
    run_study, cut_short, study_file, tmp_path
):
    path = study_file()
    cut_short(path, 1)
    running = [trial for trial in optuna_trials(tmp_path, "compare") if not trial.state.is_finished()]
    assert running
    value = {"gentle": 0.2, "rough": 3.0}[running[0].user_attrs["arm"]]
    with pytest.raises(UserError, match="ran with other settings"):
        run_study(path, f"arms.{running[0].user_attrs['arm']}.lr={value}")


def test_a_refused_run_leaves_no_trace_in_the_report(run_study, study_file):
    path = study_file()
    _, store, _ = run_study(path)
    before = store.environment("toy")
    with pytest.raises(UserError):
        run_study(path, "arms.gentle.lr=0.2")
    assert store.environment("toy") == before


def test_another_version_of_the_trainer_is_not_mixed_in(run_study, study_file, tmp_path):
    trainer = tmp_path / "train.py"
    trainer.write_text((TOYS.parent / "toys.py").read_text())
    path = study_file((str(TOYS), "train.py"))
    run_study(path)
    trainer.write_text(trainer.read_text() + "# edited\n")
    with pytest.raises(UserError, match="ran with another version of the trainer's file"):
        run_study(path, "plan.compare.seeds=4")


def test_another_sampler_does_not_go_on_with_the_same_stage(run_study, study_file):
    path = study_file()
    run_study(path)
    with pytest.raises(UserError, match="stage 'search' was drawn by 'random', is to be drawn by 'tpe' now"):
        run_study(path, "plan.search.sampler=tpe", "plan.search.trials=6")


def test_a_grid_larger_than_its_trials_is_refused_before_anything_runs(run_study, study_file):
    path = study_file(("sampler: random, trials: 4", "sampler: grid, trials: 4"))
    with pytest.raises(UserError, match="the grid has 5 settings, more than its 4 trials; fix some params"):
        run_study(path)


def test_a_foreign_line_in_the_records_is_that_trials_failure(run_study, study_file):
    every = ("plan.compare.seeds=1", "limits.max_alike_failures=null")
    _, _, watcher = run_study(study_file(function="writes_nonsense"), *every)
    assert {row["verdict"] for row in watcher.rows} == {"INCONCLUSIVE"}
    assert all("steps.jsonl:1: no known record" in row["error"] for row in watcher.rows)


def test_a_retry_replaces_the_failure_in_every_count(run_study, study_file, tmp_path):
    path = study_file(function="fails_once")
    _, store, _ = run_study(path, "plan.compare.seeds=1", "limits.max_alike_failures=null")
    assert sum(row["failed"] for row in store.counts("toy")) == 6
    _, store, _ = run_study(path, "plan.compare.seeds=1", "limits.max_alike_failures=null", retry_failed=True)
    assert [(row["trials"], row["failed"]) for row in store.counts("toy")] == [(1, 0), (1, 0), (4, 0)]


def test_a_retry_leaves_undecided_trials_as_they_are(run_study, study_file):
    path = study_file(("  - search: {sampler: random, trials: 4}\n", ""), function="undecided_or_fails")
    settings = (path, "plan.compare.seeds=2", "limits.max_alike_failures=null")
    _, store, first = run_study(*settings)
    assert {(row["arm"], row["verdict"], row["outcome"]) for row in first.rows} == {
        ("gentle", "INCONCLUSIVE", "FINISHED"),
        ("rough", "INCONCLUSIVE", "CRASHED"),
    }
    _, store, again = run_study(*settings, retry_failed=True)
    assert [row["arm"] for row in again.rows] == ["rough", "rough"]
    assert [(row["trials"], row["failed"], row["undecided"]) for row in store.counts("toy")] == [(2, 0, 2), (2, 2, 0)]


def test_retried_trials_are_not_counted_as_done(run_study, study_file):
    path = study_file(function="fails_once")
    run_study(path, "plan.compare.seeds=1", "limits.max_alike_failures=null")
    _, _, retrying = run_study(path, "plan.compare.seeds=1", "limits.max_alike_failures=null", retry_failed=True)
    assert retrying.stages == [("compare", 2, 0), ("search", 4, 0)]
    _, _, again = run_study(path, "plan.compare.seeds=1", "limits.max_alike_failures=null")
    assert again.stages == [("compare", 2, 2), ("search", 4, 4)]


def test_a_retry_that_is_killed_before_its_trials_exist_loses_none(run_study, study_file, monkeypatch):
    path = study_file(function="fails_once")
    run_study(path, "plan.compare.seeds=1", "limits.max_alike_failures=null")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Store, "tell", killed)
        run_study(path, "plan.compare.seeds=1", "limits.max_alike_failures=null", retry_failed=True)
    _, store, _ = run_study(path, "plan.compare.seeds=1", "limits.max_alike_failures=null")
    assert sum(row["trials"] for row in store.counts("toy")) == 6


def test_directories_of_an_older_database_are_not_believed(run_study, study_file, tmp_path):
    path = study_file()
    run_study(path)
    for file in tmp_path.glob("s.db*"):
        file.unlink()
    _, store, watcher = run_study(path, "arms.gentle.lr=0.3")
    assert len(watcher.rows) == 10
    trials = store.frames("toy").trials
    assert {params["lr"] for params in trials[trials.arm == "gentle"].params} == {0.3}


def test_a_stage_deleted_in_the_dashboard_starts_anew(run_study, study_file, tmp_path):
    path = study_file()
    _, store, _ = run_study(path)
    optuna.delete_study(study_name="toy.compare", storage=store.optuna_storage())
    _, store, watcher = run_study(path)
    assert len(watcher.rows) == 6
    assert len(store.frames("toy").trials) == 10


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="mounting a small disk needs root"
)
def test_a_full_disk_is_one_line_and_loses_nothing(stability, study_file, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(small)], check=False
    ).returncode:
        pytest.skip("this system mounts no tmpfs")
    try:
        path = study_file()
        command = ["run", str(path), "--storage", str(small / "s.db"), "--out", str(tmp_path / "reports")]
        first = stability(*command, "plan.compare.seeds=1", "limits.max_alike_failures=null", "plan.search.trials=1")
        assert first.returncode == 0, first.stderr
        (small / "ballast").write_bytes(b"x" * 2**20 * 20)
        full = in_process_of_its_own(tmp_path, *command)
        assert full.returncode == 2
        [line] = full.stderr.splitlines()
        assert "MiB needed); what was stored is kept: mend it and run the same command to go on" in line
        assert len(Store(str(small / "s.db")).frames("toy").trials) == 3
        (small / "ballast").unlink()
        assert stability(*command).returncode == 0
        assert len(Store(str(small / "s.db")).frames("toy").trials) == 10
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)


def test_folders_that_cannot_be_written(tmp_path):
    (tmp_path / "s.trials").write_text("a file where the folder should be")
    with pytest.raises(
        UserError, match=r"s.db': error: cannot write beside it \(.*\); use another --storage"
    ):
        Store(str(tmp_path / "s.db"))
