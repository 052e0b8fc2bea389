"""Which knobs change the training at all? Trials of one seed that differ in one knob, compared bit by bit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from stability.evidence.selection import of_stage, with_evidence
from stability.spec.plan import FLIP, REFERENCE, REPEAT


class State(StrEnum):
    """What one knob does to the training."""

    LIVE = "live"
    INERT = "inert"


@dataclass(frozen=True, slots=True)
class Knob:
    """One parameter. `state` is None where nothing can be told of it.

    `prints`: an inert knob that changes the printed losses, and so looks as if it did something.
    """

    param: str
    state: State | None
    prints: bool


@dataclass(frozen=True, slots=True)
class Liveness:
    """All knobs in the order of the study; `repeatable` is None where no side ran twice.

    Trials that do not repeat bit by bit (threads, a GPU, an unseeded draw) tell no knob from noise.
    """

    knobs: tuple[Knob, ...]
    repeatable: bool | None
    n: int


def liveness(trials: pd.DataFrame) -> Liveness:
    """What the trials of stage `liveness` show; they have `key`, `trajectory_sha256`, `printed_sha256`."""
    known = with_evidence(trials).dropna(subset=["trajectory_sha256"])
    sides = {side: own.set_index("name") for side, own in _named(known).groupby("side", sort=False)}
    sides = {side: own for side, own in sides.items() if REFERENCE in own.index}
    repeats = [_equal(own, REPEAT) for own in sides.values() if REPEAT in own.index]
    repeatable = all(repeats) if repeats else None
    params = dict.fromkeys(key.partition(f"/{FLIP}")[2] for key in trials["key"] if f"/{FLIP}" in key)
    knobs = tuple(_knob(param, list(sides.values()), bool(repeatable)) for param in params)
    return Liveness(knobs, repeatable, len(known))


def inert(trials: pd.DataFrame) -> frozenset[str]:
    """The parameters that are known to change nothing; `trials` are those of all stages."""
    found = liveness(of_stage(trials, "liveness"))
    return frozenset(knob.param for knob in found.knobs if knob.state is State.INERT)


def _named(known: pd.DataFrame) -> pd.DataFrame:
    """With `side` and `name`, the two parts of the key."""
    parts = known["key"].str.rpartition("/") if len(known) else pd.DataFrame({0: [], 2: []}, dtype=object)
    return known.assign(side=parts[0], name=parts[2])


def _knob(param: str, sides: list[pd.DataFrame], repeatable: bool) -> Knob:
    flipped = [own for own in sides if FLIP + param in own.index]
    if not flipped or not repeatable:
        return Knob(param, None, prints=False)
    if not all(_equal(own, FLIP + param) for own in flipped):
        return Knob(param, State.LIVE, prints=True)
    prints = any(not _equal(own, FLIP + param, "printed_sha256") for own in flipped)
    return Knob(param, State.INERT, prints=prints)


def _equal(own: pd.DataFrame, name: str, column: str = "trajectory_sha256") -> bool:
    return own.at[name, column] == own.at[REFERENCE, column]
