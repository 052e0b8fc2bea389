"""The anatomy of one failure: every recorded number of its last steps, aligned on the first bad one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stability.evidence.selection import diverged, of_stage
from stability.report.plaindata import marker, present, whole

SHOWN_STEPS = 50
ENOUGH_STEPS = 2
"""Before the first bad one: fewer make no course."""
SHOWN = ("total", "grad_norm", "weight_norm", "grad_scale")
"""The scalars that tell most, beside every loss."""


def shown_failure(trials: pd.DataFrame) -> int | None:
    """The diverged trial with most steps before its first bad one.

    Of stage `compare`, if one of its trials has enough of them to show something.
    """
    lost = trials[diverged(trials) & pd.to_numeric(trials["event_step"]).notna()]
    compared = of_stage(lost, "compare")
    if len(compared) and pd.to_numeric(compared["event_step"]).max() >= ENOUGH_STEPS:
        lost = compared
    if lost.empty:
        return None
    steps = pd.to_numeric(lost["event_step"]).astype(float)
    return int(lost.loc[steps == steps.max(), "trial_id"].min())


def failure(frames: Any) -> dict[str, Any] | None:
    """The anatomy of `shown_failure`; None where none diverged, or no step of it is stored."""
    trial_id = shown_failure(frames.trials)
    return None if trial_id is None else anatomy(frames, trial_id)


def anatomy(frames: Any, trial_id: int) -> dict[str, Any] | None:
    """A diverged trial and its last steps; None where no step is stored.

    `steps` count from the first bad one, 0; a value that is not finite is null, and `nonfinite` says which.
    """
    trial = frames.trials[frames.trials["trial_id"] == trial_id].iloc[0]
    bad = int(trial["event_step"])
    rows = frames.steps[frames.steps["trial_id"] == trial_id]
    rows = rows[(rows["step"] <= bad) & (rows["step"] > bad - SHOWN_STEPS)]
    steps = sorted({int(step) for step in rows["step"]})
    counts = rows["quantity"].value_counts(sort=False)
    often = counts[2 * counts >= len(steps)].index  # what is measured now and then has no course to show
    quantities = [name for name in often if name in SHOWN or name.startswith("loss/")]
    if not quantities:
        return None
    return {
        **{name: present(trial[name]) for name in ("stage", "arm", "event_kind", "event_where", "evidence")},
        **{name: whole(trial[name]) for name in ("trial_id", "number", "seed", "event_step")},
        "steps": [step - bad for step in steps],
        "quantities": {name: _course(rows[rows["quantity"] == name], steps) for name in quantities},
    }


def _course(rows: pd.DataFrame, steps: list[int]) -> dict[str, Any]:
    values = dict(zip(map(int, rows["step"]), pd.to_numeric(rows["value"]).astype(float), strict=True))
    found = [values.get(step, np.nan) for step in steps]
    marks = {str(i): marker(value) for i, value in enumerate(found) if steps[i] in values and marker(value)}
    return {"values": [None if marker(value) else float(value) for value in found], "nonfinite": marks}
