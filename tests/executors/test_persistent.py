"""Children that serve several trials, as on a GPU; here on the CPU, which needs no GPU to try."""

import os
import time

import psutil
import pytest
from test_local import submit, wait_for

from stability import processes, trialdir
from stability.executors.local import LocalExecutor
from stability.records import Outcome


@pytest.fixture
def executor():
    made = LocalExecutor(["cpu"], persistent=True)
    yield made
    made.close()


def run(executor, folder, number, how, timeout_s=60.0, function="tells_process"):
    """The process that ran the trial, and how it ended."""
    trial = submit(executor, folder, function, timeout_s, number, how=how)
    assert wait_for(executor) == [trial.directory]
    process = int((trial.directory / "artifacts" / "seen.txt").read_text().split()[0])
    return process, trialdir.read_ending(trial.directory)


def left_of(group):
    """What still runs in a process group."""
    left = (psutil.Process(member) for member in processes.group_members(group) if psutil.pid_exists(member))
    return [process for process in left if process.status() != psutil.STATUS_ZOMBIE]


def test_one_process_serves_trial_after_trial_each_with_its_own_output_and_cost(executor, tmp_path):
    ran = [run(executor, tmp_path, number, "fine") for number in range(3)]
    assert len({process for process, _ in ran}) == 1
    assert all(ending.outcome is Outcome.FINISHED and ending.cpu_s < 1.0 for _, ending in ran)
    trial = submit(executor, tmp_path, "ends", number=3, how="print-garbage")
    wait_for(executor)
    assert "before the end" in trialdir.captured(trial.directory, 100_000)
    assert trialdir.captured(tmp_path / "2") == ""


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        ("raise", Outcome.CRASHED),
        ("kill", Outcome.LOST),
        ("hang", Outcome.TIMED_OUT),
        ("dtype", Outcome.FINISHED),
        ("environ", Outcome.FINISHED),
        ("child", Outcome.FINISHED),
    ],
)
def test_a_process_that_a_trial_failed_in_or_changed_is_replaced(executor, tmp_path, how, outcome):
    before, ending = run(executor, tmp_path, 0, how, timeout_s=2.0)
    assert ending.outcome is outcome
    after, ending = run(executor, tmp_path, 1, "fine")
    assert after != before
    assert ending.outcome is Outcome.FINISHED
    assert left_of(before) == []


def test_an_idle_process_that_dies_is_replaced(executor, tmp_path):
    before, _ = run(executor, tmp_path, 0, "fine")
    os.kill(before, 9)
    while psutil.pid_exists(before) and psutil.Process(before).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)  # it has closed its pipes when it is a zombie
    after, ending = run(executor, tmp_path, 1, "fine")
    assert after != before and ending.outcome is Outcome.FINISHED


def test_closing_ends_idle_processes(executor, tmp_path):
    process, _ = run(executor, tmp_path, 0, "fine")
    executor.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_trial_draws_and_costs_what_it_would_in_a_process_of_its_own(executor, tmp_path):
    """Random states and the peak of memory are a trial's, not those of the process that served others before."""
    found = []
    for number, megabytes in enumerate((300, 1)):
        trial = submit(executor, tmp_path, "draws_and_fills", number=number, megabytes=megabytes)
        assert wait_for(executor) == [trial.directory]
        ending = trialdir.read_ending(trial.directory)
        (evaluation,) = trialdir.read_records(trial.directory).evaluations
        found.append((evaluation.losses["square"], ending.max_rss_bytes))
    (drawn, large_bytes), (drawn_again, small_bytes) = found
    assert drawn_again == drawn
    assert large_bytes - small_bytes > 250e6
