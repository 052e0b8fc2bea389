"""Batches that a program skips because a number was not finite, where it only says so."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stability.logs.observation import Observation

SHOWN_CHARACTERS = 200
FEWEST_LOSSES = 3
"""So many batches skipped at the end for their loss, as many as end a training that prints NaN for them."""
FEWEST_OVERFLOWS = 8
"""So many steps skipped at the end for an overflow are no search for a loss scale any more."""
_NAN = (
    r"(?:\boverflow(?:ed)?\b"
    r"|(?<![a-z])(?:nans?|infs?|non-?\s?finite|not finite|not a number|invalid loss)(?![a-z]))"
)
_PASSED_OVER = (
    r"(?:\bskip(?:ping|ped|s)?\b|\bignor(?:e|es|ed|ing)\b|\bdiscard(?:s|ed|ing)?\b|\bdropp(?:ed|ing)\b"
    r"|\bomit(?:s|ted|ting)?\b|\breject(?:s|ed|ing)?\b|\bpass(?:ed|ing) over\b|\bmov(?:e|ing) on\b"
    r"|\bcontinu(?:e|ing) with\b|\bnot (?:applied|updated|stepped)\b|\bno update\b|übersprungen|überspringe"
    r"|跳过|忽略|スキップ|건너|пропус)"
)
_ANNOUNCED = re.compile(rf"(?i){_NAN}[^|]{{0,60}}?{_PASSED_OVER}|{_PASSED_OVER}[^|]{{0,60}}?{_NAN}")
_COUNTED = re.compile(r"(?i)\bskipped\s*[\w ]{0,16}[:=]\s*\d")
"""`skipped: 3` counts all of them so far, in each line anew."""
_OF_LOSS = re.compile(
    r"(?i)loss(?![ _-]?scal)|verlust|perte|p[eé]rdida|потер|损失|損失|손실|\bcost\b|\bobjective\b"
)


def is_announced(text: str) -> bool:
    """Whether a text says that a batch or an update is passed over for a number that is not finite."""
    return _ANNOUNCED.search(text) is not None and _COUNTED.search(text) is None


@dataclass(slots=True)
class Course:
    """The training that is printed: how many steps of it were read.

    `fresh` counts those with finite losses other than before, and not 0; `repeated` the others since then. A
    bar that keeps its number shows no progress, nor does a mean of no batch. `announced` are the batches that
    were skipped since the last step.
    """

    steps: int = 0
    fresh: int = 0
    repeated: int = 0
    announced: int = 0
    is_watched: bool = False
    """Something was said that a fresh loss takes back."""
    _last: Observation | None = None

    def went_on(self, found: Observation) -> None:
        """One more step was read."""
        self.steps += 1
        if found.is_lost:
            return
        if self.is_watched and not self._is_fresh(found):
            self.repeated += 1
        else:
            self.fresh, self.repeated = self.fresh + 1, 0
        self._last = found

    def _is_fresh(self, found: Observation) -> bool:
        losses = found.losses()
        return any(losses.values()) and (self._last is None or losses != self._last.losses())


@dataclass(slots=True)
class Skips:
    """The batches that were skipped one after the other, with no new loss between them."""

    count: int = 0
    """Of the newest such run."""
    line: str = ""
    _at: int = 0
    _longest: int = 0
    _is_of_loss: bool = False

    def note(self, line: str, course: Course) -> None:
        """One more was announced, in this line."""
        if self._at != course.fresh:
            if self._at:  # before the first step a loss scale is searched for
                self._longest = max(self._longest, self.count)
            self.count, self._is_of_loss = 0, True
        self.count, self._at = self.count + 1, course.fresh
        is_of_loss = _OF_LOSS.search(line) is not None
        self._is_of_loss = is_of_loss and (self._is_of_loss or self.count == 1)
        course.is_watched = True
        self.line = line.strip()[:SHOWN_CHARACTERS]
        course.announced += is_of_loss

    def never_end(self, course: Course) -> bool:
        """Whether the training ended with them: in a longer run than any that it came back from."""
        fewest = FEWEST_LOSSES if self._is_of_loss else FEWEST_OVERFLOWS
        is_long = self.count >= max(fewest, 2 * self._longest + 1)
        return is_long and self._at == course.fresh and course.repeated <= 2 * self.count
