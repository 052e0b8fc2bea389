"""Where a trial lies: how far along the bounded parameter, and in which context.

Settings in, arrays out. Along the bounded parameter the coordinate u grows towards divergence; the other
parameters that vary make up the context c.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stability.params import Param

LINEAR_RANGE = 3.0
"""How many units of u a range without `log` counts for: as many as learning rates usually have decades.

So the priors of the model, which are stated in decades, mean the same share of either kind of range.
"""


@dataclass(frozen=True, slots=True)
class Space:
    """The bounded parameter and the others. `rising`: larger values of it diverge more often.

    Raises `ValueError` where the bounded parameter is no range.
    """

    bounded: Param
    others: tuple[Param, ...] = ()
    rising: bool = True

    def __post_init__(self) -> None:
        if self.bounded.choices is not None or not self.bounded.low < self.bounded.high:
            raise ValueError(f"{self.bounded.name} has no range to look for a boundary in; give min and max")
        object.__setattr__(self, "others", tuple(p for p in self.others if varies(p)))

    @property
    def range_u(self) -> float:
        """The length of the bounded range: decades with `log`, else `LINEAR_RANGE`."""
        low, high = self._along(self.bounded.low), self._along(self.bounded.high)
        return high - low if self.bounded.log else LINEAR_RANGE

    def u_of(self, value: float) -> float:
        """The coordinate of one value: 0 in the middle of the range, `range_u` / 2 at its risky end."""
        if not math.isfinite(value) or (self.bounded.log and value <= 0):
            raise ValueError(f"{self.bounded.name} = {value} has no place on its range")
        low, high = self._along(self.bounded.low), self._along(self.bounded.high)
        share = (self._along(value) - low) / (high - low) - 0.5
        return (share if self.rising else -share) * self.range_u

    def value_at(self, u: float) -> float:
        """The value of the bounded parameter at `u`; inverse of `u_of`, also outside the range."""
        low, high = self._along(self.bounded.low), self._along(self.bounded.high)
        along = low + (0.5 + (u if self.rising else -u) / self.range_u) * (high - low)
        return 10**along if self.bounded.log else along

    def coordinates(self, settings: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
        """u [n] and c [n, columns] of `settings`. Raises `ValueError` for a value without a place."""
        u = np.array([self.u_of(setting[self.bounded.name]) for setting in settings])
        return u, self.contexts(settings)

    def contexts(self, settings: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """c [n, columns]: numbers as -1 to 1 over their range, two choices as -1 and 1, more one-hot."""
        rows = [
            [entry for param in self.others for entry in encoded(param, setting[param.name])]
            for setting in settings
        ]
        return np.array(rows, dtype=float).reshape(len(settings), len(self.owners))

    @property
    def owners(self) -> tuple[int, ...]:
        """For each column of c, which of `others` it describes."""
        return tuple(i for i, param in enumerate(self.others) for _ in range(columns(param)))

    @property
    def binary(self) -> tuple[bool, ...]:
        """For each column of c, whether it takes two values only: its square would say nothing."""
        return tuple(self.others[owner].choices is not None for owner in self.owners)

    def _along(self, value: float) -> float:
        return math.log10(value) if self.bounded.log else float(value)


def varies(param: Param) -> bool:
    return len(param.choices) > 1 if param.choices is not None else param.low < param.high


def columns(param: Param) -> int:
    return len(param.choices) if param.choices is not None and len(param.choices) > 2 else 1


def encoded(param: Param, value: Any) -> list[float]:
    """One parameter's part of a context. Raises `ValueError` for a value that is no number of the range."""
    if param.choices is None:
        if not math.isfinite(value) or (param.log and value <= 0):
            raise ValueError(f"{param.name} = {value} has no place on its range")
        low, high, at = (math.log(x) if param.log else x for x in (param.low, param.high, value))
        return [2 * (at - low) / (high - low) - 1]
    index = _index(param, value)
    if len(param.choices) == 2:
        return [2.0 * index - 1]
    return [float(i == index) for i in range(len(param.choices))]


def _index(param: Param, value: Any) -> int:
    for i, choice in enumerate(param.choices):
        if choice == value and type(choice) is type(value):
            return i
    raise ValueError(f"{param.name}: {value!r} is not one of {', '.join(map(repr, param.choices))}")
