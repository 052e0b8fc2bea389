"""Real child processes: every end of a trial becomes its outcome, and none outlives the executor."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from stability import trialdir
from stability.executors.local import LocalExecutor
from stability.records import Outcome, TrialSpec

TOYS = Path(__file__).parents[1] / "toys.py"


@pytest.fixture
def executor():
    made = LocalExecutor(["cpu"] * 2)
    yield made
    made.close()


def submit(executor, folder, function="ends", timeout_s=60.0, number=0, memory_bytes=None, **params):
    trial = TrialSpec(
        study="s", stage="compare", number=number, key=str(number), arm=None, params=params, seed=0, epochs=1,
        batch_size=1, max_steps=None, timeout_s=timeout_s, device="cpu",
        trainer={"call": f"{TOYS}:{function}"}, data={}, model={}, yardstick={"square": 1.0},
        directory=folder / f"{number}", cache=folder, memory_bytes=memory_bytes,
    )  # fmt: skip
    trialdir.create(trial)
    executor.submit(trial)
    return trial


def wait_for(executor, count=1):
    found, deadline_s = [], time.monotonic() + 240
    while len(found) < count and time.monotonic() < deadline_s:
        found += executor.finished(timeout_s=1.0)
    return found


@pytest.mark.parametrize(
    ("how", "outcome", "error"),
    [
        ("fine", Outcome.FINISHED, None),
        ("exit-0", Outcome.FINISHED, None),
        ("print-garbage", Outcome.FINISHED, None),
        ("raise", Outcome.CRASHED, "ValueError: a bug in the trainer"),
        (
            "exit-3",
            Outcome.CRASHED,
            "the process exited with status 3 before the trial was complete; see stdout.log",
        ),
        ("segfault", Outcome.CRASHED, "the process died of SIGSEGV; see stdout.log"),
        (
            "kill",
            Outcome.LOST,
            "the process was killed (SIGKILL) from outside",
        ),
        ("memory", Outcome.OUT_OF_MEMORY, "MemoryError: "),
        ("host-memory", Outcome.OUT_OF_MEMORY, None),
    ],
)
def test_every_end_is_an_outcome_with_its_output(executor, tmp_path, how, outcome, error):
    trial = submit(executor, tmp_path, how=how)
    assert wait_for(executor) == [trial.directory]
    ending = trialdir.read_ending(trial.directory)
    assert ending.outcome is outcome
    if error is not None:
        assert ending.error == error
    assert "before the end" in trialdir.captured(trial.directory, 100_000)
    assert len(trialdir.read_records(trial.directory).steps) == 4


@pytest.mark.parametrize("how", ["hang", "hang-in-c"])
def test_a_hang_is_timed_out(executor, tmp_path, how):
    trial = submit(executor, tmp_path, timeout_s=1.0, how=how)
    wait_for(executor)
    ending = trialdir.read_ending(trial.directory)
    assert (ending.outcome, ending.error) == (Outcome.TIMED_OUT, "no end after 1 s; killed")


def test_a_trial_that_takes_too_much_memory_is_ended(executor, tmp_path):
    trial = submit(executor, tmp_path, "greedy", memory_bytes=600_000_000)
    wait_for(executor)
    ending = trialdir.read_ending(trial.directory)
    assert ending.outcome is Outcome.OUT_OF_MEMORY
    assert re.fullmatch(
        r"too much host memory: 0\.[67]\d GB used, 0\.6 GB allowed \(budget\.memory_gb\); killed",
        ending.error,
    )
    assert 600_000_000 < ending.max_rss_bytes < 800_000_000


def test_what_a_trial_prints_is_kept_up_to_a_limit(executor, tmp_path):
    trial = submit(executor, tmp_path, "prints_much", lr=0.1)
    wait_for(executor)
    assert trialdir.read_ending(trial.directory).outcome is Outcome.FINISHED
    log = (trial.directory / trialdir.STDOUT).read_bytes()
    assert len(log) <= trialdir.OUTPUT_LIMIT_BYTES
    assert re.match(rb"\[\d+ bytes before this were dropped\]\n", log)
    assert log.endswith(b"the last line\n")


def test_a_traceback_is_kept(executor, tmp_path):
    trial = submit(executor, tmp_path, how="raise")
    wait_for(executor)
    assert "a bug in the trainer" in trialdir.read_ending(trial.directory).traceback
    assert "Traceback (most recent call last)" in trialdir.captured(trial.directory)


def test_a_segfault_leaves_the_python_stack_in_the_output(executor, tmp_path):
    trial = submit(executor, tmp_path, how="segfault")
    wait_for(executor)
    assert "toys.py" in trialdir.captured(trial.directory)


def test_a_lost_trial_stops_once_it_is_beyond_return(executor, tmp_path):
    trial = submit(executor, tmp_path, function="freezes")
    wait_for(executor)
    ending = trialdir.read_ending(trial.directory)
    assert (ending.outcome, ending.error) == (
        Outcome.STOPPED,
        "square loss stayed at exactly 1.6 for 3 steps up to step 6",
    )
    assert len(trialdir.read_records(trial.directory).steps) == 7


def test_two_trials_at_a_time_and_one_thread_each(executor, tmp_path):
    assert executor.free == 2
    trials = [submit(executor, tmp_path, function="environment", number=i, lr=0.1) for i in range(2)]
    assert executor.free == 0
    assert set(wait_for(executor, 2)) == {trial.directory for trial in trials}
    assert executor.free == 2
    assert [(trial.directory / "artifacts" / "seen.txt").read_text() for trial in trials] == ["1", "1"]


def test_closing_ends_children_without_an_outcome(executor, tmp_path):
    trial = submit(executor, tmp_path, how="hang")
    while not trialdir.captured(trial.directory):
        time.sleep(0.05)
    executor.close()
    assert trialdir.read_ending(trial.directory) is None
    assert executor.finished(timeout_s=0.1) == []
    assert executor.free == 2


def test_an_interrupt_waits_until_a_child_has_all_it_was_started_with(tmp_path):
    script = f"""
        import os, signal, sys
        from multiprocessing import forkserver
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import test_local
        from stability.executors.local import LocalExecutor

        asked = forkserver.connect_to_new_process
        def interrupted(fds):
            found = asked(fds)
            os.kill(os.getpid(), signal.SIGINT)
            return found

        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it
        executor = LocalExecutor(["cpu"])
        forkserver.connect_to_new_process = interrupted
        try:
            test_local.submit(executor, Path({str(tmp_path)!r}), how="fine")
        except KeyboardInterrupt:
            print("interrupted")
        executor.close()
        """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("interrupted\n", "")


def test_a_killed_driver_takes_its_children_with_it(tmp_path):
    script = textwrap.dedent(f"""
        import sys, time
        sys.path.insert(0, {str(Path(__file__).parents[1])!r})
        from pathlib import Path
        from executors.test_local import submit
        from stability.executors.local import LocalExecutor
        submit(LocalExecutor(["cpu"]), Path({str(tmp_path)!r}), how="hang")
        print("started", flush=True)
        time.sleep(600)
    """)
    driver = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert driver.stdout.readline() == "started\n"
    while not trialdir.captured(tmp_path / "0"):
        time.sleep(0.05)
    descendants = psutil.Process(driver.pid).children(recursive=True)
    assert descendants
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    driver.stdout.close()
    _, alive = psutil.wait_procs(descendants, timeout=60)
    assert alive == []
