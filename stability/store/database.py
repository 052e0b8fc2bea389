"""Opening a database: URLs, connection settings that let several processes share one SQLite file, errors."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from stability.records import UserError
from stability.redaction import without_password

BUSY_TIMEOUT_S = 60.0
_ADVISORY_KEY = 0x57AB_1117  # any number that others are unlikely to use
EXAMPLE = "write sqlite:///stability.db"
DRIVER = 'pip install "stability[postgresql]" and write postgresql+psycopg://user@host/database'


def as_url(url: str) -> str:
    """`url` itself, or the SQLite URL of a file path. Raises `UserError` for a database in memory."""
    if not url or ":memory:" in url or url in ("sqlite://", "sqlite:///"):
        raise UserError(f"storage {url!r}: error: a study needs a database that stays; {EXAMPLE}")
    if "://" not in url:
        return f"sqlite:///{url}"
    try:
        make_url(url)
    except ArgumentError as error:
        raise UserError(f"storage {without_password(url)!r}: error: {error}; {EXAMPLE}") from None
    return url


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for other databases."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" else None


def connect(url: str, *, reading: bool = False) -> sa.Engine:
    """An engine for `url`. Raises `UserError` for a URL that cannot be opened."""
    file = sqlite_file(url) if reading else None
    try:
        if file is not None and not os.access(file.parent, os.W_OK) and not _has_log(file):
            # WAL needs a folder to write in, and nobody can be writing to this file.
            return sa.create_engine(f"sqlite:///file:{quote(str(file))}?mode=ro&immutable=1&uri=true")
        engine = sa.create_engine(url, connect_args=connect_args(url))
        configure(engine, reading=reading)
        with engine.connect():
            return engine
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        shown = without_password(url)
        driver = DRIVER if url.startswith("postgresql") else EXAMPLE
        raise UserError(f"storage {shown!r}: error: {error}; {driver}") from None
    except DatabaseError as error:
        shown = without_password(url)
        raise UserError(f"storage {shown!r}: error: cannot be opened: {error.orig}; {EXAMPLE}") from None


def _has_log(file: Path) -> bool:
    """Whether committed rows still lie in the write-ahead log, which an immutable file's reader ignores."""
    log = file.with_name(f"{file.name}-wal")
    return log.exists() and log.stat().st_size > 0


def identity(url: str) -> str:
    """Tells a database from a copy of its file."""
    file = sqlite_file(url)
    if file is None:
        return "server"
    found = file.stat()
    return f"{found.st_dev}:{found.st_ino}"


@contextlib.contextmanager
def exclusively(engine: sa.Engine, folder: Path) -> Iterator[None]:
    """Hold back other drivers of the same database; the system lets them on however this process ends.

    SQLite: a lock on a file in `folder`. PostgreSQL: an advisory lock of the server. Others as
    SQLite, which holds for drivers of one machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_KEY})
            try:
                yield
            finally:
                connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_KEY})
        return
    with (folder / "driver.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def require_existing(url: str) -> None:
    """Raise `UserError` when `url` is an SQLite file that is not there."""
    database = sqlite_file(url)
    if database is not None and not database.is_file():
        raise UserError(f"storage {url!r}: error: no such file; run a study first, or give --storage")


def connect_args(url: str) -> dict[str, Any]:
    """Driver arguments: how long to wait for another writer."""
    return {"timeout": BUSY_TIMEOUT_S} if url.startswith("sqlite") else {}


def configure(engine: sa.Engine, *, reading: bool = False) -> None:
    """Let several processes read and write one SQLite file at the same time.

    WAL lets readers and one writer work together. BEGIN IMMEDIATE takes the write lock before reading, so
    that two drivers cannot both claim what only one of them may have; an engine that only reads does not.
    """
    engine.pool.logger.addFilter(_is_no_interrupt)
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # sqlite3 must not open transactions of its own
        _use_write_ahead_log(connection)
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _is_no_interrupt(record: logging.LogRecord) -> bool:
    """False for Ctrl-C while a connection is given back: the pool raises it too, where it is answered."""
    return not (record.exc_info and isinstance(record.exc_info[1], KeyboardInterrupt))


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch a file to WAL. SQLite does not wait for its lock here, as it does everywhere else."""
    deadline_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline_s:
                raise
            time.sleep(0.01)
