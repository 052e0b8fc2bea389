"""Where trials diverge over two parameters: the trials, and P(diverge) with each arm's other settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from stability.evidence.boundary import Boundary
from stability.evidence.boundary.prices import prices
from stability.evidence.selection import diverged, varied
from stability.params import Param
from stability.report.boundary import arm_settings

GRID = (44, 30)
"""Places along the bounded and the other parameter."""


def stability_map(spec: Any, trials: pd.DataFrame, found: Boundary | None) -> dict[str, Any] | None:
    """Axes, trials and P(diverge) [other, bounded] an arm; None without a boundary or a second range.

    The second parameter is the numeric one whose range moves the boundary most.
    """
    other = None if found is None else _second(found)
    if other is None or not spec.arms:
        return None
    bounded = found.space.bounded
    x, y = (_places(param, count) for param, count in zip((bounded, other), GRID, strict=True))
    return {
        "x": {"param": bounded.name, "log": bounded.log, "values": x},
        "y": {"param": other.name, "log": other.log, "values": y},
        "trials": _points(trials, bounded.name, other.name),
        "arms": {arm: _panel(found, arm_settings(spec, arm), other.name, x, y) for arm in spec.arms},
    }


def _second(found: Boundary) -> Param | None:
    numeric = {param.name: param for param in found.space.others if param.choices is None}
    costs = {price.name: abs(price.cost) for price in prices(found) if price.name in numeric}
    name = max(costs, key=costs.get) if costs else next(iter(numeric), None)
    return numeric.get(name)


def _places(param: Param, count: int) -> list[float]:
    if param.log:
        return [float(value) for value in np.geomspace(param.low, param.high, count)]
    return [float(value) for value in np.linspace(param.low, param.high, count)]


def _panel(found: Boundary, arm: Mapping[str, Any], other: str, x: list[float], y: list[float]):
    bounded = found.space.bounded.name
    settings = [{**arm, bounded: along, other: beside} for beside in y for along in x]
    risk = found.risk(settings).reshape(len(y), len(x))
    return {
        "x": arm[bounded],
        "y": arm[other],
        "probability": [[round(float(p), 3) for p in row] for row in risk],
    }


def _points(trials: pd.DataFrame, x: str, y: str) -> list[dict[str, Any]]:
    known = varied(trials)
    lost = diverged(known)
    return [
        {"x": params[x], "y": params[y], "diverged": bool(bad)}
        for params, bad in zip(known["params"], lost, strict=True)
        if x in params and y in params
    ]
