"""Lightning's `EarlyStopping`: stops when the monitored value is not finite, or no longer falls.

Source: lightning/pytorch/callbacks/early_stopping.py of Lightning 2.6, with `mode="min"`, `min_delta=0` and
`check_finite=True`, and without thresholds, all as by default. The monitored value is the evaluation where
there are any after training began, with the default patience of 3. The evaluation before training counts as
Lightning's sanity check, which is left out. Elsewhere it is the loss of every step with a patience of 100
steps, our choice: 3 steps would stop every training.

It also stops trainings that have learned all they will. That is what it is for, and counts as an alarm here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stability.records import Evaluation

from .peer import totals

if TYPE_CHECKING:
    from cases import Case, Form

EVALUATIONS_PATIENCE = 3
STEPS_PATIENCE = 100


class EarlyStopping:
    name = "Lightning EarlyStopping"

    def alarms(self, case: Case, form: Form) -> int | None:
        evaluated = [
            (record.step - 1, sum(record.losses.values()))
            for record in case.timeline(form)
            if isinstance(record, Evaluation) and record.step > 0
        ]
        if evaluated:
            return stops(evaluated, EVALUATIONS_PATIENCE)
        return stops(list(totals(case, form)), STEPS_PATIENCE)


def stops(monitored: Sequence[tuple[int, float]], patience: int) -> int | None:
    """The step of the first check that stops the training."""
    best, waited = math.inf, 0
    for step, value in monitored:
        if not math.isfinite(value):
            return step
        if value < best:
            best, waited = value, 0
            continue
        waited += 1
        if waited >= patience:
            return step
    return None
