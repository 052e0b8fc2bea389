"""All that one number of a log said, line after line, and how it moves. What it means is told in `roles`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from stability.logs.fields import Field, is_time, value_of
from stability.logs.number_format import count
from stability.logs.reading import EVALUATE, TRAIN, Key, key_of
from stability.logs.vocabulary import Meaning, meaning

FEW = 3
"""So many rows show how a number moves."""
Row = Sequence[Field]


@dataclass(slots=True)
class Series:
    """All that one key said, in order; `rows` are the numbers of the lines."""

    key: Key
    printed: str
    meaning: Meaning
    texts: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    is_whole: bool = True
    has_unit: bool = False

    def add(self, i: int, own: Field, decimal: str) -> None:
        value = own.value if decimal == "." else value_of(own.text, decimal)
        if value is None and own.is_whole:
            value = count(own.text)
        self.texts.append(own.text)
        self.values.append(math.nan if value is None else value)
        self.rows.append(i)
        self.parts.append(EVALUATE if own.part == EVALUATE else TRAIN)
        self.is_whole = self.is_whole and own.is_whole and not (decimal == "," and "," in own.text)
        self.has_unit = self.has_unit or is_time(own) or own.unit == "%"

    def moves(self) -> tuple[int, int, int]:
        """How often the next value is greater, the same, smaller."""
        pairs = list(zip(self.values, self.values[1:], strict=False))
        up, same = sum(b > a for a, b in pairs), sum(b == a for a, b in pairs)
        return up, same, len(pairs) - up - same

    @property
    def is_counter(self) -> bool:
        """Whether it is a whole number that goes up, but where it begins again."""
        if not self.is_whole or len(self.values) < FEW:
            return False
        up, _, down = self.moves()
        return up > 0 and down <= up / 2

    @property
    def is_constant(self) -> bool:
        return len(set(self.texts)) == 1


Table = Mapping[Key, Series]


def series_of(rows: Iterable[Row], decimal: str) -> dict[Key, Series]:
    """The series of the rows, by key."""
    found: dict[Key, Series] = {}
    for i, row in enumerate(rows):
        for own in row:
            key = key_of(own)
            if key not in found:
                found[key] = Series(key, own.name, meaning(own.name))
            found[key].add(i, own, decimal)
    return found
