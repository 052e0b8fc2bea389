"""Headroom: how far each arm is from its bound, and by how much each knob moves the boundary."""

from __future__ import annotations

from typing import Any

from stability.dashboard.plots.intervals import Measured, intervals, no_effect
from stability.dashboard.plots.panels import heading, note, place, rows_axis, suffix
from stability.dashboard.plots.style import Graph, Trace, graph
from stability.dashboard.plots.texts import line, title
from stability.report.blocks import Code
from stability.report.numbers import rounded, setting
from stability.report.palette import COLOURS
from stability.report.titles import headroom_title
from stability.report.words import Words

Twin = dict[str, Any]

GAP = 0.24
"""Between bars and prices, for a scale and a heading; of the whole height, 1."""
NUMBERS = 0.12
"""What a number beside a bar takes of the scale."""
LEAST_ROWS = 2
WIDTH = 60
"""Characters of small letters over a panel."""


def headroom(twin: Twin, words: Words) -> Graph:
    """Bars of room an arm, and below them prices of knobs with their intervals."""
    arms, details = twin["boundary"], twin["boundary_details"]
    prices = details["prices"]
    traces = [
        _bars(list(arms.values())[::-1], words),
        *(trace | place(1) for trace in _prices(prices, words)),
    ]
    names = [list(arms)[::-1]] + ([list(map(_change, prices))[::-1]] if prices else [])
    axes = {name: axis for i, rows in enumerate(names) for name, axis in _axes(i, rows, names)}
    axes[f"xaxis{suffix(len(names) - 1)}"]["title"] = title(_unit(details, words))
    axes["xaxis"]["range"] = _reach([own["headroom"] for own in arms.values()])
    keys = ("fig_headroom", "fig_prices")[: len(names)]
    over = [heading(words.say(key, param=Code(details["param"])), i, WIDTH) for i, key in enumerate(keys)]
    return graph(traces, headroom_title(twin, words), axes, [*over, *_without_bound(arms, words)])


def _bars(arms: list[Twin], words: Words) -> Trace:
    """Striped and coloured where the arm lies outside its bound."""
    known = [(row, own["headroom"]) for row, own in enumerate(arms) if own["headroom"] is not None]
    outside = [room < 0 for _, room in known]
    pattern = {"shape": ["/" if each else "" for each in outside]}
    look = {"color": [COLOURS[1] if each else COLOURS[0] for each in outside], "pattern": pattern}
    texts = [line((words.numbers.significant(room, 2),)) for _, room in known]
    told = {
        "text": texts,
        "textposition": "outside",
        "cliponaxis": False,
        "hoverinfo": "x",
        "showlegend": False,
    }
    bars = {"type": "bar", "orientation": "h", "width": 0.5, "marker": look, **told}
    return bars | {"x": [room for _, room in known], "y": [row for row, _ in known]}


def _reach(rooms: list[float | None]) -> list[float]:
    """From where to where the bars' scale goes, with room for their numbers."""
    known = [room for room in rooms if room is not None]
    low, high = min([0, *known]), max([0, *known])
    room = NUMBERS * (high - low) or 1.0
    return [low - room if low < 0 else low, high + room]


def _without_bound(arms: Twin, words: Words) -> list[dict[str, Any]]:
    rows = enumerate(list(arms.values())[::-1])
    left = {"x": 0, "xanchor": "left", "text": line(words.say("na"))}
    return [note("", 0) | left | {"y": row} for row, own in rows if own["headroom"] is None]


def _prices(prices: list[Twin], words: Words) -> list[Trace]:
    values = [
        Measured(row, f"{_change(own)}: {own['cost']:.2g}", own["cost"], own["ci"])
        for row, own in enumerate(prices[::-1])
    ]
    return [no_effect(len(values)), *intervals(values, words)] if values else []


def _change(price: Twin) -> str:
    start, end = (
        rounded(value) if isinstance(value, float) else setting(value)
        for value in (price["start"], price["end"])
    )
    return f"{price['param']}: {start} → {end}"


def _axes(panel: int, rows: list[str], names: list[list[str]]):
    """The panels share the height by their rows, the first on top."""
    sizes = [max(LEAST_ROWS, len(each)) for each in names]
    room = (1 - GAP * (len(names) - 1)) / sum(sizes)
    low = sum(sizes[panel + 1 :]) * room + GAP * (len(names) - 1 - panel)
    high = min(1, low + sizes[panel] * room)
    yield f"yaxis{suffix(panel)}", rows_axis(rows) | {"domain": [low, high], "anchor": f"x{suffix(panel)}"}
    yield f"xaxis{suffix(panel)}", {"anchor": f"y{suffix(panel)}"}


def _unit(details: Twin, words: Words):
    return words.say("fig_decades" if details["log"] else "fig_units", param=Code(details["param"]))
