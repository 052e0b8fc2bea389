"""Lines that are JSON objects -> rows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from stability.trainers.parse.numbers import number

_DECODER = json.JSONDecoder()


def row(line: str) -> dict[str, float] | None:
    """The numbers of a JSON object by their names, those inside of others as `outer.inner`.

    Text that is a number counts ("NaN", which JSON cannot write otherwise), true, false and lists do not.
    None for a line that is no JSON object.
    """
    line = line.strip()
    try:
        value, end = _DECODER.raw_decode(line)  # half the time of `json.loads`
    except (ValueError, RecursionError):
        return None
    return _add_numbers({}, value, "") if isinstance(value, dict) and end == len(line) else None


def _add_numbers(found: dict[str, float], values: Mapping[str, Any], prefix: str) -> dict[str, float]:
    for name, value in values.items():
        if type(value) is float:
            found[prefix + name] = value
        elif type(value) is int:  # not a bool
            found[prefix + name] = _real(value)
        elif type(value) is str:
            if (read := number(value)) is not None:
                found[prefix + name] = read
        elif type(value) is dict:
            _add_numbers(found, value, f"{prefix}{name}.")
    return found


def _real(value: int) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return math.inf if value > 0 else -math.inf
