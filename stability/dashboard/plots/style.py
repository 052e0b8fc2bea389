"""What all graphs share: the graph itself, colours and axes."""

from __future__ import annotations

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
BELOW = {0: 54, 2: 84, 6: 104}
"""Pixels below the panels by how many names the legend has at most, three a line."""
BELOW_MORE = 122
TITLE_PLACE = {"y": 0.91, "yanchor": "top"}
"""Below the buttons, which appear over the graph's upper edge."""
LEGEND = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "font": {"size": 11}}
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
    lines = {
        "gridcolor": "rgba(126,126,126,.25)",
        "zerolinecolor": INK,
        "linecolor": INK,
        "tickfont": {"size": 11},
    }
    clear = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": {"color": INK}}
    told = {"text": wrapped(heading), "font": {"size": 15}, **TITLE_PLACE}
    layout = {
        "title": told,
        "legend": LEGEND,
        "margin": MARGIN | {"b": _below(traces)},
        "modebar": MODEBAR,
        **clear,
    }
    layout |= {name: lines | axis for name, axis in axes.items()}
    return Graph(tuple(traces), layout | {"annotations": list(notes)})


def _below(traces: list[Trace]) -> int:
    names = len({trace["name"] for trace in traces if "name" in trace and trace.get("showlegend", True)})
    return next((pixels for most, pixels in BELOW.items() if names <= most), BELOW_MORE)


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
