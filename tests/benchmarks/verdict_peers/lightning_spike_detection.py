"""Lightning Fabric's `SpikeDetection`: raises on a loss that is worse than the last and far from the running mean.

Source: lightning/fabric/utilities/spike.py of Lightning 2.6, with its defaults: `mode="min"`, `window=10`,
`warmup=1`, `atol=None`, `rtol=2.0`, `finite_only=True`. Far is a distance of at least 2 x the mean of the last
10 losses, that is a threefold loss where it is positive. A loss that is not finite is a spike, except in the
warm-up. The mean leaves NaN out, as torchmetrics' `MeanMetric` does.

Its own class takes a millisecond a step, so its arithmetic stands here again; a test compares the two.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .peer import totals

if TYPE_CHECKING:
    from cases import Case, Form

WINDOW = 10
WARMUP = 1
RTOL = 2.0


class SpikeDetection:
    name = "Lightning SpikeDetection"

    def alarms(self, case: Case, form: Form) -> int | None:
        return first_spike(totals(case, form))


def first_spike(losses: Iterable[tuple[int, float]]) -> int | None:
    last, recent = 0.0, deque[float](maxlen=WINDOW)
    for step, loss in losses:
        if step >= WARMUP and _is_spike(loss, last, recent):
            return step
        recent.append(loss)
        last = loss
    return None


def _is_spike(loss: float, last: float, recent: Iterable[float]) -> bool:
    if not math.isfinite(loss):
        return True
    if loss - last <= 0:
        return False
    known = [value for value in recent if not math.isnan(value)]
    if not known:
        return False
    mean = sum(known) / len(known)
    return abs(loss - mean) >= abs(RTOL * mean)
