"""What a program printed, or an old log -> how its numbers are read, and what could be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stability.trainers.parse import guess
from stability.trainers.parse.text import Lines

LOOKED_AT = 2000
"""So many lines tell how a log is written."""
UNKNOWN = {"train": [guess.UNKNOWN_EPOCH, guess.UNKNOWN_LOSS]}
"""How a log is read of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`parse` is what a study file says, `losses` the names of what is recorded; `sentences` tell it."""

    parse: Any
    losses: Sequence[str]
    sentences: Sequence[str] = ()
    has_loss: bool = True


def unknown() -> Reading:
    """Where nothing was printed yet."""
    return Reading({"stdout": UNKNOWN, "stderr": UNKNOWN}, ("loss",), has_loss=False)


def read(printed: bytes) -> Reading:
    """Raises `ValueError` for a log whose numbers may mean this or that; without a loss see `has_loss`."""
    cutter = Lines()
    lines = [*cutter.feed(printed), *cutter.end()][:LOOKED_AT]
    try:
        found = guess.of_lines(lines)
    except ValueError as error:
        if "training loss" not in str(error):
            raise
        return unknown()
    measured = found.get("evaluate") or found["train"]
    return Reading({"stdout": found, "stderr": found}, tuple(guess.components_of(measured)))
