"""What a program said that no loss accounts for: numbers that are not finite, and words about them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from stability.judging.last_words import WITHOUT_ROLE, speaks_of_broken_training
from stability.logs.fields import Field, between, read_line
from stability.logs.number_format import may_be_nonfinite
from stability.logs.reading import Key, key_of
from stability.logs.vocabulary import Sort, meaning

SHOWN_CHARACTERS = 200
_SURVIVED = frozenset((Sort.GRAD_NORM, Sort.GRAD_SCALE))
"""What a skipped half-precision step leaves in healthy trainings, too."""
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
            if meaning(own.name).sort not in _SURVIVED:
                self.field(text, own, own.value)
        if any(map(speaks_of_broken_training, between(line))):
            self.words(text)

    def words(self, line: str) -> None:
        """A line that may speak of a number that is not finite."""
        if speaks_of_broken_training(line):
            self._said, self._said_at = line.strip()[:SHOWN_CHARACTERS], self.course.finite

    def problem(self) -> str | None:
        """The line that was overlooked, quoted, and what it means; None where there is none."""
        if self._said and self._said_at == self.course.finite:
            return f"the program said, and printed no finite loss after it: {self._said!r}"
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
    return meaning(own.name).sort in (Sort.LOSS, Sort.TERM, Sort.GRAD_NORM)


def may_speak(text: str) -> bool:
    """Whether a text may speak of what is not finite; cheap."""
    return may_be_nonfinite(text) or "iverg" in text or "xplod" in text or "nvalid loss" in text
