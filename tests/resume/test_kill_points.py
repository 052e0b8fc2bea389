"""A driver killed before any of its writes, and run again, leaves what an undisturbed one leaves."""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
import undisturbed
from sqlalchemy import event

KILLED = 9
POINTS = 200
PARTS = 8
CHANGES_FILES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree"}


class KillPoints:
    """Counts the writes of this process, to a database or in `folder`, and ends it before one of them."""

    def __init__(self, folder: Path, at: int | None = None) -> None:
        self._folder, self._at, self._process = str(folder), at, os.getpid()
        self.passed: list[str] = []
        sys.addaudithook(self._audit)
        event.listen(sa.Engine, "before_cursor_execute", self._statement)
        event.listen(sa.Engine, "commit", lambda _: self._point("commit"))

    def _audit(self, name: str, arguments: tuple[object, ...]) -> None:
        writes = name == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (writes or name in CHANGES_FILES) and str(arguments[0]).startswith(self._folder):
            self._point(f"{name} {Path(str(arguments[0])).suffix}")

    def _statement(self, _connection, _cursor, statement: str, *_) -> None:
        verb = statement.split(maxsplit=1)[0].upper()
        if verb not in ("SELECT", "PRAGMA", "BEGIN"):
            self._point(" ".join(statement.split()[:3]).lower())

    def _point(self, what: str) -> None:
        if os.getpid() != self._process:
            return
        self.passed.append(what)
        if len(self.passed) == self._at:
            os._exit(KILLED)


def killed(folder: Path, at: int) -> int:
    """Run the study in `folder` up to its write number `at`; the process's exit code."""

    def task() -> None:
        KillPoints(folder, at)
        undisturbed.run(folder / "s.db")

    return undisturbed.in_a_process(task)


def resumed(folder: Path) -> dict:
    assert undisturbed.in_a_process(lambda: undisturbed.run(folder / "s.db")) == 0
    return undisturbed.seen(str(folder / "s.db"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What an undisturbed run leaves, and the writes it took."""
    folder = tmp_path_factory.mktemp("whole")

    def task() -> None:
        points = KillPoints(folder)
        undisturbed.run(folder / "s.db")
        (folder / "writes").write_text("\n".join(points.passed))

    assert undisturbed.in_a_process(task) == 0
    return undisturbed.seen(str(folder / "s.db")), (folder / "writes").read_text().splitlines()


def test_an_undisturbed_run_is_complete_and_repeatable(whole, tmp_path):
    found, writes = whole
    trials = found["compare"] + found["search"]
    assert [state for _, state, *_ in trials] == ["COMPLETE"] * undisturbed.PLANNED
    assert len(found["stability_trials"]) == undisturbed.PLANNED
    assert {row["verdict"] for row in found["stability_trials"]} == {"STABLE", "DIVERGED"}
    assert found["claims"] == found["drivers"] == 0
    assert resumed(tmp_path) == found
    kinds = Counter(writes)
    assert kinds["commit"] > 2 * undisturbed.PLANNED and kinds["os.rename .tmp"] == 2 * undisturbed.PLANNED


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_run_killed_before_any_write_is_finished_by_the_next(whole, tmp_path, part):
    found, writes = whole
    dice = random.Random(part)
    for at in random.Random(0).sample(range(1, len(writes) + 1), POINTS)[part::PARTS]:
        folder = tmp_path / f"{at}"
        folder.mkdir()
        assert killed(folder, at) == KILLED
        if dice.random() < 0.25:  # and so is the next run
            assert killed(folder, dice.randint(1, 60)) == KILLED
        assert resumed(folder) == found, f"killed before write {at}: {writes[at - 1]}"
