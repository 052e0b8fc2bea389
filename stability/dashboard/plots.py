"""The report's plots as Plotly graphs on optuna-dashboard's study pages: twin -> Plotly's own JSON.

The dashboard brings Plotly's JavaScript; its Python package would only write these dictionaries.
"""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stability.records import VerdictLabel
from stability.report import titles
from stability.report.blocks import Inline, Span, plain
from stability.report.numbers import END_ISOLATE, ISOLATE_LTR, ISOLATE_RTL
from stability.report.palette import COLOURS, is_wide
from stability.report.words import Words

Twin = dict[str, Any]
Trace = dict[str, Any]

DASHES = ("solid", "dash", "dashdot", "dot")
INK = "#7b7b7b"
"""Reads on white and on black: the dashboard has both and tells a graph neither."""
BAD = "#D62728"
RISK_COLOURS = [[0, "rgba(213,94,0,0)"], [0.5, "rgba(213,94,0,.45)"], [1, "rgba(160,60,0,.9)"]]
NO_BREAK = "\u00a0"
TITLE_WIDTH = 62
"""Characters of a title's line, which half of the page holds."""
MOST_POINTS = 2000
"""Points of one graph: every page of the study loads them all."""


@dataclass(frozen=True, slots=True)
class Graph:
    """What `optuna_dashboard.save_plotly_graph_object` takes: anything with `to_json`."""

    traces: tuple[Trace, ...]
    layout: dict[str, Any]

    def to_json(self) -> str:
        return json.dumps(
            {"data": self.traces, "layout": self.layout}, allow_nan=False, separators=(",", ":")
        )


def of_stage(stage: str, twin: Twin, words: Words) -> dict[str, Graph]:
    """The graphs that belong on the page of one stage, by a name that is an HTML id."""
    return {
        name: draw(twin, words)
        for name, (stages, has, draw) in GRAPHS.items()
        if stage in stages and has(twin)
    }


def loss_fan(twin: Twin, words: Words) -> Graph:
    """The yardstick's fan on the left, the share of trials still training on the right."""
    traces: list[Trace] = []
    for i, (arm, own) in enumerate(twin["plots"]["loss_fan"].items()):
        line = {"color": COLOURS[i % len(COLOURS)], "dash": DASHES[i % len(DASHES)], "width": 3}
        if fan := own["yardstick"]:
            ends = {
                "x": fan["x"],
                "mode": "lines",
                "line": {"width": 0},
                "showlegend": False,
                "hoverinfo": "skip",
            }
            colour = _faint(line["color"])
            traces.append({**ends, "y": fan["low"]})
            traces.append({**ends, "y": fan["high"], "fill": "tonexty", "fillcolor": colour})
            traces.append({"x": fan["x"], "y": fan["median"], "name": arm, "line": line})
        if curve := own["survival"]:
            step = {"shape": "hv", **line}
            own_trace = {"x": curve["steps"], "y": curve["share"], "line": step, "name": arm}
            traces.append({**own_trace, "mode": "lines", "xaxis": "x2", "yaxis": "y2", "showlegend": False})
    known = (own["yardstick"] for own in twin["plots"]["loss_fan"].values())
    fans = [
        value for fan in known if fan for name in ("low", "high") for value in fan[name] if value is not None
    ]
    axes = {
        "xaxis": {"domain": [0, 0.46], "title": _title(words.say("fig_epoch"))},
        "yaxis": {"title": _title(words.say("fig_yardstick")), "type": "log" if is_wide(fans) else "linear"},
        "xaxis2": {"domain": [0.56, 1], "title": _title(words.say("fig_step"))},
        "yaxis2": {"anchor": "x2", "range": [0, 1.05], "tickformat": ".0%"},
    }
    axes["yaxis2"]["title"] = _title(words.say("fig_survival"))
    return _graph(traces, titles.loss_fan_title(twin, words), axes)


def stability_map(twin: Twin, words: Words) -> Graph:
    """A panel an arm: P(diverge), its 5% and 50% contours, the trials, the arm's own setting."""
    part = twin["plots"]["stability_map"]
    x, y = part["x"], part["y"]
    traces, axes, notes = [], {}, []
    width = 1 / len(part["arms"])
    for i, (arm, own) in enumerate(part["arms"].items()):
        suffix = str(i + 1) if i else ""
        place = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        grid = {**place, "x": x["values"], "y": y["values"], "z": own["probability"], "zmin": 0, "zmax": 1}
        traces.append(
            {**grid, "type": "heatmap", "colorscale": RISK_COLOURS, "showscale": i == 0, "zsmooth": "best"}
        )
        traces[-1]["colorbar"] = {"title": _title(words.say("fig_risk")), "tickformat": ".0%"}
        for level, dash in ((0.05, "dash"), (0.5, "solid")):
            contours = {"start": level, "end": level, "size": 1, "coloring": "none"}
            line = {"color": INK, "width": 2, "dash": dash}
            hidden = {"showscale": False, "showlegend": False}
            traces.append({**grid, "type": "contour", "contours": contours, "line": line, **hidden})
        for lost in (False, True):
            points = [trial for trial in part["trials"] if trial["diverged"] == lost][:MOST_POINTS]
            traces.append({**_marks(points, "x", "y", lost, words), **place, "showlegend": i == 0})
        star = {"symbol": "star", "size": 18, "color": "#FFD92F", "line": {"color": "black", "width": 1}}
        traces.append({"x": [own["x"]], "y": [own["y"]], "mode": "markers", "marker": star, **place})
        traces[-1] |= {"name": _words(words.say("fig_own")), "showlegend": i == 0}
        axes[f"xaxis{suffix}"] = {
            "domain": [i * width, (i + 0.8) * width],
            "anchor": f"y{suffix}",
            **_axis(x),
        }
        axes[f"yaxis{suffix}"] = {"anchor": f"x{suffix}", **_axis(y)}
        if i:
            del axes[f"yaxis{suffix}"]["title"]
        notes.append({"text": arm, "x": (i + 0.4) * width, "y": 1.06, "xref": "paper", "yref": "paper"})
    graph = _graph(traces, titles.stability_map_title(twin, words), axes)
    graph.layout["annotations"] = [note | {"showarrow": False} for note in notes]
    return graph


def lr_curve(twin: Twin, words: Words) -> Graph:
    """Loss at the end along the parameter; diverged trials, which have none, at the top."""
    part = twin["plots"]["lr_curve"]
    known = [trial for trial in part["trials"] if trial["loss"] is not None]
    top = max((trial["loss"] for trial in known), default=1.0) * 1.08
    calm = [trial for trial in known if trial["verdict"] != VerdictLabel.DIVERGED]
    lost = [trial | {"loss": top} for trial in part["trials"] if trial["verdict"] == VerdictLabel.DIVERGED]
    traces = [_marks(calm[:MOST_POINTS], "value", "loss", False, words)]
    traces.append(_marks(lost[:MOST_POINTS], "value", "loss", True, words))
    for survivors, dash, key in ((False, "solid", "fig_median_all"), (True, "dash", "fig_median_survivors")):
        bins = [own for own in part["bins"] if own["median"] is not None]
        values = [own["median"] if own["survivors"] == survivors else None for own in bins]
        if any(value is not None for value in values):
            line = {"color": COLOURS[2], "width": 3, "dash": dash}
            traces.append(
                {"x": [own["middle"] for own in bins], "y": values, "line": line, "mode": "lines+markers"}
            )
            traces[-1]["name"] = _words(words.say(key))
    axis = {"param": part["param"], "log": part["log"], "values": [part["low"], part["high"]]}
    scale = "log" if is_wide([trial["loss"] for trial in known]) else "linear"
    axes = {"xaxis": _axis(axis), "yaxis": {"title": _title(words.say("fig_final")), "type": scale}}
    return _graph(traces, titles.lr_curve_title(twin, words), axes)


def forest(twin: Twin, words: Words) -> Graph:
    """Each setting's part in the response that heads the report, with its interval."""
    found = twin["attribution"]
    effects = dict(sorted(found["effects"].items(), key=lambda item: abs(item[1]["effect"])))
    shown = math.exp if found["response"] == "yardstick" else float
    values = [shown(own["effect"]) for own in effects.values()]
    ends = [[shown(end) for end in (own["ci"] or [own["effect"]] * 2)] for own in effects.values()]
    bars = {
        "type": "data",
        "symmetric": False,
        "array": [high - value for (_, high), value in zip(ends, values, strict=True)],
        "arrayminus": [value - low for (low, _), value in zip(ends, values, strict=True)],
    }
    marker = {"size": 11, "color": COLOURS[1], "symbol": "diamond"}
    trace = {"x": values, "y": list(effects), "error_x": bars, "mode": "markers", "marker": marker}
    axes = {
        "xaxis": {"title": _title(words.say(f"fig_effect_{found['response']}"))},
        "yaxis": {"type": "category"},
    }
    return _graph([trace], titles.forest_title(twin, words), axes)


def headroom(twin: Twin, words: Words) -> Graph:
    """How far each arm is from its bound."""
    known = {arm: own["headroom"] for arm, own in twin["boundary"].items() if own["headroom"] is not None}
    colours = [COLOURS[0] if room >= 0 else COLOURS[1] for room in known.values()]
    bars = {"type": "bar", "orientation": "h", "x": list(known.values()), "y": list(known)}
    details = twin["boundary_details"]
    unit = words.say("fig_decades" if details["log"] else "fig_units", param=details["param"])
    axes = {"xaxis": {"title": _title(unit)}, "yaxis": {"type": "category"}}
    return _graph([bars | {"marker": {"color": colours}}], titles.headroom_title(twin, words), axes)


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


def _graph(traces: list[Trace], title: Inline, axes: dict[str, Any]) -> Graph:
    grid = {"gridcolor": "rgba(123,123,123,.25)", "zerolinecolor": INK, "linecolor": INK}
    clear = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": {"color": INK}}
    heading = {"text": _wrapped(title), "font": {"size": 15}}
    layout = {"title": heading, "legend": {"orientation": "h", "y": -0.25}, **clear}
    return Graph(tuple(traces), layout | {name: grid | axis for name, axis in axes.items()})


def _marks(points: list[Twin], x: str, y: str, lost: bool, words: Words) -> Trace:
    marker = (
        {"symbol": "x", "color": BAD, "size": 8}
        if lost
        else {"symbol": "circle-open", "color": INK, "size": 8}
    )
    name = _words(words.say("fig_diverged" if lost else "fig_trained"))
    values = {"x": [point[x] for point in points], "y": [point[y] for point in points]}
    return {**values, "mode": "markers", "marker": marker, "name": name}


def _axis(axis: Twin) -> dict[str, Any]:
    low, high = axis["values"][0], axis["values"][-1]
    ends = [math.log10(low), math.log10(high)] if axis["log"] else [low, high]
    shown = {"type": "log" if axis["log"] else "linear", "range": ends, "title": {"text": axis["param"]}}
    return shown | {"exponentformat": "power", "tickangle": 0}


def _title(text: Inline) -> dict[str, str]:
    return {"text": _words(text)}


def _words(text: Inline) -> str:
    """One line, for a page that runs left to right: Persian is isolated from it, and names from Persian."""
    shown = plain(tuple(_whole(span) for span in text))
    return _right_to_left(shown) if _is_persian(shown) else shown


def _wrapped(text: Inline) -> str:
    shown = plain(tuple(_whole(span) for span in text))
    lines = textwrap.wrap(shown, TITLE_WIDTH)
    return "<br>".join(_right_to_left(line) if _is_persian(shown) else line for line in lines)


def _whole(span: Span) -> Span:
    """A name or value, kept on one line and left to right."""
    if isinstance(span, str):
        return span
    return f"{ISOLATE_LTR}{span.text.replace(' ', NO_BREAK)}{END_ISOLATE}"


def _is_persian(text: str) -> bool:
    return any("\u0600" <= sign <= "\u06ff" for sign in text)


def _right_to_left(text: str) -> str:
    return f"{ISOLATE_RTL}{text}{END_ISOLATE}"


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},.18)"
