"""Which knobs change the training at all? Trials of one seed that differ in one knob, compared bit by bit.

Where the numbers were printed, there are no bits to compare: then enough digits must agree (see `printed`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import pandas as pd

from stability.evidence.printed import Agreement, Printed, agreement, together
from stability.evidence.selection import came_to_an_end, of_stage
from stability.spec.plan import FLIP, REFERENCE, REPEAT


class State(StrEnum):
    """What one knob does to the training."""

    LIVE = "live"
    INERT = "inert"


@dataclass(frozen=True, slots=True)
class Knob:
    """One parameter. `state` is None where nothing can be told of it.

    `prints`: an inert knob that changes the printed losses, and so looks as if it did something. Of printed
    numbers that are equal, `numbers` are those that tell and `digits` the fewest significant ones of them;
    of a knob without a state, those that move and the most digits of any.
    """

    param: str
    state: State | None
    prints: bool
    numbers: int | None = None
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Liveness:
    """All knobs in the order of the study; `repeatable` is None where no side ran twice, or nothing tells.

    Trials that do not repeat (threads, a GPU, an unseeded draw) tell no knob from noise. `exact`: compared
    bit by bit; else `compared` printed numbers of equal trials were.
    """

    knobs: tuple[Knob, ...]
    repeatable: bool | None
    n: int
    exact: bool = True
    compared: int | None = None


def liveness(trials: pd.DataFrame, printed: Mapping[int, Printed] | None = None) -> Liveness:
    """What the trials of stage `liveness` show; they have `key`, `trajectory_sha256`, `printed_sha256`.

    `printed` holds the numbers of each trial where they come from a log: what was rounded, or left out, is no
    ground to call two trainings equal bit by bit, nor to call them different.
    """
    if printed is not None:
        return _by_print(trials, printed)
    known = came_to_an_end(trials).dropna(subset=["trajectory_sha256"])
    sides = _sides(known)
    repeats = [_equal(own, REPEAT) for own in sides if REPEAT in own.index]
    repeatable = all(repeats) if repeats else None
    knobs = tuple(_knob(param, sides, bool(repeatable)) for param in _flipped(trials))
    return Liveness(knobs, repeatable, len(known))


def inert(trials: pd.DataFrame, *, exact: bool) -> frozenset[str]:
    """The parameters that are known to change nothing, bit by bit; `trials` are those of all stages.

    None where the numbers were printed: that they agree is told, but leaves no setting out of a later stage.
    """
    if not exact:
        return frozenset()
    found = liveness(of_stage(trials, "liveness"))
    return frozenset(knob.param for knob in found.knobs if knob.state is State.INERT)


def _by_print(trials: pd.DataFrame, printed: Mapping[int, Printed]) -> Liveness:
    """The same by printed numbers. Where equal trials differ in their lines alone, common places count."""
    known = came_to_an_end(trials)
    known = known[known["trial_id"].isin(printed.keys())]
    sides = [{name: printed[own.at[name, "trial_id"]] for name in own.index} for own in _sides(known)]
    twice = [(own[REFERENCE], own[REPEAT]) for own in sides if REPEAT in own]
    redrawn = any(one.steps != two.steps for one, two in twice)
    repeats = together(agreement(one, two, redrawn=redrawn) for one, two in twice)
    knobs = []
    for param in _flipped(trials):
        flips = [(own[REFERENCE], own[FLIP + param]) for own in sides if FLIP + param in own]
        found = together(agreement(one, two, redrawn=redrawn) for one, two in flips)
        knobs.append(_printed_knob(param, found if repeats.equal else Agreement(None)))
    return Liveness(tuple(knobs), repeats.equal, len(known), exact=False, compared=repeats.compared)


def _printed_knob(param: str, found: Agreement) -> Knob:
    knob = Knob(param, None, prints=False)
    if found.equal is None:
        return knob
    if not found.equal:
        return replace(knob, state=State.LIVE, prints=True)
    if found.enough:
        telling = found.telling
        return replace(knob, state=State.INERT, numbers=len(telling), digits=min(telling))
    return replace(knob, numbers=len(found.moving), digits=max(found.moving, default=0))


def _sides(known: pd.DataFrame) -> list[pd.DataFrame]:
    """The trials of each side by their name in it, of the sides with a reference."""
    sides = [own.set_index("name") for _, own in _named(known).groupby("side", sort=False)]
    return [own for own in sides if REFERENCE in own.index]


def _flipped(trials: pd.DataFrame) -> dict[str, None]:
    return dict.fromkeys(key.partition(f"/{FLIP}")[2] for key in trials["key"] if f"/{FLIP}" in key)


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
