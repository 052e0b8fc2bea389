"""Over which part of each knob's range does an arm keep its distance from the boundary?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stability.evidence.boundary.located import Boundary
from stability.params import Param, Scalar

GRID = 65


@dataclass(frozen=True, slots=True)
class Range:
    """Where P(diverge) is below the risk with 95% credibility, the arm's other settings kept.

    `low` and `high` hold the arm's own value between them; a limit was met at the ends that are `limited`. Of
    a choice, the `choices` that hold. Nothing holds where neither is given.
    """

    name: str
    low: float | None = None
    high: float | None = None
    limited: tuple[bool, bool] = (False, False)
    choices: tuple[Scalar, ...] | None = None

    @property
    def holds(self) -> bool:
        return self.choices is not None or self.low is not None


def ranges(found: Boundary, arm: Mapping[str, Any], risk: float = 0.05) -> list[Range]:
    """Of every knob but the bounded parameter; empty where the trials support no statement.

    Credible at each value alone, not at all of them together.
    """
    if not found.speaks:
        return []
    return [_range(found, knob, arm, risk) for knob in found.space.others]


def _range(found: Boundary, knob: Param, arm: Mapping[str, Any], risk: float) -> Range:
    values = list(knob.choices) if knob.choices is not None else _grid(knob, arm[knob.name])
    held = found.bounds([{**arm, knob.name: value} for value in values], risk)
    calm = held >= found.space.u_of(arm[found.space.bounded.name])
    own = values.index(arm[knob.name])
    if not calm[own]:
        return Range(knob.name)
    if knob.choices is not None:
        return Range(knob.name, choices=tuple(v for v, one in zip(values, calm, strict=True) if one))
    first, last = own, own
    while first > 0 and calm[first - 1]:
        first -= 1
    while last < len(values) - 1 and calm[last + 1]:
        last += 1
    return Range(knob.name, values[first], values[last], (first > 0, last < len(values) - 1))


def _grid(knob: Param, own: float) -> list[Scalar]:
    """Values over the whole range, ends included, and the arm's own among them."""
    spaced = np.geomspace if knob.log else np.linspace
    inner = [knob.at(float(u)) for u in np.linspace(0, 1, GRID)[1:-1]] if knob.kind == "int" else []
    inner = inner or [float(value) for value in spaced(knob.low, knob.high, GRID)[1:-1]]
    return sorted({knob.low, knob.high, own, *inner})
