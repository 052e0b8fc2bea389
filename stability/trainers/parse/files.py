"""Files of named numbers that a program writes: JSON lines, tables, event files -> observations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from stability.spec.command import TableSource
from stability.trainers.parse import jsonlines
from stability.trainers.parse.events import EventFiles
from stability.trainers.parse.observation import Observation
from stability.trainers.parse.rows import Names
from stability.trainers.parse.tables import Table
from stability.trainers.parse.tail import Tail
from stability.trainers.parse.text import Lines
from stability.trainers.parse.timeline import Kind
from stability.trainers.parse.wandb_files import WandbFile

Row = dict[str, float]


class Rows(Protocol):
    """A file that may not be there yet and grows; `end` has what its last line says without an end."""

    def new(self) -> Iterator[Row]: ...

    def end(self) -> Iterator[Row]: ...


class FileSource:
    """Reads the rows of a file that have wanted names."""

    def __init__(self, source: TableSource, path: Path, rows: Rows, *, names_steps: bool | None) -> None:
        self._names, self._path, self._rows = Names(source.train, source.evaluate), path, rows
        trains = bool(source.train) or not source.evaluate
        self.kind = Kind(trains=trains, names_steps=names_steps)
        self._seen = 0

    def new(self) -> Iterable[Observation]:
        return self._read(self._rows.new())

    def end(self) -> Iterable[Observation]:
        yield from self._read(self._rows.new())
        yield from self._read(self._rows.end())

    def told(self, name: str) -> str:
        """How much was understood, in words."""
        if not self._seen:
            return f"parse.{name} found no row in {self._path}"
        wanted = ", ".join(sorted(self._names.wanted)) or "a loss"
        return f"none of {self._seen:,} rows of parse.{name} has {wanted}"

    def _read(self, rows: Iterable[Row]) -> Iterable[Observation]:
        for row in rows:
            self._seen += 1
            yield from self._names.read(row)


class _Lined:
    """The rows that are lines of a growing file; `read` makes a row of a line, `restart` tells of a new
    file.
    """

    def __init__(
        self, path: Path, read: Callable[[str], Row | None], restart: Callable[[], None] = lambda: None
    ) -> None:
        self._tail, self._lines, self._read, self._restart = Tail(path), Lines(), read, restart

    def new(self) -> Iterator[Row]:
        for piece in self._tail.pieces():
            if piece is None:
                self._lines = Lines()
                self._restart()
            else:
                yield from self._rows_of(self._lines.feed(piece))

    def end(self) -> Iterator[Row]:
        yield from self._rows_of(self._lines.end())

    def _rows_of(self, lines: list[str]) -> Iterator[Row]:
        for line in lines:
            if (row := self._read(line)) is not None:
                yield row


def _json_lines(source: TableSource, path: Path) -> FileSource:
    return FileSource(source, path, _Lined(path, jsonlines.row), names_steps=_named(source))


def _csv(source: TableSource, path: Path) -> FileSource:
    table = Table(Names(source.train, source.evaluate).wanted)
    return FileSource(source, path, _Lined(path, table.read, table.restart), names_steps=_named(source))


def _events(source: TableSource, path: Path) -> FileSource:
    return FileSource(source, path, EventFiles(path), names_steps=True)


def _wandb(source: TableSource, path: Path) -> FileSource:
    return FileSource(source, path, WandbFile(path), names_steps=True)


def _named(source: TableSource) -> bool | None:
    """Whether rows have a step; None where the first of them will show it."""
    return True if "step" in source.train else None


FILES: dict[str, Callable[[TableSource, Path], FileSource]] = {
    "jsonl": _json_lines,
    "csv": _csv,
    "tensorboard": _events,
    "wandb": _wandb,
}
