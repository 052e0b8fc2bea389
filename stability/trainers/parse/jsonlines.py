"""Lines that are JSON objects -> rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from stability.trainers.parse.numbers import number


def row(line: str) -> dict[str, float] | None:
    """The numbers of a JSON object by their names, those inside of others as `outer.inner`.

    Text that is a number counts ("NaN", which JSON cannot write otherwise), true, false and lists do not.
    None for a line that is no JSON object.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return dict(_numbers(value, "")) if isinstance(value, dict) else None


def _numbers(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        if type(value) is float:
            yield prefix + name, value
        elif isinstance(value, dict):
            yield from _numbers(value, f"{prefix}{name}.")
        elif isinstance(value, str):
            if (found := number(value)) is not None:
                yield prefix + name, found
        elif type(value) is int:  # not a bool
            try:
                yield prefix + name, float(value)
            except OverflowError:  # an integer of more than 308 digits
                yield prefix + name, float("inf") if value > 0 else float("-inf")
