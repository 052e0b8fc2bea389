"""Keras' `TerminateOnNaN`: stops after the first batch whose loss is NaN or infinite.

Source: keras/src/callbacks/terminate_on_nan.py of Keras 3. It has no constants. Keras hands it the mean of
the epoch's losses so far; that mean and the batch's loss stop being finite at the same batch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .peer import totals

if TYPE_CHECKING:
    from cases import Case, Form


class TerminateOnNaN:
    name = "Keras TerminateOnNaN"

    def alarms(self, case: Case, form: Form) -> int | None:
        return next((step for step, loss in totals(case, form) if not math.isfinite(loss)), None)
