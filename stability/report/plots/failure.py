"""The anatomy of one failure: every recorded number of its last steps, aligned on the first bad one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stability.evidence.selection import diverged, of_stage
from stability.judging.onset import began_in
from stability.records import EventKind
from stability.report.plaindata import marker, present, whole

SHOWN_STEPS = 50
ENOUGH_STEPS = 2
"""Before the first bad one: fewer make no course."""
SHOWN = ("total", "grad_norm", "weight_norm", "grad_scale")
"""The scalars that tell most, beside every loss."""
YARDSTICK, SUM = "yardstick", "sum of losses"
"""What may break without being recorded at a step by that name: the evaluations, and the steps' losses."""

Course = dict[str, Any]


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

    `steps` count from `began_step`, at which the failure began, whenever a rule noticed; a value that is not
    finite is null, and `nonfinite` says which.
    What broke comes first, whatever it is: the yardstick at `steps` of its own, that before training one
    before the first, and with the level (`start`) that a loss rose above for good, where it did.
    """
    trial = frames.trials[frames.trials["trial_id"] == trial_id].iloc[0]
    bad = int(trial["event_step"])
    rows = frames.steps[frames.steps["trial_id"] == trial_id]
    zero = began_in(_courses(rows), bad)
    rows = rows[(rows["step"] <= bad) & (rows["step"] > bad - SHOWN_STEPS)]
    steps = sorted({int(step) for step in rows["step"]})
    counts = rows["quantity"].value_counts(sort=False)
    often = counts[2 * counts >= len(steps)].index  # what is measured now and then has no course to show
    where = present(trial["event_where"])
    quantities = [name for name in often if name in SHOWN or name.startswith("loss/") or name == where]
    if not quantities:
        return None
    broken = _broken(frames, trial, bad, zero)
    return {
        **{name: present(trial[name]) for name in ("stage", "arm", "event_kind", "event_where", "evidence")},
        **{name: whole(trial[name]) for name in ("trial_id", "number", "seed", "event_step")},
        "began_step": zero,
        "steps": [step - zero for step in steps],
        "quantities": broken | {name: _course(rows[rows["quantity"] == name], steps) for name in quantities},
    }


def _courses(rows: pd.DataFrame) -> dict[int, dict[str, float]]:
    """What was recorded at each step, by quantity."""
    found: dict[int, dict[str, float]] = {}
    values = pd.to_numeric(rows["value"]).astype(float)
    for step, quantity, value in zip(rows["step"], rows["quantity"], values, strict=True):
        found.setdefault(int(step), {})[quantity] = value
    return found


def _broken(frames: Any, trial: pd.Series, bad: int, zero: int) -> dict[str, Course]:
    """The course of what broke, by its name, where that is no quantity of a step; else nothing."""
    where = str(present(trial["event_where"]))
    family, _, component = where.partition("/")
    if family == YARDSTICK:
        found = _evaluations(frames.epochs, trial["trial_id"], component or "total")
    elif where == SUM:
        found = _sums(frames.steps, trial["trial_id"])
    else:
        return {}
    found = found[found["step"] <= bad]
    if found.empty:
        return {}
    start = _start(frames.events, trial, bad)
    shown = found.iloc[-SHOWN_STEPS:]
    steps = [int(step) for step in shown["step"]]
    return {where: {"steps": [step - zero for step in steps], **_course(shown, steps), "start": start}}


def _evaluations(epochs: pd.DataFrame, trial_id: int, component: str) -> pd.DataFrame:
    """A component's evaluations in order, each at the `step` it follows: -1 for the one before training."""
    own = epochs[(epochs["trial_id"] == trial_id) & (epochs["source"] == "yardstick")]
    own = own[own["component"] == component].dropna(subset="steps_done")
    return own.assign(step=pd.to_numeric(own["steps_done"]).astype(int) - 1).sort_values("step")


def _sums(steps: pd.DataFrame, trial_id: int) -> pd.DataFrame:
    """The sum of each step's losses without their weights, as the rule on blow-ups takes it."""
    own = steps[(steps["trial_id"] == trial_id) & steps["quantity"].str.startswith("loss/")]
    values = pd.to_numeric(own["value"]).astype(float)
    return values.groupby(own["step"]).agg(lambda each: each.sum(skipna=False)).rename("value").reset_index()


def _start(events: pd.DataFrame, trial: pd.Series, bad: int) -> float | None:
    """The level that a loss rose above for good; None for other failures, and beyond all numbers."""
    if trial["event_kind"] != EventKind.BLOW_UP:
        return None
    own = events[(events["trial_id"] == trial["trial_id"]) & (events["step"] == bad)]
    own = own[(own["kind"] == trial["event_kind"]) & (own["where"] == trial["event_where"])]
    levels = [float(each) for each in own["threshold"] if present(each) is not None]
    return None if not levels or marker(levels[0]) else levels[0]


def _course(rows: pd.DataFrame, steps: list[int]) -> Course:
    values = dict(zip(map(int, rows["step"]), pd.to_numeric(rows["value"]).astype(float), strict=True))
    found = [values.get(step, np.nan) for step in steps]
    marks = {str(i): marker(value) for i, value in enumerate(found) if steps[i] in values and marker(value)}
    return {"values": [None if marker(value) else float(value) for value in found], "nonfinite": marks}
