"""Stability map: the bounded parameter against another, a panel an arm, with P(diverge) and the trials."""

from __future__ import annotations

from typing import Any

from stability.dashboard.plots.marks import MOST_POINTS, marks
from stability.dashboard.plots.panels import heading, named_once, place, share, suffix
from stability.dashboard.plots.style import INK, Graph, Trace, graph, param_axis
from stability.dashboard.plots.texts import line, title
from stability.report.blocks import Code
from stability.report.titles import stability_map_title
from stability.report.words import Words

Twin = dict[str, Any]

RISK_COLOURS = [[0, "rgba(213,94,0,0)"], [0.5, "rgba(213,94,0,.45)"], [1, "rgba(160,60,0,.9)"]]
LEVELS = {0.05: "dash", 0.5: "solid"}
STAR = {"symbol": "star", "size": 18, "color": "#FFD92F", "line": {"color": "black", "width": 1}}
GAP = 0.06
WIDTH = 64
"""Characters of small letters that stand beside each other over all panels."""


def stability_map(twin: Twin, words: Words) -> Graph:
    """Trials as circles or crosses over P(diverge) with the arm's other settings, which is starred."""
    part = twin["plots"]["stability_map"]
    arms = part["arms"]
    traces: list[Trace] = []
    axes: dict[str, Any] = {}
    for i, own in enumerate(arms.values()):
        panel = [*_risk(part, own, i == 0, words), *_trials(part, words), _star(own, words)]
        traces += [trace | place(i) for trace in panel]
        axes |= _axes(part, i)
    names = [heading((Code(arm),), i, WIDTH // len(arms)) for i, arm in enumerate(arms)]
    return graph(named_once(traces), stability_map_title(twin, words), axes, names)


def _risk(part: Twin, arm: Twin, first: bool, words: Words) -> list[Trace]:
    """P(diverge) as colours, which the first panel explains, and its contours."""
    grid = {"x": part["x"]["values"], "y": part["y"]["values"], "z": arm["probability"], "zmin": 0, "zmax": 1}
    bar = {"title": title(words.say("fig_risk")), "tickformat": ".0%"}
    colours = {
        "type": "heatmap",
        "colorscale": RISK_COLOURS,
        "zsmooth": "best",
        "colorbar": bar,
        "showscale": first,
    }
    return [grid | colours, *(grid | _contour(level, dash) for level, dash in LEVELS.items())]


def _contour(level: float, dash: str) -> Trace:
    contours = {"start": level, "end": level, "size": 1, "coloring": "none"}
    drawn = {"line": {"color": INK, "width": 2, "dash": dash}, "showscale": False, "showlegend": False}
    return {"type": "contour", "contours": contours, **drawn}


def _trials(part: Twin, words: Words) -> list[Trace]:
    """The same in every panel, which share what a graph may hold."""
    kinds = {"fig_trained": False, "fig_diverged": True}
    trials = {
        kind: [own for own in part["trials"] if own["diverged"] == lost] for kind, lost in kinds.items()
    }
    most = MOST_POINTS // len(part["arms"])
    return [marks(points, ("x", "y"), kind, words, most) for kind, points in trials.items() if points]


def _star(arm: Twin, words: Words) -> Trace:
    own = {"x": [arm["x"]], "y": [arm["y"]], "mode": "markers", "marker": STAR}
    return own | {"name": line(words.say("fig_own"))}


def _axes(part: Twin, index: int) -> dict[str, Any]:
    x, y = (
        param_axis(own["param"], own["log"], own["values"][0], own["values"][-1])
        for own in (part["x"], part["y"])
    )
    x |= {"domain": share(index, len(part["arms"]), GAP), "anchor": f"y{suffix(index)}"}
    y |= {"anchor": f"x{suffix(index)}"}
    if index:
        del y["title"]
        y["showticklabels"] = False
    return {f"xaxis{suffix(index)}": x, f"yaxis{suffix(index)}": y}
