"""What a loss of power leaves is finished to the same end.

A copy of the folder is taken while a run writes in it. SQLite's files are copied together, in the order that
its recovery expects; of every other file the part that was not forced to disk may be missing.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
import undisturbed

COPIES = 12


class Slow(undisturbed.Inline):
    """Leaves the disk some time between a trial's end and its row."""

    def submit(self, trial):
        super().submit(trial)
        time.sleep(0.05)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    assert undisturbed.in_a_process(lambda: undisturbed.run(folder / "s.db")) == 0
    return undisturbed.seen(str(folder / "s.db"))


def finished(folder: Path) -> dict:
    assert undisturbed.in_a_process(lambda: undisturbed.run(folder / "s.db")) == 0
    return undisturbed.seen(str(folder / "s.db"))


def lose_power(pid: int, folder: Path, copy: Path, dice: random.Random) -> None:
    """Copy what is on disk at this moment, and cut files that were not forced to it."""
    os.kill(pid, signal.SIGSTOP)  # a disk holds one moment, a copy takes many
    shutil.copytree(folder, copy)
    os.kill(pid, signal.SIGCONT)
    (copy / "s.db-shm").unlink(missing_ok=True)  # memory
    unforced = [file for name in ("*.jsonl", "process", "stdout.log") for file in copy.rglob(name)]
    for file in sorted(unforced):
        if dice.random() < 0.5:
            os.truncate(file, dice.randint(0, file.stat().st_size))
    log = copy / "s.db-wal"
    if log.exists() and dice.random() < 0.5:  # commits reach the log at once, and the disk a little later
        os.truncate(log, dice.randint(0, log.stat().st_size))


def test_copies_taken_while_a_run_writes(whole, tmp_path):
    dice, folder = random.Random(1), tmp_path / "running"
    copies = [tmp_path / f"copy-{i}" for i in range(COPIES)]
    folder.mkdir()
    pid = undisturbed.start(lambda: undisturbed.run(folder / "s.db", Slow()))
    while not (folder / "s.trials" / "toy").exists():
        time.sleep(0.005)
    for copy in copies:
        time.sleep(dice.uniform(0.0, 0.09))
        lose_power(pid, folder, copy, dice)
    assert undisturbed.wait(pid) == 0
    for copy in copies:
        assert finished(copy) == whole, copy


def test_a_trial_whose_records_lost_their_end_runs_again(whole, tmp_path):
    """outcome.json reached the disk, the rows did not, and neither did the last records."""

    class Cut(undisturbed.Inline):
        def finished(self, timeout_s):
            [directory] = super().finished(timeout_s)
            with (directory / "steps.jsonl").open("r+") as records:
                lines = records.readlines()
                records.seek(0)
                records.truncate()
                records.writelines(lines[:-4])
            os._exit(9)

    assert undisturbed.in_a_process(lambda: undisturbed.run(tmp_path / "s.db", Cut())) == 9
    assert finished(tmp_path) == whole


def test_a_folder_that_was_lost_with_the_power(whole, tmp_path):
    class Ends(undisturbed.Inline):
        count = 0

        def finished(self, timeout_s):
            Ends.count += 1
            if Ends.count == 7:
                os._exit(9)
            return super().finished(timeout_s)

    assert undisturbed.in_a_process(lambda: undisturbed.run(tmp_path / "s.db", Ends())) == 9
    shutil.rmtree(tmp_path / "s.trials")
    assert finished(tmp_path) == whole
