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
from stability.logs.fields import Field, between, read_line
from stability.logs.number_format import may_be_nonfinite
from stability.logs.reading import Key, key_of
from stability.logs.vocabulary import Sort, meaning

SHOWN_CHARACTERS = 200
MANY_SKIPPED = 8
"""So many steps that are skipped one after the other, to the end, are no search for a loss scale any more."""
_NAN = r"\b(?:overflow|nans?|infs?|non-?finite|not finite)\b"
_SKIPPED = re.compile(rf"(?i){_NAN}[^;|]{{0,60}}\bskip(?:ping|ped)\b|\bskip(?:ping|ped)\b[^;|]{{0,60}}{_NAN}")
SURVIVED = frozenset((Sort.GRAD_NORM, Sort.GRAD_SCALE))
"""What a skipped half-precision step leaves in healthy trainings, too."""
_SPEAKS = re.compile(
    r"(?i)diverg|explo[ds]|exceed|invalid loss|overflow|too (?:large|big|high)|unstable|blew up|blown up"
)
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
class Course:
    """How many steps of a training were read so far, and how many of them had finite losses."""

    steps: int = 0
    finite: int = 0


@dataclass(slots=True)
class Overlooked:
    """Collects what is not finite and has no role; `course` is that of the training printed beside it."""

    course: Course = field(default_factory=Course)
    _seen: dict[Key, _Seen] = field(default_factory=dict)
    _said: str = ""
    _said_at: int = 0
    _skipped: int = 0
    _skipped_at: int = 0

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

    def line(self, text: str, accounted: int = 0) -> None:
        """A line that nobody read, or patterns did; they found `accounted` of its numbers not finite."""
        line = read_line(text)
        broken = [own for own in line.fields if own.value is not None and not math.isfinite(own.value)]
        for own in broken[accounted:]:
            if meaning(own.name).sort not in SURVIVED:
                self.field(text, own, own.value)
        self.words(text, list(between(line)))

    def words(self, line: str, pieces: Sequence[str] | None = None) -> None:
        """A line that may speak of what is not finite; `pieces`: what it says between its numbers."""
        pieces = [line] if pieces is None else pieces
        if _SKIPPED.search(" ".join(pieces)):
            self._skipped = 1 + self._skipped * (self._skipped_at == self.course.finite)
            self._skipped_at = self.course.finite
            if self._skipped < MANY_SKIPPED:
                return
        elif not any(map(mentions_nonfinite, pieces)) and not says_training_broke(" ".join(pieces)):
            return
        self._said, self._said_at = line.strip()[:SHOWN_CHARACTERS], self.course.finite

    def problem(self) -> str | None:
        """The line that was overlooked, quoted, and what it means; None where there is none."""
        if self._said and self._said_at == self.course.finite:
            many = (
                f"its gradients were not finite for {self._skipped} steps, and it"
                if self._skipped > 1
                else "it"
            )
            what = f"the program said, and {many} printed no finite loss after it"
            return f"{what if self._is_clear() else WITHOUT_ROLE}: {self._said!r}"
        late = [seen for seen in self._seen.values() if not seen.from_start]
        if not late:
            return None
        worst = max(late, key=lambda seen: (seen.is_loss, seen.count))
        times = f" (and {worst.count - 1:,} more)" if worst.count > 1 else ""
        if worst.is_loss:
            what = "a loss or gradient that is not finite, and that nothing accounts for"
            return f"the program printed {what}: {worst.line!r}{times}"
        return f"{WITHOUT_ROLE}: {worst.line!r}{times}"

    def _is_clear(self) -> bool:
        """Whether what was said is of the training."""
        return self._skipped >= MANY_SKIPPED or speaks_of_broken_training(self._said)


def _is_loss(own: Field) -> bool:
    known = meaning(own.name)
    return known.sort in (Sort.LOSS, Sort.TERM, Sort.PART, Sort.GRAD_NORM) or known.ours in _OF_LOSS


def may_speak(text: str) -> bool:
    """Whether a text may speak of what is not finite; cheap."""
    return may_be_nonfinite(text) or _SPEAKS.search(text) is not None
