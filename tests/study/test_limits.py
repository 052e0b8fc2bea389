"""What ends a trial or a run early, what is tried again, and what is said of it."""

import subprocess
import sys

import psutil
import pytest

from stability import processes, terminal, trialdir
from stability.executors.local import LocalExecutor
from stability.records import Outcome
from stability.spec import load_study
from stability.store import Store
from stability.study import Run, drive

LOST = ("  lr: {min: 1e-3, max: 10.0, log: true}\n", "  lost: {values: [0, 1, 9]}\n")
ARMS = ("  gentle: {lr: 0.1}\n  rough: {lr: 2.0}", "  gentle: {lost: 1}\n  rough: {lost: 9}")
NO_SEARCH = ("  - search: {sampler: random, trials: 4}\n", "")


def limits(text):
    return ("yardstick:", f"limits: {text}\nyardstick:")


def test_a_lost_trial_is_tried_again_in_a_directory_of_its_own(run_study, study_file):
    few = ("seeds: 3", "seeds: 1")
    path = study_file(LOST, ARMS, NO_SEARCH, few, function="lost_at_first")
    _, store, watcher = run_study(path, jobs=1)
    trials = {trial.arm: trial for trial in store.frames("toy").trials.itertuples()}
    assert (trials["gentle"].verdict, trials["gentle"].attempts) == ("STABLE", 2)
    assert (trials["rough"].verdict, trials["rough"].attempts) == ("INCONCLUSIVE", 3)
    assert trials["rough"].outcome == Outcome.LOST
    folders = sorted(folder.name for folder in (store.folder / "toy" / "compare").iterdir())
    assert folders == ["00000", "00000-1", "00001", "00001-1", "00001-2"]
    specs = [trialdir.read_spec(store.folder / "toy" / "compare" / name) for name in folders]
    assert len({(spec.seed, str(spec.params)) for spec in specs[2:]}) == 1
    assert watcher.notes[0] == (
        "gentle/seed-0: LOST, the process was killed (SIGKILL) from outside; try 2 of 3"
    )
    [gentle, rough] = terminal.status_rows(store, "toy")
    assert (gentle["retries"], gentle["failed"]) == (1, 0) and (rough["retries"], rough["failed"]) == (2, 1)


def test_nothing_is_tried_again_where_that_is_not_wanted(run_study, study_file):
    path = study_file(LOST, ARMS, NO_SEARCH, limits("{retries: 0}"), function="lost_at_first")
    _, store, watcher = run_study(path)
    assert set(store.frames("toy").trials.attempts) == {1} and watcher.notes == []


def test_a_crash_is_not_tried_again(run_study, study_file):
    swaps = ("  lr: {min: 1e-3, max: 10.0, log: true}", "  how: {values: [raise, fine]}")
    arms = ("  gentle: {lr: 0.1}\n  rough: {lr: 2.0}", "  gentle: {how: fine}\n  rough: {how: raise}")
    _, store, watcher = run_study(study_file(swaps, arms, NO_SEARCH, function="ends"))
    trials = store.frames("toy").trials
    assert set(trials.attempts) == {1} and watcher.notes == []
    assert list(trials[trials.arm == "rough"].outcome.unique()) == [Outcome.CRASHED]


def test_a_study_ends_when_its_time_is_up_and_goes_on_later(study_file, tmp_path):
    path = study_file(limits("{max_wall_s: 1.5}"), function="slow")
    store = Store(str(tmp_path / "s.db"))
    ended = _drive(load_study(path), store)
    assert ended == "stopped after 1.5 s (limits.max_wall_s); the same command goes on from there"
    assert len(store.frames("toy").trials) < 10
    assert not [trial for child in psutil.Process().children() for trial in child.children()]
    assert _drive(load_study(path, ["limits.max_wall_s=null"]), store) is None
    assert len(store.frames("toy").trials) == 10


def test_a_study_ends_when_too_many_trials_fail(study_file, tmp_path):
    arms = ("  gentle: {lr: 0.1}\n  rough: {lr: 2.0}", "  gentle: {lost: 9}\n  rough: {lost: 9}")
    path = study_file(LOST, arms, limits("{retries: 0, max_failures: 1}"), function="lost_at_first")
    store = Store(str(tmp_path / "s.db"))
    assert _drive(load_study(path), store) == (
        "stopped: 2 trials ended without evidence (crashed, hung, lost), more than limits.max_failures (1); look at "
        "one with `stability show`, then run again with --retry-failed"
    )
    assert len(store.frames("toy").trials) == 2


def test_the_time_saved_by_ending_lost_trials_at_once_is_told(run_study, study_file):
    _, store, _ = run_study(study_file(NO_SEARCH, function="diverges_slowly"))
    [gentle, rough] = terminal.status_rows(store, "toy")
    trials = store.frames("toy").trials.groupby("arm").cpu_s
    assert gentle["saved_s"] == 0.0
    assert rough["saved_s"] == pytest.approx(3 * trials.mean()["gentle"] - trials.sum()["rough"], abs=0.06)
    assert rough["saved_s"] > 0.1


def test_nobody_knows_what_is_saved_where_nothing_finished(run_study, study_file):
    _, store, _ = run_study(study_file(NO_SEARCH, ("gentle: {lr: 0.1}", "gentle: {lr: 3.0}"), function="diverges_slowly"))
    assert [row["saved_s"] for row in terminal.status_rows(store, "toy")] == [None, None]


def test_a_process_left_behind_in_a_directory_is_ended_before_it_is_used(run_study, study_file, tmp_path):
    path = study_file(NO_SEARCH)
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    directory = Store(str(tmp_path / "s.db")).folder / "toy" / "compare" / "00000"
    directory.mkdir(parents=True)
    trialdir.write_process(directory, processes.identity(left.pid))
    run_study(path)
    assert left.wait(timeout=60) == -9


def _drive(spec, store):
    from watching import Watcher

    return drive(Run(spec, store, LocalExecutor(["cpu"] * 2), Watcher(), "cpu"))
