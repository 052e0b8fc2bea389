"""One text of a program: bytes -> lines -> observations, and what to say where none came of it."""

from __future__ import annotations

from collections.abc import Iterable

from stability.spec.command import LogSource, TextSource
from stability.trainers.parse.observation import Observation
from stability.trainers.parse.patterns import Pattern, Reader
from stability.trainers.parse.text import Lines
from stability.trainers.parse.timeline import Kind


class Text:
    """Reads a stream, or the pieces of a file, by regular expressions."""

    def __init__(self, source: TextSource) -> None:
        patterns = [Pattern(text) for text in source.train]
        self.kind = Kind(
            trains=bool(patterns),
            names_steps=any("step" in pattern.names for pattern in patterns),
            is_stream=not isinstance(source, LogSource),
        )
        patterns += [Pattern(text, is_evaluation=True) for text in source.evaluate]
        self._lines, self._reader, self._peeked = Lines(), Reader(patterns), Reader(patterns)

    @property
    def cut(self) -> int:
        """How many lines were longer than what is looked at."""
        return self._lines.cut

    def read(self, piece: bytes) -> Iterable[Observation]:
        return self._reader.read(self._lines.feed(piece))

    def peek(self) -> Iterable[Observation]:
        """What a line says that has not ended yet; it is read again, whole."""
        return self._peeked.read(self._lines.peek())

    def end(self) -> Iterable[Observation]:
        return self._reader.read(self._lines.end())

    def told(self, name: str) -> str:
        """How much was understood, in words."""
        reader = self._reader
        if not reader.lines:
            return f"parse.{name} found no line"
        counted = f"{reader.matched:,} of {reader.lines:,} lines matched parse.{name}"
        if reader.matched:
            return f"{counted}, none of them with a loss; first: {' | '.join(reader.said)}"
        return f"{counted}; first lines: {' | '.join(reader.first)}"
