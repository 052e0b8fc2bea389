"""How the final loss depends on one parameter, where trials diverge along it, and how sensitive that is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stability.evidence.searched import edge_along, number, plotted_param
from stability.evidence.selection import diverged, varied
from stability.evidence.sensitivity import Along, bins, sensitivity
from stability.report.plaindata import marker


def lr_curve(spec: Any, trials: pd.DataFrame) -> dict[str, Any] | None:
    """Trials along the parameter, the median of each part of its range, and the sensitivity.

    None where no trial varied a numeric parameter.
    """
    bounded = next((entry.stage.param for entry in spec.plan if entry.name == "boundary"), None)
    name = bounded or plotted_param(spec.params)
    known = varied(trials)
    if name is None or spec.params[name].choices is not None:
        return None
    known = known[[number(params.get(name)) is not None for params in known["params"]]]
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
        "smallest_diverged": edge_along(known, name).smallest_diverged,
    }


def _along(known: pd.DataFrame, name: str) -> Along:
    initial, final = (
        pd.to_numeric(known[f"yardstick_{end}"]).to_numpy(dtype=float, na_value=np.nan)
        for end in ("initial", "final")
    )
    initial = initial[np.isfinite(initial)]
    return Along(
        np.array([float(params[name]) for params in known["params"]]),
        final,
        diverged(known).to_numpy(dtype=bool),
        float(np.median(initial)) if len(initial) else None,
    )


def _points(known: pd.DataFrame, along: Along) -> list[dict[str, Any]]:
    rows = zip(along.value, along.loss, known["verdict"], strict=True)
    return [
        {"value": float(value), "loss": None if marker(loss) else float(loss), "verdict": str(verdict)}
        for value, loss, verdict in rows
    ]
