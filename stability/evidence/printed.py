"""Numbers that a log has: rounded, and not always the same lines of them. How much do two trainings agree?

A log holds what was printed, to the digits that were printed. A progress bar that is drawn again now and then
leaves other lines each time, so two equal trainings may differ in which steps are known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

FEWEST_NUMBERS, FEWEST_DIGITS = 20, 4
"""So many numbers of so many significant digits, each other than the one before it, must agree.

Two trainings that differ agree by chance in one digit in ten: in the 80 digits asked for, by no chance worth
naming. A loss that has come to rest says little, so what does not move counts for nothing.
"""
SCALARS = frozenset({"total", "grad_norm", "weight_norm"})
"""Of a step besides its losses, what follows the weights; a learning rate does not."""

Place = tuple[str, int]
"""`step` and its number, `epoch` and the last step of it, `evaluated` and after which epoch."""


def is_printed(trainer: Any) -> bool:
    """Whether a study's trainer leaves numbers that were printed, rather than those it computed with."""
    return isinstance(trainer, Mapping) and ("imported" in trainer or trainer.get("parse") is not None)


@dataclass(frozen=True, slots=True)
class Printed:
    """One training's numbers: quantity -> place -> value, in the order of the training.

    `at_ends` are those at the last step of each epoch. `steps` are the numbers of its steps.
    """

    at_steps: Mapping[str, Mapping[Place, float]]
    at_ends: Mapping[str, Mapping[Place, float]]
    evaluated: Mapping[str, Mapping[Place, float]]
    steps: tuple[int, ...]

    @property
    def counted(self) -> bool:
        """Whether the reader may have counted the steps itself, so that one more moves all later ones."""
        return self.steps == tuple(range(len(self.steps)))


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether two trainings agree where both were read; None where no number can be set beside another.

    `compared` numbers were; `moving` are the significant digits of those that are not what stood before them.
    """

    equal: bool | None
    compared: int = 0
    moving: tuple[int, ...] = ()

    @property
    def telling(self) -> tuple[int, ...]:
        """The digits of the numbers that say something by being equal."""
        return tuple(digits for digits in self.moving if digits >= FEWEST_DIGITS)

    @property
    def enough(self) -> bool:
        """Whether being equal says that nothing differs."""
        return len(self.telling) >= FEWEST_NUMBERS


def printed_numbers(steps: pd.DataFrame, epochs: pd.DataFrame) -> dict[int, Printed]:
    """trial_id -> its numbers, from the store's frames; of several at one place the last."""
    own = steps[steps["quantity"].str.startswith("loss/") | steps["quantity"].isin(SCALARS)]
    own = own.drop_duplicates(["trial_id", "step", "quantity"], keep="last")
    evaluated = epochs[(epochs["source"] == "yardstick")]
    at_epoch = dict(iter(evaluated.groupby("trial_id"))) if len(evaluated) else {}
    found = {}
    for trial, rows in own.groupby("trial_id") if len(own) else ():
        ordered = rows.sort_values("step", kind="stable")
        ends = ordered.dropna(subset=["epoch"]).drop_duplicates(["quantity", "epoch"], keep="last")
        found[int(trial)] = Printed(
            _by_quantity(ordered, "step", "step"),
            _by_quantity(ends, "epoch", "epoch"),
            _evaluations(at_epoch.get(trial)),
            tuple(sorted({int(step) for step in ordered["step"]})),
        )
    return found


def agreement(one: Printed, two: Printed, *, redrawn: bool) -> Agreement:
    """Compare two trainings; `redrawn`: even equal ones leave other lines, so common places alone count."""
    if redrawn and one.steps != two.steps:
        aligned = not (one.counted and two.counted)
        sides = [own.at_steps if aligned else own.at_ends for own in (one, two)]
    else:
        sides = [one.at_steps, two.at_steps]
        if one.steps != two.steps or any(_places(a) != _places(b) for a, b in [sides, _evaluated(one, two)]):
            return Agreement(False)
    return _compared([sides, _evaluated(one, two)])


def together(found: Iterable[Agreement]) -> Agreement:
    """What several comparisons of one setting say: any difference is one, and numbers add up."""
    found = list(found)
    if any(each.equal is False for each in found):
        return Agreement(False)
    if not found or any(each.equal is None for each in found):
        return Agreement(None)
    moving = tuple(digits for each in found for digits in each.moving)
    return Agreement(True, sum(each.compared for each in found), moving)


def _evaluated(one: Printed, two: Printed) -> list[Mapping[str, Mapping[Place, float]]]:
    return [one.evaluated, two.evaluated]


def _compared(pairs: list[list[Mapping[str, Mapping[Place, float]]]]) -> Agreement:
    compared, moving = 0, list[int]()
    for one, two in pairs:
        for quantity in one.keys() & two.keys():
            common = [place for place in one[quantity] if place in two[quantity]]
            if any(not _same(one[quantity][place], two[quantity][place]) for place in common):
                return Agreement(False)
            compared += len(common)
            moving += _moving_digits([one[quantity][place] for place in common])
    return Agreement(True, compared, tuple(moving)) if compared else Agreement(None)


def _moving_digits(values: list[float]) -> list[int]:
    """Of each finite value that is not the one before it, how many significant digits were printed.

    A log has 0.5 where 0.5000 was printed, so a number counts with the decimals of its quantity; but never
    with more digits than some number of it has, or 1e-5 would lend its decimals to the others.
    """
    finite = [Decimal(repr(value)) for value in values if math.isfinite(value)]
    decimals = max((_decimals(value) for value in finite), default=0)
    most = max((len(value.normalize().as_tuple().digits) for value in finite), default=0)
    moved = [two for one, two in zip(values, values[1:], strict=False) if not _same(one, two)]
    return [
        max(1, min(most, Decimal(repr(value)).adjusted() + 1 + decimals))
        for value in moved
        if math.isfinite(value)
    ]


def _decimals(value: Decimal) -> int:
    return max(0, -int(value.normalize().as_tuple().exponent))


def _same(one: float, two: float) -> bool:
    return one == two or (math.isnan(one) and math.isnan(two))


def _places(own: Mapping[str, Mapping[Place, float]]) -> dict[str, set[Place]]:
    return {quantity: set(values) for quantity, values in own.items()}


def _by_quantity(rows: pd.DataFrame, column: str, kind: str) -> dict[str, dict[Place, float]]:
    found: dict[str, dict[Place, float]] = {}
    for quantity, place, value in zip(rows["quantity"], rows[column], rows["value"], strict=True):
        found.setdefault(quantity, {})[kind, int(place)] = float(value)
    return found


def _evaluations(rows: pd.DataFrame | None) -> dict[str, dict[Place, float]]:
    """The components; the weighed sum was computed and not printed, unless there is nothing else."""
    if rows is None:
        return {}
    parts = rows[rows["component"] != "total"]
    named = (parts if len(parts) else rows).assign(quantity=lambda own: own["component"])
    return _by_quantity(named.drop_duplicates(["quantity", "epoch"], keep="last"), "epoch", "evaluated")
