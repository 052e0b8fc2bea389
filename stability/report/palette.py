"""What the report's plots share, whoever draws them: colours, and which axis the losses get."""

from __future__ import annotations

import math
from collections.abc import Sequence

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe and Ito's colour-blind-safe palette (https://jfly.uni-koeln.de/color)."""
LOG_FROM = 20.0
"""Ratio of largest to smallest value from which a loss axis is logarithmic."""
LINEAR_FROM, LINEAR_TO = 1e-280, 1e307
"""Beyond these a linear axis would show every value as 0, or its ends would overflow."""
SMALLEST, HIGHEST = 5e-324, 308.25
"""The smallest number above 0, and the largest decade."""
ROOM = 0.14
"""Above and below the losses, of what they span."""


def is_wide(values: Sequence[float]) -> bool:
    """Whether finite `values` ask for a logarithmic axis, and allow one."""
    if not len(values) or min(values) <= 0:
        return False
    low, high = min(values), max(values)
    return high / low >= LOG_FROM or high < LINEAR_FROM or high > LINEAR_TO


def is_extreme(low: float, high: float) -> bool:
    """Whether a logarithmic axis comes near the ends of what numbers hold, where drawing libraries fail."""
    return low < LINEAR_FROM or high > 1 / LINEAR_FROM


def fits(values: Sequence[float]) -> bool:
    """Whether one axis can hold finite `values`; of both signs, none may be near the largest number."""
    return is_wide(values) or all(abs(value) <= LINEAR_TO for value in values)


def loss_range(values: Sequence[float]) -> tuple[str, float, float] | None:
    """The kind of axis for finite `values` and its ends in their unit; None without one that fits."""
    if not len(values) or not fits(values):
        return None
    low, high = min(values), max(values)
    if is_wide(values):
        ends = math.log10(low), math.log10(high)
        span = ends[1] - ends[0]
        room = ROOM * span if span >= 1 else 1.0
        return "log", max(10 ** (ends[0] - room), SMALLEST), 10 ** min(ends[1] + room, HIGHEST)
    room = ROOM * (high - low) or ROOM * abs(high) or 1.0
    return "linear", low - room, high + room
