"""Lines of text -> observations, by regular expressions whose named groups say what each number is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import isfinite, nan

from stability.logs.number_format import (
    DECIMAL_COMMA,
    TOKEN,
    count,
    may_be_nonfinite,
    nonfinite,
    number,
    plain,
)
from stability.logs.observation import PLACES, Observation, is_component, is_loss, observed
from stability.logs.overlooked import Overlooked
from stability.logs.unread import Unread

STAND_INS = (*(f"9.{'0' * places}" for places in (4, 3, 2, 1, 5, 6, 8)), "9", "9.0000e+00", "9.0e+00")
"""What a NaN might look like if it were a number, to an expression that knows only digits."""


def components_of(expressions: Iterable[str]) -> list[str]:
    """The loss components that regular expressions name."""
    named = {name for text in expressions for name in re.compile(text).groupindex}
    return sorted(filter(is_component, named))


class Pattern:
    """One regular expression; it is searched for anywhere in a line.

    `matched` counts the lines where it matched. Where a group that took part held no number, `unread` has it.
    `alike` are the patterns whose numbers go to the same places, itself among them.
    """

    def __init__(self, text: str, *, is_evaluation: bool = False) -> None:
        self.text = text
        self._regex = re.compile(text)
        self._decimal = "," if DECIMAL_COMMA in text else "."
        self._plain = float if self._decimal == "." else partial(plain, decimal=",")
        self.names = tuple(self._regex.groupindex)
        self.is_evaluation = is_evaluation
        self.unread = Unread("matched lines")
        self._whole = self._partial = 0  # of the matched lines, those with a number in every group
        self._had: Counter[str] = Counter()  # in the others
        self.alike: Sequence[Pattern] = [self]

    @property
    def matched(self) -> int:
        return self._whole + self._partial

    def seen(self, name: str) -> int:
        """How often a number was read for `name`, by this pattern or one alike."""
        return sum(one._whole + one._had[name] for one in self.alike if name in one.names)

    def read(self, line: str, *, suspect: bool) -> Observation | None:
        """What `line` says; None where it does not match or holds no number.

        `suspect`: it may hold a NaN or an infinity. Such a line is read even if the expression knows only
        digits, as `[0-9.]+` does: else the worst trainings would look like the quiet ones.
        """
        found = self._regex.search(line)
        if suspect:
            values = self._read_suspect(line, found)
            if len(values) == len(self.names):
                self._whole += found is not None or bool(values)
            elif found or values:
                self._note(found.groupdict() if found else {}, values)
        elif found is None:
            return None
        else:
            texts, read = found.groupdict(), self._plain
            try:
                values = {name: read(text) for name, text in texts.items()}
                self._whole += 1
            except (TypeError, ValueError):  # a group that took no part, or a number in another spelling
                values, _ = self._values(texts)
                self._note(texts, values)
        return observed(values, is_evaluation=self.is_evaluation) if values else None

    def _note(self, texts: Mapping[str, str | None], values: Mapping[str, float]) -> None:
        """A line that may lack a number."""
        self._partial += 1
        self._had.update(values.keys())
        for name, text in texts.items():
            if text is not None and name not in values:
                self.unread.note(name, text or " ", self.seen(name))

    def _values(self, texts: Mapping[str, str | None]) -> tuple[dict[str, float], bool]:
        """The numbers, and whether every group that took part is one."""
        known = {
            name: count(text) if name in PLACES else number(text, self._decimal)
            for name, text in texts.items()
            if text is not None
        }
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
        all_named = complete and len(values) == len(self.names)
        if all_named and sum(not isfinite(value) for value in values.values()) == len(tokens):
            return values
        plain = _Held(found, [token.span() for token in tokens])
        if cut := {(name, i) for name, i in plain.pairs if isfinite(values.get(name, nan))}:
            # the 1 of 1.#QNAN is no number
            values |= {name: nonfinite(tokens[i].group()) for name, i in sorted(cut, reverse=True)}
            plain.pairs -= cut
        elif all_named and plain.holds_all:
            return values
        other: dict[str, float] = {}
        for stand_in in (text.replace(".", self._decimal) for text in STAND_INS):
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
        if all_named:
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
        for one in patterns:
            one.alike = [other for other in patterns if other.is_evaluation == one.is_evaluation]
        self.overlooked = Overlooked()
        self.lines = self.matched = 0
        self.said: list[str] = []
        self.first: list[str] = []

    def read(self, lines: Sequence[str]) -> Iterator[Observation]:
        """What the lines say, in their order and that of the patterns."""
        self.lines += len(lines)
        suspicious = any(may_be_nonfinite(line) for line in lines[:1]) or may_be_nonfinite("\n".join(lines))
        for line in lines:
            suspect = suspicious and may_be_nonfinite(line) and TOKEN.search(line) is not None
            matches, broken = False, 0
            for pattern in self._patterns:
                if (observation := pattern.read(line, suspect=suspect)) is not None:
                    matches = True
                    broken += suspect and sum(not isfinite(value) for value in observation.values.values())
                    yield observation
            if suspect:
                self.overlooked.line(line, accounted=broken)
            self.matched += matches
            shown = self.said if matches else self.first
            if len(shown) < self.SHOWN:
                shown.append(line[: self.SHOWN_CHARACTERS])

    def notes(self) -> Iterator[str]:
        """Which groups held something else than a number."""
        for pattern in self._patterns:
            yield from pattern.unread.notes(dict.fromkeys(pattern.names, pattern.matched))

    def unread(self) -> str | None:
        """What expressions matched and read no loss from, if any did."""
        found = []
        for pattern in self._patterns:
            matched = f"{pattern.text!r} matched {pattern.matched:,}"
            if pattern.matched and not pattern.names:
                found.append(f"{matched}, but it names no group, such as (?P<loss>...)")
            gaps = {name: gap for name, gap in pattern.unread.gaps.items() if is_loss(name)}
            found += [
                f"{matched}, but `{name}` was {gap.first!r}, which is no number" for name, gap in gaps.items()
            ]
        return "; ".join(found) or None

    def problem(self) -> str | None:
        """Which loss could not be read to the end any more, by no pattern, if any."""
        for pattern in self._patterns:
            seen = {name: pattern.seen(name) for name in pattern.names if is_loss(name)}
            if problem := pattern.unread.problem(seen):
                return problem
        return None
