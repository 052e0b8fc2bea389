"""How the losses of each arm went, as a fan over its trials, and how many were still training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stability.evidence.selection import diverged, of_stage, with_evidence
from stability.evidence.survival import survival_curve

MOST_PLACES = 120
"""Places along a fan: more cannot be seen."""
SHARES = {"low": 0.1, "median": 0.5, "high": 0.9}


def loss_fan(frames: Any, arms: list[str]) -> dict[str, Any] | None:
    """An arm's yardstick per epoch, printed total per step, and survival; None where no arm has trials.

    A fan holds the 10%, 50% and 90% quantile over all trials, a lost one counting as infinite from there on:
    null where the quantile is. `bad` are the places of first bad steps, with how many trials were lost there.
    """
    compared = of_stage(frames.trials, "compare")
    found = {arm: _arm(frames, compared, arm) for arm in arms}
    found = {arm: own for arm, own in found.items() if own is not None}
    return found or None


def _arm(frames: Any, compared: pd.DataFrame, arm: str) -> dict[str, Any] | None:
    own = with_evidence(compared[compared["arm"] == arm])
    if own.empty:
        return None
    lost = own[diverged(own)]
    epochs = _chosen(frames.epochs, own, source="yardstick", component="total")
    steps = _chosen(frames.steps, own, quantity="total")
    ends = pd.to_numeric(lost["event_step"]).dropna().astype(int)
    return {
        "n": len(own),
        "yardstick": _fan(epochs, "epoch", own, lost, None),
        "total": _fan(steps, "step", own, lost, ends),
        "survival": survival_curve(compared, arm),
    }


def _chosen(frame: pd.DataFrame, own: pd.DataFrame, **where: str) -> pd.DataFrame:
    frame = frame[frame["trial_id"].isin(own["trial_id"])]
    for column, wanted in where.items():
        frame = frame[frame[column] == wanted]
    return frame


def _fan(rows: pd.DataFrame, axis: str, own: pd.DataFrame, lost: pd.DataFrame, ends: pd.Series | None):
    """`ends` are the first bad steps of the lost trials, where the axis counts steps."""
    if rows.empty:
        return None
    values = rows.assign(value=pd.to_numeric(rows["value"]).astype(float))
    grid = values.pivot_table("value", "trial_id", axis, aggfunc="last", dropna=False)
    grid = grid.reindex(own["trial_id"])
    nonfinite = values[~np.isfinite(values["value"])]
    gone = np.isin(grid.index, lost["trial_id"])
    known = grid.to_numpy(dtype=float)
    known = np.where(~np.isfinite(known) & gone[:, None], np.inf, known)
    for trial, step in () if ends is None else zip(lost.loc[ends.index, "trial_id"], ends, strict=True):
        known[grid.index.get_loc(trial), grid.columns >= step] = np.inf
    shown = np.unique(np.linspace(0, len(grid.columns) - 1, MOST_PLACES).round().astype(int))
    if ends is not None:  # of a lost trial its first bad step alone
        nonfinite = nonfinite[~nonfinite["trial_id"].isin(lost["trial_id"])]
    counted = pd.concat([nonfinite[axis], *([] if ends is None else [ends])]).value_counts().sort_index()
    return {
        "x": [int(grid.columns[i]) for i in shown],
        **{name: [_quantile(known[:, i], share) for i in shown] for name, share in SHARES.items()},
        "bad": [[int(place), int(count)] for place, count in counted.items()],
    }


def _quantile(column: np.ndarray, share: float) -> float | None:
    """Of the trials that are known there, lost ones infinite; None where that is the quantile."""
    known = column[~np.isnan(column)]
    if not len(known):
        return None
    found = float(np.quantile(known, share, method="inverted_cdf"))
    return found if np.isfinite(found) else None
