"""What a program said that no loss accounts for: numbers that are not finite, and words about them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from stability.judging.last_words import (
    WITHOUT_ROLE,
    mentions_nonfinite,
    says_training_broke,
    speaks_of_broken_training,
)
from stability.logs.fields import Field, Line, between
from stability.logs.line_reader import read_line
from stability.logs.number_format import may_be_nonfinite
from stability.logs.reading import Key, key_of
from stability.logs.skips import SHOWN_CHARACTERS, Course, Skips, is_announced
from stability.logs.vocabulary import Sort, meaning

SURVIVED = frozenset((Sort.GRAD_NORM, Sort.GRAD_SCALE))
"""What a skipped half-precision step leaves in healthy trainings, too."""
_SPEAKS = re.compile(
    r"(?i)diverg|explo[ds]|exceed|invalid loss|overflow|too (?:large|big|high)|unstable|blew up|blown up"
    r"|finite|not a number"
)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_OF_LOSS = frozenset(("ppl", "perplexity", "bpc", "bpd"))
"""Errors that are functions of a loss."""
_BEFORE_ANY = frozenset(
    ("best", "min", "max", "lowest", "prev", "previous", "from", "limit", "clip", "threshold", "eta")
)
"""Words of numbers that are infinite before anything was measured, or for "no limit"."""


@dataclass(slots=True)
class _Seen:
    """A field that was not finite: how often, where first, and whether from the training's beginning on."""

    count: int
    line: str
    from_start: bool
    is_loss: bool


@dataclass(slots=True)
class Overlooked:
    """Collects what is not finite and has no role; `course` is that of the training printed beside it."""

    course: Course = field(default_factory=Course)
    _seen: dict[Key, _Seen] = field(default_factory=dict)
    _said: str = ""
    _said_at: int = 0
    _skips: Skips = field(default_factory=Skips)

    def field(self, line: str, own: Field, value: float | None) -> None:
        """A number without a role."""
        if value is None or math.isfinite(value):
            return
        if meaning(own.name).sort is Sort.METRIC or _BEFORE_ANY & set(key_of(own).name.split()):
            return
        key = key_of(own)
        if key in self._seen:
            self._seen[key].count += 1
        else:
            shown, is_first = line.strip()[:SHOWN_CHARACTERS], self.course.steps <= 2
            self._seen[key] = _Seen(1, shown, is_first, _is_loss(own))

    def said(
        self, line: Line, others: Sequence[tuple[Field, float | None]], *, has_loss: bool
    ) -> None:
        """A line that was read; `others` are its numbers without a role.

        `has_loss`: one with a role is finite and a loss, so no batch was skipped.
        """
        is_text = any(own.end for own in line.fields)  # not a row of a file
        speaks = is_text and may_speak(line.text)
        if speaks and not has_loss and is_announced(line.text):
            self._skips.note(line.text, self.course)
            return
        for own, value in others:
            self.field(line.text, own, value)
        if speaks:
            self.words(line.text, list(between(line)))

    def line(self, text: str, accounted: int = 0) -> None:
        """A line that nobody read, or patterns did; they found `accounted` of its numbers not finite."""
        if not accounted and is_announced(text):
            self._skips.note(text, self.course)
            return
        line = read_line(text)
        broken = [own for own in line.fields if own.value is not None and not math.isfinite(own.value)]
        for own in broken[accounted:]:
            if meaning(own.name).sort not in SURVIVED:
                self.field(text, own, own.value)
        self.words(text, list(between(line)))

    def words(self, line: str, pieces: Sequence[str] | None = None) -> None:
        """A line that may speak of what is not finite; `pieces`: what it says between its numbers."""
        pieces = [line] if pieces is None else pieces
        if is_announced(" ".join(pieces)):
            self._skips.note(line, self.course)
        elif any(map(mentions_nonfinite, pieces)) or says_training_broke(" ".join(pieces)):
            self._said, self._said_at = line.strip()[:SHOWN_CHARACTERS], self.course.fresh
            self.course.is_watched = True

    def problem(self) -> str | None:
        """The line that was overlooked, quoted, and what it means; None where there is none."""
        if self._skips.never_end(self.course):
            what = f"its loss or gradient was not finite in the last {self._skips.count:,} batches"
            return f"the program said that {what}, and skipped them: {self._skips.line!r}"
        if self._said and self._said_at == self.course.fresh:
            what = "the program said, and it printed no finite loss after it"
            return f"{what if speaks_of_broken_training(self._said) else WITHOUT_ROLE}: {self._said!r}"
        late = [seen for seen in self._seen.values() if not seen.from_start]
        if not late:
            return None
        worst = max(late, key=lambda seen: (seen.is_loss, seen.count))
        times = f" (and {worst.count - 1:,} more)" if worst.count > 1 else ""
        if worst.is_loss:
            what = "a loss or gradient that is not finite, and that nothing accounts for"
            return f"the program printed {what}: {worst.line!r}{times}"
        return f"{WITHOUT_ROLE}: {worst.line!r}{times}"


def _is_loss(own: Field) -> bool:
    known = meaning(own.name)
    return known.sort in (Sort.LOSS, Sort.TERM, Sort.PART, Sort.GRAD_NORM) or known.ours in _OF_LOSS


def spoken(line: str) -> list[str]:
    """The sentences in a line of a file of numbers: quoted texts with a blank in them, or else such cells."""
    said = [text for text in _QUOTED.findall(line) if " " in text]
    return said or [cell for cell in re.split(r"[,;\t]", line) if " " in cell.strip() and '"' not in cell]


def may_speak(text: str) -> bool:
    """Whether a text may speak of what is not finite; cheap."""
    return may_be_nonfinite(text) or _SPEAKS.search(text) is not None
