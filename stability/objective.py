"""What Optuna is told of an ended trial.

Optuna turns NaN into FAIL and hides failed trials, so a diverged trial is told COMPLETE with a finite,
capped objective and marked infeasible. FAIL is kept for trials that say nothing about the training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from optuna.trial import TrialState

from stability.records import BEFORE_TRAINING, Records, Verdict, VerdictLabel
from stability.store.rows import TrialRows
from stability.store.told import Told

MAX_REPORTED_POINTS = 20
CONSTRAINT = "constraints:diverged"
"""What `Trial.set_constraint("diverged", ...)` of Optuna 5 writes."""
UNBOUNDED = 1e6
"""The cap where no trial of a study has a finite yardstick before training: worse than any real one."""


def told(verdict: Verdict, rows: TrialRows) -> Told:
    """A trial's attributes, and its constraint and intermediate values where it says something."""
    shown = attributes(rows)
    if verdict.label is VerdictLabel.INCONCLUSIVE:
        return Told(shown)
    return Told(shown, constraint(verdict), dict(reported_points(rows)))


def ending(
    records: Records, verdict: Verdict, rows: TrialRows, cap: float | None
) -> tuple[TrialState, list[float] | None]:
    """The state that the trial ends in, with its objective.

    `cap` is the study's largest yardstick before training, for trials without a finite one of their own.
    """
    if verdict.label is VerdictLabel.INCONCLUSIVE:
        return TrialState.FAIL, None
    return TrialState.COMPLETE, [capped(records, rows, verdict, cap)]


def capped(records: Records, rows: TrialRows, verdict: Verdict, cap: float | None) -> float:
    """The objective: the last yardstick, at most its value before training; that cap for a diverged trial.

    A trainer that never evaluates is measured by the sum of its unweighted training losses instead; one that
    said in words alone that its loss is not finite has none.
    """
    initial, final = rows.trial["yardstick_initial"], rows.trial["yardstick_final"]
    if not records.evaluations and initial is None and records.steps:
        initial, final = (sum(records.steps[i].losses.values()) for i in (0, -1))
    if initial is None or not math.isfinite(initial):
        initial = UNBOUNDED if cap is None else cap
    if verdict.label is VerdictLabel.DIVERGED or final is None or not math.isfinite(final):
        return initial
    return min(final, initial)


def reported_points(rows: TrialRows) -> list[tuple[int, float]]:
    """(epoch, value) pairs for Optuna's plots: finite, at most `MAX_REPORTED_POINTS`, the last one kept."""
    sources = {row["source"] for row in rows.epochs}
    source = "yardstick" if "yardstick" in sources else "train"
    points = [
        (row["epoch"], row["value"])
        for row in rows.epochs
        if row["source"] == source and row["component"] == "total" and row["epoch"] > BEFORE_TRAINING
    ]
    return _thinned([(epoch, value) for epoch, value in points if value is not None])


def attributes(rows: TrialRows) -> dict[str, Any]:
    """What the dashboard shows on a trial's page: verdict, reason and first-epoch losses, without a NaN."""
    row = rows.trial
    shown = {"verdict": row["verdict"], "outcome": row["outcome"], "reason": row["evidence"]}
    shown |= {"first bad step": row["event_step"]} if row["event_step"] is not None else {}
    shown |= {"error": row["error"]} if row["error"] and row["error"] != row["evidence"] else {}
    for epoch in rows.epochs:
        if epoch["epoch"] == 0:
            name = "first epoch" if epoch["source"] == "train" else "yardstick after first epoch"
            number = epoch["value"] if epoch["value_nonfinite"] is None else epoch["value_nonfinite"]
            shown[f"{name}: {epoch['component']}"] = number
    return shown


def constraint(verdict: Verdict) -> dict[str, Any]:
    """Marks a diverged trial infeasible, in the form samplers read and in the older one dashboards read."""
    violation = 1.0 if verdict.label is VerdictLabel.DIVERGED else 0.0
    return {CONSTRAINT: violation, "constraints": [violation]}


def _thinned(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most `MAX_REPORTED_POINTS` of them, evenly spaced, ending with the last."""
    if len(points) <= MAX_REPORTED_POINTS:
        return list(points)
    spacing = (len(points) - 1) / (MAX_REPORTED_POINTS - 1)
    return [points[round(i * spacing)] for i in range(MAX_REPORTED_POINTS)]
