"""The numbers of a training by name, and which series of them says how it goes."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat

from stability.judging.conclusion import has_no_direction
from stability.judging.findings import Series
from stability.judging.movement import is_counter, is_loss_scale
from stability.judging.signals import direction, is_loss
from stability.records import Direction, Step


def roles(steps: Iterable[Step], declared: Mapping[str, Direction]) -> dict[str, Direction]:
    """Which way each number of these steps should go: as declared, else by its name and how it moves."""
    columns = Columns(declared)
    for step in steps:
        columns.add(step)
    return columns.roles()


class Columns:
    """Keeps the total and every loss of each step, 8 bytes a number: what they show is known at the end."""

    def __init__(self, directions: Mapping[str, Direction]) -> None:
        """`directions` are those declared in the study file, by name."""
        self._declared = directions
        self._steps, self._totals = array("q"), array("d")
        self._has_totals = True
        self._rows: dict[str, array[int]] = {}
        self._values: dict[str, array[float]] = {}

    def add(self, step: Step) -> None:
        """Note the numbers of one step."""
        row = len(self._steps)
        self._steps.append(step.step)
        self._has_totals = self._has_totals and step.total is not None
        self._totals.append(math.nan if step.total is None else step.total)
        for name, value in step.losses.items():
            if name not in self._rows:
                self._rows[name], self._values[name] = array("q"), array("d")
            self._rows[name].append(row)
            self._values[name].append(value)

    def followed(self, weights: Mapping[str, float] | None = None) -> Series:
        """The training loss: the total where every step has one, else the sum of the losses that should fall.

        Where none should fall, a metric that should rise, turned over; without one, the sum of all losses.
        `weights`: coefficients of a yardstick that no evaluation measured. Its parts are followed instead of
        a total that holds terms without direction, such as a generator's.
        """
        if weights and self._has_totals and self._of(Direction.NONE) and self._may_all_fall(weights):
            values = self._sums(list(weights), weights)
            declared = weights.keys() <= self._declared.keys()
            return self._series("yardstick of training losses", values, declared=declared)
        falling, rising = self._of(Direction.DOWN), self._of(Direction.UP)
        directed = bool(falling) or not self._rows
        if not directed and rising:
            name = rising[0]
            return self._series(name, ((-value) for value in self._sums([name])), is_turned=True)
        declared = any(name in self._declared for name in falling)
        if self._has_totals:
            return self._series("total", self._totals, directed=directed, declared=declared)
        names = self._without_counters(falling) or [n for n in self._rows if is_loss(n, self._declared)]
        return self._series("sum of losses", self._sums(names), directed=directed, declared=declared)

    def roles(self) -> dict[str, Direction]:
        """Which way each number should go, the total among them where it moves unlike a loss."""
        found = {name: direction(name, self._declared) for name in self._rows}
        found |= dict.fromkeys(self.counters(), Direction.NONE)
        followed = self.followed()
        if followed.values and has_no_direction(followed):
            found[followed.name] = Direction.NONE
        return found

    def counters(self) -> Iterator[str]:
        """Names of numbers that move as a counter or a loss scale does, unless they are declared."""
        for name, values in self._values.items():
            if name not in self._declared and (is_counter(values) or is_loss_scale(values)):
                yield name

    def _may_all_fall(self, names: Iterable[str]) -> bool:
        """Whether all of these are recorded, and none is declared to go another way than down."""
        down = Direction.DOWN
        return all(name in self._rows and self._declared.get(name, down) == down for name in names)

    def _of(self, wanted: Direction) -> list[str]:
        return [name for name in self._rows if direction(name, self._declared) is wanted]

    def _without_counters(self, names: list[str]) -> list[str]:
        """All of them where nothing else is left: a loss that doubles each step moves as a scale does."""
        counters = set(self.counters())
        return [name for name in names if name not in counters] or names

    def _sums(self, names: list[str], weights: Mapping[str, float] | None = None) -> list[float]:
        """The sum of these in each step, weighted if there are `weights`; NaN where there is none of them."""
        sums = list(repeat(math.nan, len(self._steps)))
        found = bytearray(len(self._steps))
        for name in names:
            weight = 1.0 if weights is None else weights[name]
            for row, value in zip(self._rows[name], self._values[name], strict=True):
                sums[row] = sums[row] + weight * value if found[row] else weight * value
                found[row] = 1
        return sums

    def _series(self, name: str, values: Iterable[float], **known: bool) -> Series:
        """Without what is not finite."""
        finite = [(s, v) for s, v in zip(self._steps, values, strict=True) if math.isfinite(v)]
        return Series(name, [s for s, _ in finite], [v for _, v in finite], **known)
