"""Lines that are JSON objects -> rows."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from stability.logs.number_format import number
from stability.logs.rows import Names, of_kinds

_DECODER = json.JSONDecoder()


class JsonLines:
    """Reads lines, and tells the nulls that stand for NaN, as orjson and JavaScript write it, from others.

    A null is NaN where the training's loss is due, which is in rows that have a step or once it was a number;
    not in an evaluation's row. For any other name, where it came as a number first: one that began as null is
    measured now and then. An evaluation's null is NaN in a row without a loss of the training.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._had: set[str] = set()
        self._sparse: set[str] = set()
        self._nulls: list[str] = []

    def read(self, line: str) -> dict[str, float] | None:
        """The row in `line`; None for a line that is no JSON object."""
        found = row(line, self._nulls, is_any=not self._names.wanted)
        if found is not None and not self._had.issuperset(found):
            self._had.update(found)
        if self._nulls:
            if found is not None:
                self._add_nans(found)
            self._nulls = []
        return found

    def restart(self) -> None:
        """The file was written anew: nothing that is known here changes."""

    def notes(self) -> Iterator[str]:
        yield from ()

    def problem(self) -> str | None:
        return None

    def absent(self) -> str | None:
        return None

    def _add_nans(self, found: dict[str, float]) -> None:
        trains = any(map(self._names.is_loss, found))
        evaluated = set(self._names.evaluate.values()) - set(self._names.train.values())
        evaluates = not evaluated.isdisjoint(found)
        has_step = self._names.place("step") in found
        self._sparse |= set(self._nulls) - self._had
        for name in self._nulls:
            if name in evaluated:
                is_nan = not trains
            elif self._names.wanted and self._names.is_loss(name):
                is_nan = (has_step or name in self._had) and (trains or not evaluates)
            else:
                is_nan = name in self._had and name not in self._sparse
            if is_nan:
                found[name] = math.nan


def row(line: str, nulls: list[str] | None = None, *, is_any: bool = False) -> dict[str, float] | None:
    """The numbers of a JSON object by their names, those inside of others as `outer.inner`.

    Text that is a number counts ("NaN", which JSON cannot write otherwise), true, false and lists do not.
    None for a line that is no JSON object. The names that are null are added to `nulls`. With `is_any` a text
    in it may say what its number is.
    """
    line = line.strip()
    try:
        value, end = _DECODER.raw_decode(line)  # half the time of `json.loads`
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or end != len(line):
        return None
    found = _add_numbers({}, value, "", nulls)
    return of_kinds(found, value) if is_any else found


def numbers_in(values: Mapping[str, Any]) -> dict[str, float | None]:
    """The numbers of an object by their names, and its nulls."""
    nulls: list[str] = []
    found = _add_numbers({}, values, "", nulls)
    return found | dict.fromkeys(nulls)


def _add_numbers(
    found: dict[str, float], values: Mapping[str, Any], prefix: str, nulls: list[str] | None
) -> dict[str, float]:
    for name, value in values.items():
        if type(value) is float:
            found[prefix + name] = value
        elif type(value) is int:  # not a bool
            found[prefix + name] = _real(value)
        elif type(value) is str:
            if (read := number(value)) is not None:
                found[prefix + name] = read
        elif type(value) is dict:
            _add_numbers(found, value, f"{prefix}{name}.", nulls)
        elif value is None and nulls is not None:
            nulls.append(prefix + name)
    return found


def _real(value: int) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return math.inf if value > 0 else -math.inf
