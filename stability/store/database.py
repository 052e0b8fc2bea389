"""Opening a database: URLs, connection settings that let several processes share one SQLite file, errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from stability.records import UserError

BUSY_TIMEOUT_S = 60.0
EXAMPLE = "write sqlite:///stability.db"


def as_url(url: str) -> str:
    """`url` itself, or the SQLite URL of a file path."""
    return url if "://" in url else f"sqlite:///{url}"


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for other databases and for one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(parsed.database)


def connect(url: str, *, reading: bool = False) -> sa.Engine:
    """An engine for `url`. Raises `UserError` for a URL that cannot be opened."""
    try:
        engine = sa.create_engine(url, connect_args=connect_args(url))
        configure(engine, reading=reading)
        with engine.connect():
            return engine
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise UserError(f"storage {url!r}: error: {error}; {EXAMPLE}") from None
    except DatabaseError as error:
        raise UserError(f"storage {url!r}: error: cannot be opened: {error.orig}; {EXAMPLE}") from None


def require_existing(url: str) -> None:
    """Raise `UserError` when `url` is an SQLite file that is not there."""
    try:
        database = sqlite_file(url)
    except ArgumentError as error:
        raise UserError(f"storage {url!r}: error: {error}; {EXAMPLE}") from None
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
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # sqlite3 must not open transactions of its own
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
