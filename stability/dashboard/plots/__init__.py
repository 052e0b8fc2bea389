"""The report's plots as Plotly graphs on optuna-dashboard's study pages, a graph a file: twin -> JSON.

The dashboard brings Plotly's JavaScript; its Python package would only write these dictionaries.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from stability.dashboard.plots.failure import failure
from stability.dashboard.plots.forest import forest, responses
from stability.dashboard.plots.headroom import headroom
from stability.dashboard.plots.loss_fan import loss_fan
from stability.dashboard.plots.lr_curve import lr_curve
from stability.dashboard.plots.stability_map import stability_map
from stability.dashboard.plots.style import Graph
from stability.report.words import Words

Twin = dict[str, Any]

GRAPHS: dict[str, tuple[Callable[[Twin], Collection[str]], Callable[[Twin, Words], Graph]]] = {
    "stability-loss-fan": (lambda twin: ("compare",) if twin["plots"]["loss_fan"] else (), loss_fan),
    "stability-forest": (lambda twin: _attributed(twin), forest),
    "stability-map": (lambda twin: ("boundary",) if twin["plots"]["stability_map"] else (), stability_map),
    "stability-headroom": (lambda twin: ("boundary",) if twin["boundary"] else (), headroom),
    "stability-lr-curve": (
        lambda twin: ("boundary", "search") if twin["plots"]["lr_curve"] else (),
        lr_curve,
    ),
    "stability-failure": (
        lambda twin: (twin["plots"]["failure"]["stage"],) if twin["plots"]["failure"] else (),
        failure,
    ),
}
"""Each graph's name, on the pages of which stages it belongs, and how it is drawn."""


def of_stage(stage: str, twin: Twin, words: Words) -> dict[str, Graph]:
    """The graphs that belong on the page of one stage, by a name that is an HTML id."""
    return {name: draw(twin, words) for name, (stages, draw) in GRAPHS.items() if stage in stages(twin)}


def _attributed(twin: Twin) -> tuple[str, ...]:
    """The stage whose trials show what the settings have a part in."""
    found = {one["response"] for one in responses(twin)}
    if not found:
        return ()
    return ("boundary",) if found == {"boundary"} else ("attribute",)
