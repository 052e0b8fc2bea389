"""One text of a program: bytes -> lines -> observations, and what to say where none came of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from stability.logs.columns import title_of
from stability.logs.lines import Lines
from stability.logs.observation import Observation
from stability.logs.overlooked import Overlooked, may_speak
from stability.logs.patterns import Pattern, Reader
from stability.logs.roles import Given
from stability.logs.structural import Structural
from stability.logs.timeline import Kind
from stability.spec.command import LogSource, TextSource


class StructuralText:
    """Reads a stream, or the pieces of a file, by the structure of its lines."""

    def __init__(
        self, source: TextSource, weighed: Collection[str] = (), path: Path | None = None
    ) -> None:
        """`path` of the file, where it is one."""
        self.kind = Kind(names_steps=None, is_stream=not isinstance(source, LogSource))
        self._lines, self.reader = Lines(), Structural(weighed, Given(*source.names), title_of(path))
        self.overlooked = self.reader.overlooked

    def read(self, piece: bytes) -> Iterable[Observation]:
        return self.reader.read(self._lines.feed(piece))

    def peek(self) -> Iterable[Observation]:
        """A line that has not ended yet is read when it has."""
        return ()

    def end(self) -> Iterable[Observation]:
        yield from self.reader.read(self._lines.end())
        yield from self.reader.end()

    def notes(self, name: str) -> Iterator[str]:
        """What a person should know of how it was read."""
        if cut := self._lines.cut:
            yield f"parse.{name}: {cut:,} lines were longer than what is looked at"

    def problem(self, name: str) -> str | None:
        """Why the end of the training is unknown, if it is."""
        return None

    def told(self, name: str) -> str:
        """How much was understood, in words."""
        reader = self.reader
        if not reader.lines:
            return f"parse.{name} found no line"
        first = " | ".join(reader.first)
        return f"nothing in {reader.lines:,} lines of {name} looks like a training loss; first: {first}"


class WatchedText:
    """A stream that nobody reads: only what is not finite in it counts."""

    def __init__(self) -> None:
        self._lines, self.overlooked = Lines(), Overlooked()

    def read(self, piece: bytes) -> None:
        self._look(self._lines.feed(piece))

    def end(self) -> None:
        self._look(self._lines.end())

    def _look(self, lines: Sequence[str]) -> None:
        for line in lines:
            if may_speak(line):
                self.overlooked.line(line)


class Text:
    """Reads a stream, or the pieces of a file, by regular expressions."""

    def __init__(self, source: TextSource) -> None:
        patterns = _patterns(source)
        self.kind = Kind(
            trains=bool(source.train),
            names_steps=any("step" in pattern.names for pattern in patterns if not pattern.is_evaluation),
            is_stream=not isinstance(source, LogSource),
        )
        self._lines, self._reader, self._peeked = Lines(), Reader(patterns), Reader(_patterns(source))
        self.overlooked = self._reader.overlooked

    def read(self, piece: bytes) -> Iterable[Observation]:
        return self._reader.read(self._lines.feed(piece))

    def peek(self) -> Iterable[Observation]:
        """What a line says that has not ended yet; it is read again, whole."""
        return self._peeked.read(self._lines.peek())

    def end(self) -> Iterable[Observation]:
        return self._reader.read(self._lines.end())

    def notes(self, name: str) -> Iterator[str]:
        """What a person should know of how it was read."""
        if cut := self._lines.cut:
            yield f"parse.{name}: {cut:,} lines were longer than what is looked at"
        yield from (f"parse.{name}: {sentence}" for sentence in self._reader.notes())

    def problem(self, name: str) -> str | None:
        """Why the end of the training is unknown, if it is."""
        found = self._reader.problem()
        return found and f"parse.{name}: {found}"

    def told(self, name: str) -> str:
        """How much was understood, in words."""
        reader = self._reader
        if not reader.lines:
            return f"parse.{name} found no line"
        counted = f"{reader.matched:,} of {reader.lines:,} lines matched parse.{name}"
        if why := reader.unread():
            return f"{reader.lines:,} lines came to parse.{name}; {why}"
        if reader.matched:
            return f"{counted}, none of them with a loss; first: {' | '.join(reader.said)}"
        return f"{counted}; first lines: {' | '.join(reader.first)}"


def _patterns(source: TextSource) -> list[Pattern]:
    evaluations = [Pattern(text, is_evaluation=True) for text in source.evaluate]
    return [Pattern(text) for text in source.train] + evaluations
