"""Headroom: how far each arm is from its bound, and by how much each knob moves the boundary."""

from __future__ import annotations

from typing import Any

from stability.dashboard.plots.style import Graph, graph
from stability.dashboard.plots.texts import escaped, title
from stability.report.palette import COLOURS
from stability.report.titles import headroom_title
from stability.report.words import Words

Twin = dict[str, Any]


def headroom(twin: Twin, words: Words) -> Graph:
    """How far each arm is from its bound."""
    known = {arm: own["headroom"] for arm, own in twin["boundary"].items() if own["headroom"] is not None}
    colours = [COLOURS[0] if room >= 0 else COLOURS[1] for room in known.values()]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": list(known.values()),
        "y": [escaped(arm) for arm in known],
    }
    details = twin["boundary_details"]
    unit = words.say("fig_decades" if details["log"] else "fig_units", param=details["param"])
    axes = {"xaxis": {"title": title(unit)}, "yaxis": {"type": "category"}}
    return graph([bars | {"marker": {"color": colours}}], headroom_title(twin, words), axes)
