"""The numbers of a line, each with the words that name it, and what is left without them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from stability.logs.number_format import NONFINITE, number
from stability.logs.words import TIME_UNITS

UNNAMED = "~"
_WHOLE = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:,\d{3})+)")
_NUMERIC = re.compile(rf"(?i)(?<![a-z])[-+]?{NONFINITE}(?![a-z])|[-+]?\d[\d.,]*(?:e[-+]?\d+)?")
_MISSING = re.compile(
    r"(?<![\w.*#-])(?i:null|none|nil|n/a|na|undefined|undef|missing|overflow|nanf0|-{1,3}|—|\*{3,}"
    r"|#(?:num|value|n/a|div/0)!?)(?![\w*-])"
)
"""Fortran writes stars for what does not fit; others write a word."""
_LETTERS = re.compile(r"[^a-zA-Z:=|]+")


class Field(NamedTuple):
    """One number. `name` as it is printed; `UNNAMED` and the words of its line
    where nothing names it, then `nth` counts those of the line ("" for `12/100`).

    `nth`: 1 for the number right behind the name, 2 for the next one without a name of its own, and so on.
    `most`: the 100 of `12/100`. `part`: "train" or "evaluate", where words before it say so, else "".
    """

    name: str
    nth: int
    text: str
    value: float | None
    start: int
    end: int
    most: str = ""
    unit: str = ""
    part: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it is written as a whole number."""
        return _WHOLE.fullmatch(self.text) is not None


class Line(NamedTuple):
    """What a line says: its fields, and `part` as the words outside of names leave it at its end."""

    text: str
    fields: tuple[Field, ...]
    part: str


def is_unnamed(name: str) -> bool:
    """Whether no words name a number: the others of its line stand in their place."""
    return not name or name.startswith(UNNAMED)


def with_nan(text: str) -> str:
    """The line with `nan` for each word that programs write where a number is missing."""
    return _MISSING.sub("nan", text)


def skeleton(text: str) -> str:
    """What is left of a line without its numbers, those that are not finite among them."""
    return _LETTERS.sub("", _NUMERIC.sub("", text))


def between(line: Line) -> Iterator[str]:
    """What a line says between its numbers."""
    at = 0
    for own in line.fields:
        yield line.text[at : own.start]
        at = own.end
    yield line.text[at:]


def value_of(text: str, decimal: str = ".") -> float | None:
    """The number that a field's text is; one with a comma that may mean either is none."""
    return number(text.rstrip(".") if text[-1:] == "." else text, decimal)


def is_time(field: Field) -> bool:
    """Whether it is a duration, a rate or a size."""
    unit = field.unit.lower()
    return unit in TIME_UNITS or "/" in unit or unit in ("g", "gb", "m", "mb", "k", "kb", "gib", "mib")
