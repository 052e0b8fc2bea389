"""Anatomy of a failure: each recorded quantity over the last steps, aligned on the first bad one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from stability.dashboard.plots.panels import not_shown, note, place, share, suffix
from stability.dashboard.plots.style import BAD, INK, Graph, Trace, graph, over
from stability.dashboard.plots.texts import escaped, line, title
from stability.report.palette import COLOURS, is_wide
from stability.report.titles import failure_title
from stability.report.unshown import course_reason, course_values
from stability.report.words import Words

Twin = dict[str, Any]

COLUMNS, MORE_COLUMNS = 2, 3
MANY = 6
"""Panels that stand in `COLUMNS`."""
GAP_ACROSS, GAP_DOWN = 0.1, 0.11
HEIGHT = 0.9
"""Of the marks of values that are not finite, as a share of their panel."""


def failure(twin: Twin, words: Words) -> Graph:
    """One panel a quantity; values that are not finite are crosses at the top edge."""
    part = twin["plots"]["failure"]
    traces: list[Trace] = []
    axes: dict[str, Any] = {}
    quantities = part["quantities"]
    for i, course in enumerate(quantities.values()):
        steps = course.get("steps", part["steps"])
        traces += _panel(steps, course, i, len(quantities), words)
        axes |= _axes(course, steps, i, len(quantities), words)
    names = [_name(name, i) for i, name in enumerate(quantities)]
    reasons = [(i, reason) for i, own in enumerate(quantities.values()) if (reason := course_reason(own))]
    names += [not_shown(axes, i, reason, words, frame=True) for i, reason in reasons]
    return graph([trace | {"showlegend": False} for trace in traces], failure_title(twin, words), axes, names)


def _panel(steps: list[int], course: Twin, panel: int, panels: int, words: Words) -> list[Trace]:
    """The second axis of a panel lies over its first; they are counted behind those of all panels."""
    on_edge = place(panel) | {"yaxis": f"y{suffix(panels + panel)}"}
    values = {"x": steps, "y": course["values"], "mode": "lines+markers", "marker": {"size": 4}}
    first_bad = {
        "x": [0, 0],
        "y": [0, 1],
        "mode": "lines",
        "line": {"color": BAD, "dash": "dot", "width": 1.5},
    }
    drawn = [values | {"line": {"color": COLOURS[0], "width": 2}} | place(panel)]
    if course.get("start") is not None:
        drawn.append(_start(steps, course["start"], words) | place(panel))
    return [
        first_bad | on_edge | {"hoverinfo": "skip"},
        *([] if course_reason(course) else drawn),
        *([_not_finite(steps, course["nonfinite"]) | on_edge] if course["nonfinite"] else []),
    ]


def _start(steps: list[int], start: float, words: Words) -> Trace:
    """The level a loss rose from, as a line that says so at its beginning."""
    look = {"mode": "lines+text", "line": {"color": BAD, "dash": "dash", "width": 1.5}}
    told = {"text": [line(words.say("fig_start")), ""], "textposition": "top right", "hoverinfo": "y"}
    return {"x": [min(steps), 0], "y": [start, start], **look, **told, "textfont": {"color": BAD, "size": 11}}


def _not_finite(steps: list[int], signs: dict[str, str]) -> Trace:
    where = {"x": [steps[int(index)] for index in signs], "y": [HEIGHT] * len(signs)}
    told = {
        "text": [f"{sign} " if sign != before else "" for before, sign in pairwise((None, *signs.values()))],
        "hovertext": list(signs.values()),
        "textposition": "middle left",
        "hoverinfo": "x+text",
    }
    look = {"marker": {"symbol": "x", "size": 8, "color": BAD}, "textfont": {"color": INK, "size": 11}}
    return where | told | look | {"mode": "markers+text"}


def _axes(course: Twin, steps: list[int], panel: int, panels: int, words: Words) -> dict[str, Any]:
    columns = COLUMNS if panels <= MANY else MORE_COLUMNS
    rows = -(-panels // columns)
    row, column = divmod(panel, columns)
    finite = course_values(course)
    across = {"domain": share(column, columns, GAP_ACROSS), "anchor": f"y{suffix(panel)}", "matches": "x"}
    lowest = panel + columns >= panels
    across |= {"title": title(words.say("fig_steps_before"))} if lowest else {"showticklabels": False}
    up = {"domain": share(rows - 1 - row, rows, GAP_DOWN), "anchor": f"x{suffix(panel)}", "nticks": 4}
    up |= {"type": "log" if is_wide(finite) else "linear", "exponentformat": "power"}
    if len(steps) == 1:
        across |= {"tickmode": "array", "tickvals": steps}
    axes = {f"xaxis{suffix(panel)}": across, f"yaxis{suffix(panel)}": up}
    if not finite:
        up |= {"showticklabels": False, "showgrid": False, "zeroline": False}
    return axes | {f"yaxis{suffix(panels + panel)}": over(f"y{suffix(panel)}") | {"anchor": up["anchor"]}}


def _name(name: str, panel: int) -> dict[str, Any]:
    """Over the panel's left end, as the store calls the quantity."""
    left = {
        "x": 0,
        "xanchor": "left",
        "y": 1,
        "yanchor": "bottom",
        "font": {"size": 11, "family": "monospace"},
    }
    return note(escaped(name), panel, f"x{suffix(panel)} domain", f"y{suffix(panel)} domain") | left
