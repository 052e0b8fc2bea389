"""Files of named numbers that a program writes: JSON lines, tables, event files -> observations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from math import nan
from pathlib import Path
from typing import Protocol

from stability.logs.columns import retitled, title_of
from stability.logs.events import EventFiles
from stability.logs.fields import Line
from stability.logs.json_document import JsonDocument
from stability.logs.json_text import of_numbers
from stability.logs.jsonlines import JsonLines
from stability.logs.lines import Lines
from stability.logs.observation import Observation
from stability.logs.overlooked import may_speak, spoken
from stability.logs.reading import EVALUATE
from stability.logs.rows import Names
from stability.logs.structural import Structural
from stability.logs.tables import Table
from stability.logs.tail import Tail
from stability.logs.timeline import Kind
from stability.logs.vocabulary import LOSSES, Sort, meaning, split_of
from stability.logs.wandb_files import WandbFile
from stability.spec.command import AUTO, TableSource

Row = dict[str, float]


class Rows(Protocol):
    """A file that may not be there yet and grows; `end` has what its last line says without an end."""

    def new(self) -> Iterator[Row]: ...

    def end(self) -> Iterator[Row]: ...


class LineReader(Protocol):
    """Lines -> rows. `restart` tells of a file that is written anew; `notes` and `problem` are of gaps,
    `absent` of wanted names that cannot come.
    """

    def read(self, line: str) -> Row | None: ...

    def restart(self) -> None: ...

    def notes(self) -> Iterator[str]: ...

    def problem(self) -> str | None: ...

    def absent(self) -> str | None: ...


class FileSource:
    """Reads the rows of a file that have wanted names."""

    def __init__(
        self,
        source: TableSource,
        path: Path,
        rows: Rows,
        *,
        names_steps: bool | None,
        reader: LineReader | None = None,
    ) -> None:
        """`reader` makes the rows of lines, if any does."""
        self._names, self._path, self.rows = _names(source), path, rows
        self._reader = reader
        trains = bool(source.train) or not source.evaluate
        self.kind = Kind(trains=trains, names_steps=names_steps)
        self._seen = 0

    def new(self) -> Iterable[Observation]:
        return self._read(self.rows.new())

    def end(self) -> Iterable[Observation]:
        yield from self._read(self.rows.new())
        yield from self._read(self.rows.end())

    def told(self, name: str) -> str:
        """How much was understood, in words."""
        if self._reader is not None and (absent := self._reader.absent()):
            return f"parse.{name}: {absent}"
        if not self._seen:
            return f"parse.{name} found no row in {self._path}"
        wanted = ", ".join(sorted(self._names.wanted)) or "a loss"
        return f"none of {self._seen:,} rows of parse.{name} has {wanted}"

    def notes(self, name: str) -> Iterator[str]:
        """What a person should know of how it was read."""
        if self._reader is not None:
            yield from (f"parse.{name}: {sentence}" for sentence in self._reader.notes())

    def problem(self, name: str) -> str | None:
        """Why the end of the training is unknown, if it is."""
        found = self._reader.problem() if self._reader is not None else None
        return found and f"parse.{name}: {found}"

    def _read(self, rows: Iterable[Row]) -> Iterable[Observation]:
        for row in rows:
            self._seen += 1
            yield from self._names.read(row)


class StructuralRows:
    """Reads the rows of a file by their names, and by how their numbers move."""

    def __init__(self, path: Path, rows: Rows, weighed: Collection[str], *, is_table: bool) -> None:
        """`is_table`: a cell that is empty may stand for NaN."""
        self._path, self._rows, self._is_table = path, rows, is_table
        self._title = title_of(path)
        self.reader = Structural(weighed)
        self.overlooked = self.reader.overlooked
        if isinstance(rows, _Lined):
            rows.hear = self._hear
        self.kind = Kind(names_steps=None)
        self._seen = 0
        self._last: dict[str, float] = {}

    def new(self) -> Iterable[Observation]:
        return self._read(self._rows.new())

    def end(self) -> Iterable[Observation]:
        yield from self._read(self._rows.new())
        yield from self._read(self._rows.end())
        yield from self.reader.end()

    def told(self, name: str) -> str:
        """How much was understood, in words."""
        if not self._seen:
            return f"parse.{name} found no row in {self._path}"
        return f"nothing in {self._seen:,} rows of parse.{name} looks like a training loss"

    def notes(self, name: str) -> Iterator[str]:
        """Nothing is left out of rows."""
        yield from ()

    def problem(self, name: str) -> str | None:
        """Why the end of the training is unknown, if it is."""
        return None

    def _read(self, rows: Iterable[Row]) -> Iterable[Observation]:
        for row in rows:
            self._seen += 1
            whole = self._whole(row) if self._is_table else row
            whole = retitled(whole, self._title) if self._title else whole
            yield from self.reader.take(Line(str(row), of_numbers(whole), ""))

    def _hear(self, line: str) -> None:
        """What a line says in words beside its numbers."""
        for text in spoken(line):
            self.overlooked.words(text)

    def _whole(self, row: Row) -> Row:
        """A row that has nothing but its place is one of NaNs, as pandas writes them."""
        if not row or any(meaning(name).sort not in (Sort.STEP, Sort.EPOCH) for name in row):
            if not self._last or any(_is_trained(name) for name in row):
                self._last = row
            return row
        return dict.fromkeys(self._last, nan) | row


def _is_trained(name: str) -> bool:
    return meaning(name).sort in LOSSES and split_of(name) != EVALUATE


class _Lined:
    """The rows that are lines of a growing file; `hear` is told those that may speak of NaN."""

    def __init__(self, path: Path, reader: LineReader) -> None:
        self._tail, self._lines, self._reader = Tail(path), Lines(), reader
        self.hear: Callable[[str], None] | None = None

    def new(self) -> Iterator[Row]:
        for piece in self._tail.pieces():
            if piece is None:
                self._lines = Lines()
                self._reader.restart()
            else:
                yield from self._rows_of(self._lines.feed(piece))

    def end(self) -> Iterator[Row]:
        yield from self._rows_of(self._lines.end())

    def _rows_of(self, lines: list[str]) -> Iterator[Row]:
        for line in lines:
            if self.hear is not None and may_speak(line):
                self.hear(line)
            if (row := self._reader.read(line)) is not None:
                yield row


def _json_lines(source: TableSource, path: Path) -> FileSource:
    return _of_lines(source, path, JsonLines(_names(source)))


def _csv(source: TableSource, path: Path) -> FileSource:
    return _of_lines(source, path, Table(_names(source), are_gaps_nan=source.train == AUTO))


def _of_lines(source: TableSource, path: Path, reader: LineReader) -> FileSource:
    return FileSource(source, path, _Lined(path, reader), names_steps=_named(source), reader=reader)


def _json(source: TableSource, path: Path) -> FileSource:
    return FileSource(source, path, JsonDocument(path), names_steps=_named(source))


def _events(source: TableSource, path: Path) -> FileSource:
    return FileSource(source, path, EventFiles(path), names_steps=True)


def _wandb(source: TableSource, path: Path) -> FileSource:
    return FileSource(source, path, WandbFile(path), names_steps=True)


def _names(source: TableSource) -> Names:
    """What is wanted of a file; nothing where all of it is looked at."""
    return Names() if source.train == AUTO else Names(source.train, source.evaluate)


def _named(source: TableSource) -> bool | None:
    """Whether rows have a step; None where the first of them will show it."""
    return True if source.train != AUTO and "step" in source.train else None


def opened(
    name: str, source: TableSource, path: Path, weighed: Collection[str]
) -> FileSource | StructuralRows:
    """The reader of a file of the kind `name`."""
    made = FILES[name](source, path)
    if source.train != AUTO:
        return made
    return StructuralRows(path, made.rows, weighed, is_table=name == "csv")


FILES: dict[str, Callable[[TableSource, Path], FileSource]] = {
    "jsonl": _json_lines,
    "json": _json,
    "csv": _csv,
    "tensorboard": _events,
    "wandb": _wandb,
}
