"""Lines of text -> observations, by regular expressions whose named groups say what each number is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import isfinite, nan

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
        if suspect:
            values = self._read_suspect(line, found)
        else:
            values = self._values(found.groupdict())[0] if found else {}
        return observed(values, is_evaluation=self.is_evaluation) if values else None

    def _values(self, texts: dict[str, str | None]) -> tuple[dict[str, float], bool]:
        """The numbers, and whether every group that took part is one."""
        try:
            return {name: float(text) for name, text in texts.items()}, True
        except (TypeError, ValueError):  # a group that took no part, or a number in another spelling
            known = {name: number(text) for name, text in texts.items() if text is not None}
        values = {name: value for name, value in known.items() if value is not None}
        return values, len(values) == len(known)

    def _read_suspect(self, line: str, found: re.Match[str] | None) -> dict[str, float]:
        """The numbers of a line with tokens that are not finite.

        Where numbers may stand is shown by the match of the line in which stand-ins take the tokens' place: a
        group that holds one there, and something else here, went past it, and what it took instead was
        another number's. A token that no group takes in either changes nothing.
        """
        tokens = list(TOKEN.finditer(line))
        values, complete = self._values(found.groupdict()) if found else ({}, False)
        plain = _Held(found, [token.span() for token in tokens])
        if cut := {(name, i) for name, i in plain.pairs if isfinite(values.get(name, nan))}:
            # the 1 of 1.#QNAN is no number
            values |= {name: nonfinite(tokens[i].group()) for name, i in sorted(cut, reverse=True)}
            plain.pairs -= cut
        elif complete and len(values) == len(self.names) and plain.holds_all:
            return values
        other: dict[str, float] = {}
        for stand_in in STAND_INS:
            disguised, spans = _disguised(line, tokens, stand_in)
            match = self._regex.search(disguised)
            if match is None:
                continue
            held = _Held(match, spans)
            read, whole = self._values({n: t for n, t in match.groupdict().items() if n not in held.opened})
            if not whole:
                continue
            read |= {name: nonfinite(tokens[i].group()) for name, i in held.opened.items()}
            if held.pairs - plain.pairs:
                return read
            other = other or read
        if complete and len(values) == len(self.names):
            return values
        return other if len(other) >= len(values) else values


class _Held:
    """Which groups of a match have any part of which spans, and which begin with one."""

    def __init__(self, match: re.Match[str] | None, spans: Sequence[tuple[int, int]]) -> None:
        self.pairs = {
            (name, i)
            for name in (match.re.groupindex if match else ())
            for i, (start, end) in enumerate(spans)
            if match.start(name) < end and start < match.end(name)
        }
        self.opened: dict[str, int] = {}
        for name, i in sorted(self.pairs, key=lambda pair: pair[1]):
            if not any(map(str.isalnum, match.string[match.start(name) : spans[i][0]])):
                self.opened.setdefault(name, i)
        self.holds_all = len({i for _, i in self.pairs}) == len(spans)


def _disguised(
    line: str, tokens: Sequence[re.Match[str]], stand_in: str
) -> tuple[str, list[tuple[int, int]]]:
    """The line with `stand_in` in place of each token, and where they are in it."""
    text, spans, end = "", [], 0
    for token in tokens:
        text += line[end : token.start()]
        spans.append((len(text), len(text) + len(stand_in)))
        text += stand_in
        end = token.end()
    return text + line[end:], spans


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
