"""Several drivers share a study: every trial once, whichever of them lives on."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
import undisturbed

from stability.store import Store

ASLEEP = Path("asleep")
NEVER_S = 86_400.0
"""A lease that no test waits for."""


class Slow(undisturbed.Inline):
    """Takes a while for every trial, during which it holds no lock of the database."""

    def submit(self, trial):
        ASLEEP.touch()
        time.sleep(0.15)
        ASLEEP.unlink(missing_ok=True)  # another driver may have been as slow
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


def until_stored(database: str, trials: int) -> None:
    url = database if "://" in database else f"sqlite:///{database}"
    engine, deadline_s = sa.create_engine(url, poolclass=sa.NullPool), time.monotonic() + 240
    while time.monotonic() < deadline_s:
        with contextlib.suppress(sa.exc.DBAPIError), engine.connect() as raw:  # no table yet
            if raw.execute(sa.text("SELECT count(*) FROM stability_trials")).scalar_one() >= trials:
                return
        time.sleep(0.02)
    raise AssertionError(f"{database} never held {trials} trials")


def stop_asleep(pid: int, asleep: Path) -> None:
    """Stop a driver while it is `Slow`; one that woke up before the signal came goes on until the next time."""
    while True:
        if asleep.exists():
            os.kill(pid, signal.SIGSTOP)
            _, state = os.waitpid(pid, os.WUNTRACED)
            assert os.WIFSTOPPED(state), "the driver ended"
            if asleep.exists():
                return
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.001)


def check(found: dict, compared: list) -> None:
    assert found["compare"] == compared
    assert [state for _, state, *_ in found["search"]] == ["COMPLETE"] * 4
    places = [row["place"] for row in found["stability_trials"]]
    assert len(places) == len(set(places)) == undisturbed.PLANNED
    assert found["claims"] == found["drivers"] == 0


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
        subprocess.run(command, check=True, capture_output=True, cwd=folder)

    run("initdb", "-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses= -c fsync=off"
    run("pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "-t", "240", "start")
    yield f"postgresql+psycopg://postgres@/postgres?host={folder}&port={port}"
    run("pg_ctl", "-D", str(data), "-m", "immediate", "-t", "240", "stop")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """An empty database: a file, or one of the server's."""
    if request.param == "sqlite":
        return str(tmp_path / "s.db")
    url = sa.make_url(request.getfixturevalue("server"))
    name = f"study_{time.monotonic_ns()}"
    with sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool).connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    return url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def drive(database, tmp_path):
    """Runs the study in this process."""

    def run(*executor, **options):
        os.chdir(tmp_path)  # trial directories of a server's studies lie in the working directory
        undisturbed.run(database, *executor, **options)

    return run


def test_three_drivers_share_a_study(drive, start, compared, database):
    drivers = [start(lambda: drive(Slow())) for _ in range(3)]
    assert wait(*drivers) == [0, 0, 0]
    check(undisturbed.seen(database), compared)


def test_every_database_answers_alike(drive, start, database):
    """What `status` and `report` read, counted and outlined by the database."""
    assert wait(start(drive)) == [0]
    store = Store(database, create=False)
    counts = [(row["stage"], row["arm"], row["trials"]) for row in store.counts("toy")]
    assert counts == [("compare", "gentle", 3), ("compare", "rough", 3), ("search", None, 4)]
    whole, outline = store.frames("toy").steps, store.outline("toy", "compare").steps
    compared = whole[whole.trial_id.isin(outline.trial_id) & (whole.quantity == "total")]
    totals = outline[outline.quantity == "total"]
    assert (
        sorted(totals.value.dropna()) == sorted(compared.value.dropna()) and len(totals) == len(compared) > 0
    )
    store.close()


def test_a_driver_that_is_killed_releases_its_trials_at_once(drive, start, compared, database):
    first = start(lambda: drive(Slow(), lease_s=NEVER_S))
    until_stored(database, 1)
    os.kill(first, signal.SIGKILL)
    wait(first)
    assert wait(start(lambda: drive(lease_s=NEVER_S))) == [0]
    check(undisturbed.seen(database), compared)


def test_a_driver_that_falls_silent_loses_its_trials_and_stores_nothing_twice(
    drive, start, compared, database, tmp_path
):
    """Silent between two transactions: one that stops within one keeps SQLite's lock, and nobody can write."""
    first = start(lambda: drive(Slow()))
    until_stored(database, 1)
    stop_asleep(first, tmp_path / ASLEEP)
    assert wait(start(lambda: drive(lease_s=0.5))) == [0]
    found = undisturbed.seen(database)
    assert len(found["stability_trials"]) == undisturbed.PLANNED
    os.kill(first, signal.SIGCONT)
    assert wait(first) == [0]
    check(undisturbed.seen(database), compared)
