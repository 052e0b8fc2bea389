"""Lines of text -> observations, by regular expressions whose named groups say what each number is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from stability.trainers.parse.numbers import TOKEN, may_be_nonfinite, nonfinite, number
from stability.trainers.parse.observation import Observation, observed

STAND_INS = (*(f"9.{'0' * places}" for places in (4, 3, 2, 1, 5, 6, 8)), "9", "9.0000e+00", "9.0e+00")
"""What a NaN might look like if it were a number, to an expression that knows only digits."""


class Pattern:
    """One regular expression; it is searched for anywhere in a line."""

    def __init__(self, text: str, *, is_evaluation: bool = False) -> None:
        self._regex = re.compile(text)
        self.names = tuple(self._regex.groupindex)
        self.is_evaluation = is_evaluation

    def read(self, line: str, *, suspect: bool) -> Observation | None:
        """What `line` says; None where it does not match or holds no number.

        `suspect`: it may hold a NaN or an infinity. Such a line is read even if the expression knows only
        digits, as `[0-9.]+` does: else the worst trainings would look like the quiet ones.
        """
        found = self._regex.search(line)
        values, complete = self._values(found.groupdict()) if found else ({}, False)
        if suspect and (not complete or len(values) < len(self.names)):
            disguised = self._read_nonfinite(line)
            values = disguised if len(disguised) >= len(values) else values
        return observed(values, is_evaluation=self.is_evaluation) if values else None

    def _values(self, texts: dict[str, str | None]) -> tuple[dict[str, float], bool]:
        """The numbers, and whether every group that took part is one."""
        try:
            return {name: float(text) for name, text in texts.items()}, True
        except (TypeError, ValueError):  # a group that took no part, or a number in another spelling
            known = {name: number(text) for name, text in texts.items() if text is not None}
        values = {name: value for name, value in known.items() if value is not None}
        return values, len(values) == len(known)

    def _read_nonfinite(self, line: str) -> dict[str, float]:
        """The numbers of a line that matches once stand-ins take the place of its NaNs and infinities.

        A group with any part of a stand-in is what that stands for.
        """
        tokens = list(TOKEN.finditer(line))
        for stand_in in STAND_INS:
            disguised, starts, end = "", [], 0
            for token in tokens:
                disguised += line[end : token.start()]
                starts.append(len(disguised))
                disguised += stand_in
                end = token.end()
            found = self._regex.search(disguised + line[end:])
            values, complete = self._values(found.groupdict()) if found else ({}, False)
            if complete:
                for name in values:
                    first, last = found.span(name)
                    for token, start in zip(tokens, starts, strict=True):
                        if first < start + len(stand_in) and start < last:
                            values[name] = nonfinite(token.group())
                return values
        return {}


class Reader:
    """Reads lines by several patterns.

    `matched` counts lines that said something; the first of them are in `said`, of the others in `first`.
    """

    SHOWN, SHOWN_CHARACTERS = 3, 120

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = patterns
        self.lines = self.matched = 0
        self.said: list[str] = []
        self.first: list[str] = []

    def read(self, lines: Sequence[str]) -> Iterator[Observation]:
        """What the lines say, in their order and that of the patterns."""
        self.lines += len(lines)
        suspicious = any(may_be_nonfinite(line) for line in lines[:1]) or may_be_nonfinite("\n".join(lines))
        for line in lines:
            suspect = suspicious and may_be_nonfinite(line) and TOKEN.search(line) is not None
            matches = False
            for pattern in self._patterns:
                if (observation := pattern.read(line, suspect=suspect)) is not None:
                    matches = True
                    yield observation
            self.matched += matches
            shown = self.said if matches else self.first
            if len(shown) < self.SHOWN:
                shown.append(line[: self.SHOWN_CHARACTERS])
