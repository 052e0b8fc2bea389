"""A z-score alert: the loss lies more than 3 standard deviations above the mean of the last 50 steps.

Source: none in particular; this is the textbook rule that monitoring systems offer, with its usual constants.
It looks at losses only once the window is full. Where the window does not vary, anything above its mean is an
alarm. A NaN is above nothing, and leaves the rule blind for as long as the window has it.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from .peer import totals

if TYPE_CHECKING:
    from cases import Case, Form

WINDOW = 50
THRESHOLD = 3.0


class ZScore:
    name = "z-score over 50 steps"

    def alarms(self, case: Case, form: Form) -> int | None:
        recent = deque[float](maxlen=WINDOW)
        for step, loss in totals(case, form):
            if len(recent) == WINDOW and _stands_out(loss, recent):
                return step
            recent.append(loss)
        return None


def _stands_out(loss: float, recent: deque[float]) -> bool:
    mean = sum(recent) / WINDOW
    spread = math.sqrt(sum((value - mean) * (value - mean) for value in recent) / WINDOW)
    return loss - mean > THRESHOLD * spread
