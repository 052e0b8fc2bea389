"""Lines one after the other: which part of the data a line without a word for it speaks of."""

from __future__ import annotations

import re

from stability.logs.fields import Field, Line
from stability.logs.reading import EVALUATE, TRAIN
from stability.logs.vocabulary import LOSSES, Sort, meaning

_NO_HEADER = re.compile(
    r"(?i)\b(?:sav|best|load|checkpoint|dataset|samples|split|size|files?|improv|writ|path|images|utterances|examples)"
)
MOST_WORDS = 8


class Sections:
    """A heading such as `> EVALUATION` holds until training goes on: a heading, epoch or step says so."""

    def __init__(self) -> None:
        self.part = ""
        self._step = -1.0

    def fields(self, line: Line) -> tuple[Field, ...]:
        """The line's fields, each with its part; the line itself may be a heading."""
        if not line.fields:
            self._heading(line)
            return ()
        step = next((f.value for f in line.fields if _is_step(f)), None)
        has_loss = any(meaning(f.name).sort in LOSSES for f in line.fields)
        if not has_loss:
            self._heading(line)
        elif not line.part and any(meaning(f.name).sort is Sort.EPOCH and not f.unit for f in line.fields):
            self.part = ""  # it says its place itself
        if step is not None and not line.part:
            if step > self._step:
                self.part = ""
            if self.part != EVALUATE:
                self._step = step
        if self.part != EVALUATE:
            return line.fields
        return tuple(f if f.part else f._replace(part=EVALUATE) for f in line.fields)

    def went_on(self, step: int) -> None:
        """The training is at this step."""
        self._step = step

    def _heading(self, line: Line) -> None:
        words = line.text.split()
        if line.part == TRAIN and len(words) <= MOST_WORDS:
            self.part = ""
        elif (
            line.part == EVALUATE
            and not line.fields
            and len(words) <= MOST_WORDS
            and not _NO_HEADER.search(line.text)
        ):
            self.part = EVALUATE
        elif any(meaning(f.name).sort is Sort.EPOCH and not f.unit for f in line.fields) and not line.part:
            self.part = ""


def _is_step(own: Field) -> bool:
    return own.value is not None and meaning(own.name).sort is Sort.STEP and own.is_whole and not own.unit
