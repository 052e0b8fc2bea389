"""A real run, with any of its processes killed at any moment, ends up with what an undisturbed one has."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from commanding import COMMAND

from stability.store import Store

ENDS = {
    "SIGKILL": [signal.SIGKILL],
    "SIGTERM": [signal.SIGTERM],
    "Ctrl-C": [signal.SIGINT],
    "Ctrl-C twice": [signal.SIGINT, signal.SIGINT],
}

pytestmark = pytest.mark.slow


@pytest.fixture
def start(study_file, tmp_path):
    """Starts the run of a study in a process of its own."""
    path = study_file(function="slow")
    command = [*COMMAND, "run", str(path), "--storage", str(tmp_path / "s.db")]
    command += ["--jobs", "2", "--out", str(tmp_path / "reports")]

    def run() -> subprocess.Popen:
        return subprocess.Popen(
            command,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background shell ignores it
        )

    return run


@pytest.fixture
def undisturbed(run_study, study_file):
    """What the same study leaves when nothing is killed; to be read once the disturbed run is over."""

    def run() -> list[dict]:
        _, store, _ = run_study(study_file(function="slow"), database="undisturbed.db")
        return results(store)

    return run


def results(store: Store) -> list[dict]:
    """What must not depend on how often a run was interrupted."""
    trials = store.frames("toy").trials.sort_values(["stage", "number"])
    columns = ["stage", "number", "key", "arm", "seed", "params", "verdict", "outcome", "evidence", "steps"]
    found = trials[[*columns, "yardstick_final"]].astype(str).to_dict("records")
    store.close()
    return found


def some_way_into(process: subprocess.Popen, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 3)):
        process.stdout.readline()
    time.sleep(dice.random())


def left_in(folder: Path) -> list[psutil.Process]:
    """Processes that still work in a folder, once those that were told to end had time to."""
    deadline_s = time.monotonic() + 60
    while (found := [p for p in psutil.process_iter() if _works_in(p, folder)]) and (
        time.monotonic() < deadline_s
    ):
        time.sleep(0.05)
    return found


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def server_of(process: subprocess.Popen) -> tuple[psutil.Process, list[psutil.Process]]:
    """The process that forks a driver's trials, and those trials, once there are any."""
    while process.poll() is None:
        for child in psutil.Process(process.pid).children():
            if workers := child.children():
                return child, workers
        time.sleep(0.01)
    raise AssertionError("the run ended before any of it was killed")


@pytest.mark.parametrize("how", ENDS)
def test_the_driver(start, undisturbed, tmp_path, how):
    dice = random.Random(how)
    for _ in range(2):
        process = start()
        some_way_into(process, dice)
        for each in ENDS[how]:
            os.kill(process.pid, each)
            time.sleep(0.02)
        _, err = process.communicate()
        assert process.returncode in (0, 1, 130, -ENDS[how][0])  # the last two: outside the command itself
        assert "Traceback" not in err
        if process.returncode == 1:
            assert "the same command goes on from there" in err
        assert left_in(tmp_path) == []
    done = start()
    _, err = done.communicate()
    assert done.returncode == 0, err
    assert results(Store(str(tmp_path / "s.db"))) == undisturbed()


@pytest.mark.parametrize("victim", ["worker", "server"])
def test_a_child_of_the_driver(start, undisturbed, tmp_path, victim):
    dice = random.Random(victim)
    process = start()
    for _ in range(2):
        some_way_into(process, dice)
        server, workers = server_of(process)
        (server if victim == "server" else dice.choice(workers)).kill()
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert "Traceback" not in err
    store = Store(str(tmp_path / "s.db"))
    assert store.frames("toy").trials.attempts.max() > 1
    assert results(store) == undisturbed()
    assert left_in(tmp_path) == []
