"""MosaicML LLM Foundry's `KillLossSpike`: five losses in a row of twice the mean, or a window of high losses.

Source: llmfoundry/callbacks/kill_loss_spike_callback.py at commit 56891fcb, with its defaults: `patience=4`,
`outlier_multiplier=2`, a window of a twentieth of the training and at least 100 steps, and a loss cap that is
the largest loss of the first window and at most 10. It says nothing before its window is full. From two windows
on it also raises once half of the window lies above the cap.

The cap is set as its documentation says, at the first full window.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from .peer import totals

if TYPE_CHECKING:
    from cases import Case, Form

PATIENCE = 4
OUTLIER_MULTIPLIER = 2
WINDOW_FRACTION = 0.05
LEAST_WINDOW = 100
HIGHEST_CAP = 10.0


class KillLossSpike:
    name = "LLM Foundry KillLossSpike"

    def alarms(self, case: Case, form: Form) -> int | None:
        size = max(LEAST_WINDOW, round(len(case.total) * WINDOW_FRACTION))
        window, outliers, cap = deque[float](maxlen=size), 0, None
        for step, loss in totals(case, form):
            if len(window) == size:
                cap = min(max(window), HIGHEST_CAP) if cap is None else cap
                outliers = outliers + 1 if loss >= OUTLIER_MULTIPLIER * sum(window) / size else 0
                high = sum(value > cap for value in window) >= size / 2
                if outliers > PATIENCE or (step + 1 >= 2 * size and high):
                    return step
            window.append(loss)
        return None
