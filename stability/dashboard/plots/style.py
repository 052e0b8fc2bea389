"""What all graphs share: the graph itself, colours and axes."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stability.dashboard.plots.texts import title, wrapped
from stability.report.blocks import Inline
from stability.report.palette import COLOURS

Twin = dict[str, Any]
Trace = dict[str, Any]

EDGE = 0.97
"""Where marks at the top edge stand on an axis that lies `over` another."""
DASHES = ("solid", "dash", "dashdot", "dot")
LIGHT, DARK = "#ffffff", "#1e1e1e"
"""What optuna-dashboard 0.21 draws a graph on: white, or #121212 under a card's 5% of white."""
INK = "#7e7e7e"
"""Of all greys the one that reads best on both: the dashboard tells a graph neither theme.

Its contrast is 4.06:1 on `LIGHT` and 4.11:1 on `DARK`. No colour reaches WCAG AA's 4.5:1 on both: the two are
16.7:1 apart, and a colour between them cannot be further than the root of that, 4.08:1, from each.
"""
MARGIN = {"t": 120, "l": 60, "r": 20}
"""Pixels around the panels, of the 450 that the dashboard gives a graph."""
BELOW, LEGEND_LINE = 54, 20
"""Pixels below the panels: for a scale and its name, and for each line of the legend."""
LEGEND_WIDTH, SCALE_WIDTH = 540, 140
"""Pixels of a legend in half of a page, and what a colour scale beside the panels takes of them."""
SYMBOL, LETTER = 50, 5.6
"""Pixels of a mark in the legend with its margins, and of a letter; all columns are as wide as the widest."""
TITLE_PLACE = {"y": 0.91, "yanchor": "top", "font": {"size": 15}}
"""Below the buttons, which appear over the graph's upper edge."""
CLEAR = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": {"color": INK}}
GRID = "rgba(126,126,126,.25)"
LEGEND = {
    "orientation": "h",
    "xref": "container",
    "x": 0.02,
    "yref": "container",
    "y": 0,
    "yanchor": "bottom",
    "font": {"size": 11},
}
MODEBAR = {"bgcolor": "rgba(0,0,0,0)", "color": INK, "activecolor": COLOURS[0]}
BAD = "#D62728"


@dataclass(frozen=True, slots=True)
class Graph:
    """What `optuna_dashboard.save_plotly_graph_object` takes: anything with `to_json`."""

    traces: tuple[Trace, ...]
    layout: dict[str, Any]

    def to_json(self) -> str:
        return json.dumps(
            {"data": self.traces, "layout": self.layout}, allow_nan=False, separators=(",", ":")
        )


def graph(
    traces: list[Trace], heading: Inline, axes: dict[str, Any], notes: Sequence[dict[str, Any]] = ()
) -> Graph:
    """Traces under a heading, on no background of their own.

    `axes` are of the layout, by their names; `notes` are its annotations.
    """
    lines = {"gridcolor": GRID, "zerolinecolor": INK, "linecolor": INK, "tickfont": {"size": 11}}
    layout = {
        "title": {"text": wrapped(heading), **TITLE_PLACE},
        "legend": LEGEND,
        "modebar": MODEBAR,
        **CLEAR,
    }
    layout |= {"margin": MARGIN | {"b": _below(traces)}, "annotations": list(notes)}
    return Graph(tuple(traces), layout | {name: lines | axis for name, axis in axes.items()})


def _below(traces: list[Trace]) -> int:
    names = {trace["name"] for trace in traces if "name" in trace and trace.get("showlegend", True)}
    if not names:
        return BELOW
    width = LEGEND_WIDTH - SCALE_WIDTH * any(trace.get("showscale") for trace in traces)
    longest = max(len(html.unescape(part)) for name in names for part in name.split("<br>"))
    columns = max(1, int(width / (SYMBOL + LETTER * longest)))
    broken = any("<br>" in name for name in names)
    return BELOW + LEGEND_LINE * (-(-len(names) // columns) + broken) + LEGEND_LINE // 2


def arm_line(index: int) -> dict[str, Any]:
    """The line of the arm at this place of the study file."""
    return {"color": COLOURS[index % len(COLOURS)], "dash": DASHES[index % len(DASHES)], "width": 3}


def param_axis(name: str, log: bool, low: float, high: float) -> dict[str, Any]:
    """The axis of a parameter over its range."""
    ends = [math.log10(low), math.log10(high)] if log else [low, high]
    shown = {"type": "log" if log else "linear", "range": ends, "title": title((name,))}
    return shown | {"exponentformat": "power", "tickangle": 0}


def over(axis: str) -> dict[str, Any]:
    """An unseen axis from 0 to 1 over the vertical `axis`, for what stands at an edge at any zoom."""
    return {"overlaying": axis, "range": [0, 1], "visible": False, "fixedrange": True}


def faint(colour: str) -> str:
    """The colour of a band around a line of `colour`."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},.18)"
