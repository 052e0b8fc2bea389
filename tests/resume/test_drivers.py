"""Several drivers share a study: every trial once, whichever of them lives on."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import undisturbed


class Slow(undisturbed.Inline):
    """Takes a while for every trial."""

    def submit(self, trial):
        time.sleep(0.15)
        super().submit(trial)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The trials of the first stage after one driver ran alone; what a search draws depends on who was first."""
    folder = tmp_path_factory.mktemp("alone")
    assert undisturbed.in_a_process(lambda: undisturbed.run(folder / "s.db")) == 0
    return undisturbed.seen(str(folder / "s.db"))["compare"]


@pytest.fixture
def start():
    """Starts drivers in processes of their own."""
    started = []

    def run(task: Callable[[], None]) -> int:
        started.append(undisturbed.start(task))
        return started[-1]

    yield run
    for pid in started:
        with contextlib.suppress(
            ProcessLookupError, ChildProcessError
        ):  # most have ended and were waited for
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def wait(*pids: int) -> list[int]:
    return [undisturbed.wait(pid) for pid in pids]


def until_stored(database: Path, trials: int) -> None:
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        with contextlib.suppress(sqlite3.OperationalError), sqlite3.connect(database) as raw:  # no table yet
            if raw.execute("SELECT count(*) FROM stability_trials").fetchone()[0] >= trials:
                return
        time.sleep(0.02)
    raise AssertionError(f"{database} never held {trials} trials")


def check(found: dict, compared: list) -> None:
    assert found["compare"] == compared
    assert [state for _, state, *_ in found["search"]] == ["COMPLETE"] * 4
    places = [row["place"] for row in found["stability_trials"]]
    assert len(places) == len(set(places)) == undisturbed.PLANNED
    assert found["claims"] == found["drivers"] == 0


def test_three_drivers_of_one_file(start, compared, tmp_path):
    database = tmp_path / "s.db"
    drivers = [start(lambda: undisturbed.run(database, Slow())) for _ in range(3)]
    assert wait(*drivers) == [0, 0, 0]
    check(undisturbed.seen(str(database)), compared)


def test_a_driver_that_is_killed_releases_its_trials_at_once(start, compared, tmp_path):
    database = tmp_path / "s.db"
    first = start(lambda: undisturbed.run(database, Slow()))
    until_stored(database, 1)
    os.kill(first, signal.SIGKILL)
    wait(first)
    start_s = time.monotonic()
    assert wait(start(lambda: undisturbed.run(database))) == [0]
    assert time.monotonic() - start_s < 10  # not the lease of a minute
    check(undisturbed.seen(str(database)), compared)


def test_a_driver_that_falls_silent_loses_its_trials_and_stores_nothing_twice(start, compared, tmp_path):
    database = tmp_path / "s.db"
    first = start(lambda: undisturbed.run(database, Slow()))
    until_stored(database, 1)
    os.kill(first, signal.SIGSTOP)
    assert wait(start(lambda: undisturbed.run(database, lease_s=0.5))) == [0]
    found = undisturbed.seen(str(database))
    assert len(found["stability_trials"]) == undisturbed.PLANNED
    os.kill(first, signal.SIGCONT)
    assert wait(first) == [0]
    check(undisturbed.seen(str(database)), compared)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The URL of a PostgreSQL server of our own."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'stability[postgresql]'")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        pytest.skip("PostgreSQL's server is not installed: apt-get install postgresql")
    folder = tmp_path_factory.mktemp("postgresql")
    binaries, data = Path(initdb).resolve().parent, folder / "data"
    as_user: list[str] = []
    if os.getuid() == 0:  # the server refuses to run as root
        as_user = ["runuser", "-u", "postgres", "--"]
        for each in (folder, *folder.parents):
            if each.name.startswith(("pytest-", "popen-", "postgresql")):
                each.chmod(0o755)
        shutil.chown(folder, "postgres")
    port = str(20_000 + os.getpid() % 20_000)

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(binaries / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=folder)

    run("initdb", "-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses= -c fsync=off"
    run("pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
    yield f"postgresql+psycopg://postgres@/postgres?host={folder}&port={port}"
    run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")


def test_two_drivers_of_one_postgresql_server(start, server, compared, tmp_path):
    def task():
        os.chdir(tmp_path)  # trial directories of a server's studies lie in the working directory
        undisturbed.run(server, Slow())

    assert wait(start(task), start(task)) == [0, 0]
    check(undisturbed.seen(server), compared)
