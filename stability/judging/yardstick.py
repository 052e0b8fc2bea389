"""The yardstick: one fixed weighted sum of an evaluation's components."""

from __future__ import annotations

import math
from collections.abc import Mapping

YARDSTICK_NAME = "yardstick"


def yardstick(losses: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The weighted sum of an evaluation's components; NaN and infinities go through.

    A weighed component may be missing only where another is not finite: so is the sum then, whatever the
    missing one is. Raises `KeyError` otherwise.
    """
    given = sum(weight * losses[name] for name, weight in weights.items() if name in losses)
    if math.isfinite(given) and (missing := weights.keys() - losses.keys()):
        raise KeyError(*missing)
    return given
