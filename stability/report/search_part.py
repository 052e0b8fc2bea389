"""The search part of the twin: counts, best trial, where divergence starts, and the points of its plot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from stability.evidence.paired import epoch_values
from stability.evidence.searched import plotted_param, search_summary
from stability.evidence.selection import of_stage, with_evidence
from stability.report.plaindata import marker, whole

ADAPTIVE = frozenset({"tpe", "gp"})
"""Samplers that choose a trial by the results of earlier ones."""


def search_part(spec: Any, frames: Any) -> dict[str, Any] | None:
    """The twin's `search`, or None where no search trial is stored."""
    trials = of_stage(frames.trials, "search")
    if trials.empty:
        return None
    param = plotted_param(spec.params)
    found = search_summary(trials, param)
    response, values = _response(frames.epochs, trials)
    first, sampler = values.to_dict(), _sampler(spec)
    return {
        "n": found.n,
        "diverged": found.diverged,
        "infrastructure_failures": found.infrastructure_failures,
        "sampler": sampler,
        "adaptive": sampler is None or sampler in ADAPTIVE,
        "best": found.best,
        "param": param,
        "log": bool(param and spec.params[param].log),
        "edge": found.edge,
        "response": response,
        "trials": [_point(row, param, first) for row in with_evidence(trials).to_dict("records")],
    }


def _sampler(spec: Any) -> str | None:
    """The sampler named in the study's plan; None where the plan no longer holds a search."""
    stages = (entry.stage for entry in getattr(spec, "plan", ()) if entry.name == "search")
    return next((stage.sampler for stage in stages), None)


def _response(epochs: pd.DataFrame, trials: pd.DataFrame) -> tuple[str, pd.Series]:
    """First-epoch yardstick, or the printed total for a trainer that records no yardstick."""
    own = epochs[epochs["trial_id"].isin(trials["trial_id"])]
    yardstick = epoch_values(own, "yardstick", "total", epoch=0)
    return (
        ("yardstick", yardstick)
        if len(yardstick)
        else ("total", epoch_values(own, "train", "total", epoch=0))
    )


def _point(row: Mapping[str, Any], param: str | None, values: Mapping[int, float]) -> dict[str, Any]:
    first = float(values.get(row["trial_id"], float("nan")))
    missing = row["trial_id"] not in values
    return {
        "number": whole(row["number"]),
        "value": row["params"].get(param),
        "first_epoch": first if marker(first) is None else None,
        "nonfinite": None if missing else marker(first),
        "verdict": str(row["verdict"]),
    }
