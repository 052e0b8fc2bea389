"""How the final loss depends on one parameter, where trials diverge along it, and how sensitive that is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from stability.evidence.searched import plotted_param
from stability.evidence.selection import of_stage, with_evidence
from stability.evidence.sensitivity import Along, bins, sensitivity
from stability.report.plaindata import marker

STAGES = ("boundary", "search")
"""The stages whose trials vary the parameter over its range."""


def lr_curve(spec: Any, trials: pd.DataFrame) -> dict[str, Any] | None:
    """Trials along the parameter, the median of each part of its range, and the sensitivity.

    None where no trial varied a numeric parameter.
    """
    bounded = next((entry.stage.param for entry in spec.plan if entry.name == "boundary"), None)
    name = bounded or plotted_param(spec.params)
    known = with_evidence(pd.concat([of_stage(trials, stage) for stage in STAGES]))
    if name is None or spec.params[name].choices is not None:
        return None
    known = known[[_is_number(params.get(name)) for params in known["params"]]]
    if known.empty:
        return None
    along = _along(known, name)
    param = spec.params[name]
    parts = bins(along, param.low, param.high, param.log)
    return {
        "param": name,
        "log": param.log,
        "low": param.low,
        "high": param.high,
        "at_start": along.at_start,
        "trials": _points(known, along),
        "bins": parts,
        "sensitivity": sensitivity(along, parts),
        "largest_stable": _extreme(along, lost=False),
        "smallest_diverged": _extreme(along, lost=True),
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _along(known: pd.DataFrame, name: str) -> Along:
    initial, final = (
        pd.to_numeric(known[f"yardstick_{end}"]).to_numpy(dtype=float, na_value=np.nan)
        for end in ("initial", "final")
    )
    initial = initial[np.isfinite(initial)]
    return Along(
        np.array([float(params[name]) for params in known["params"]]),
        final,
        (known["verdict"] == "DIVERGED").to_numpy(dtype=bool),
        float(np.median(initial)) if len(initial) else None,
    )


def _points(known: pd.DataFrame, along: Along) -> list[dict[str, Any]]:
    rows = zip(along.value, along.loss, known["verdict"], strict=True)
    return [
        {"value": float(value), "loss": None if marker(loss) else float(loss), "verdict": str(verdict)}
        for value, loss, verdict in rows
    ]


def _extreme(along: Along, *, lost: bool) -> float | None:
    values = along.value[along.lost == lost]
    return float(values.min() if lost else values.max()) if len(values) else None
