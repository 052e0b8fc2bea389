"""The report's plots as Plotly graphs on optuna-dashboard's study pages, a graph a file: twin -> JSON.

The dashboard brings Plotly's JavaScript; its Python package would only write these dictionaries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stability.dashboard.plots.forest import forest
from stability.dashboard.plots.headroom import headroom
from stability.dashboard.plots.loss_fan import loss_fan
from stability.dashboard.plots.lr_curve import lr_curve
from stability.dashboard.plots.stability_map import stability_map
from stability.dashboard.plots.style import Graph
from stability.report.words import Words

Twin = dict[str, Any]

GRAPHS: dict[str, tuple[tuple[str, ...], Callable[[Twin], Any], Callable[[Twin, Words], Graph]]] = {
    "stability-loss-fan": (("compare",), lambda twin: twin["plots"]["loss_fan"], loss_fan),
    "stability-forest": (
        ("attribute",),
        lambda twin: twin["attribution"] and twin["attribution"]["effects"],
        forest,
    ),
    "stability-map": (("boundary",), lambda twin: twin["plots"]["stability_map"], stability_map),
    "stability-headroom": (("boundary",), lambda twin: twin["boundary"], headroom),
    "stability-lr-curve": (("boundary", "search"), lambda twin: twin["plots"]["lr_curve"], lr_curve),
}


def of_stage(stage: str, twin: Twin, words: Words) -> dict[str, Graph]:
    """The graphs that belong on the page of one stage, by a name that is an HTML id."""
    return {
        name: draw(twin, words)
        for name, (stages, has, draw) in GRAPHS.items()
        if stage in stages and has(twin)
    }
