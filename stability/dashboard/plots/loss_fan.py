"""Losses of each arm as a fan over its trials, and the survival curve."""

from __future__ import annotations

from typing import Any

from stability.dashboard.plots.style import Graph, Trace, arm_line, faint, graph
from stability.dashboard.plots.texts import escaped, title
from stability.report.palette import is_wide
from stability.report.titles import loss_fan_title
from stability.report.words import Words

Twin = dict[str, Any]

UNTOLD = {"showlegend": False, "hoverinfo": "skip"}


def loss_fan(twin: Twin, words: Words) -> Graph:
    """The yardstick's fan on the left, the share of trials still training on the right."""
    arms = twin["plots"]["loss_fan"]
    traces: list[Trace] = []
    for i, (arm, own) in enumerate(arms.items()):
        traces += [*_fan(arm, own["yardstick"], i), *_survival(arm, own["survival"], i)]
    fans = [own["yardstick"] for own in arms.values() if own["yardstick"]]
    return graph(traces, loss_fan_title(twin, words), _axes(fans, words))


def _fan(arm: str, fan: Twin | None, place: int) -> list[Trace]:
    if fan is None:
        return []
    style = arm_line(place)
    ends = {"x": fan["x"], "mode": "lines", "line": {"width": 0}, **UNTOLD}
    band = {"fill": "tonexty", "fillcolor": faint(style["color"])}
    median = {"x": fan["x"], "y": fan["median"], "name": escaped(arm), "line": style}
    return [{**ends, "y": fan["low"]}, {**ends, "y": fan["high"], **band}, median]


def _survival(arm: str, curve: Twin | None, place: int) -> list[Trace]:
    if curve is None:
        return []
    style = {"shape": "hv", **arm_line(place)}
    own = {"x": curve["steps"], "y": curve["share"], "line": style, "name": escaped(arm), "mode": "lines"}
    return [{**own, "xaxis": "x2", "yaxis": "y2", "showlegend": False}]


def _axes(fans: list[Twin], words: Words) -> dict[str, Any]:
    shown = [value for fan in fans for name in ("low", "high") for value in fan[name] if value is not None]
    scale = "log" if is_wide(shown) else "linear"
    share = {"anchor": "x2", "range": [0, 1.05], "tickformat": ".0%"}
    return {
        "xaxis": {"domain": [0, 0.46], "title": title(words.say("fig_epoch"))},
        "yaxis": {"title": title(words.say("fig_yardstick")), "type": scale},
        "xaxis2": {"domain": [0.56, 1], "title": title(words.say("fig_step"))},
        "yaxis2": share | {"title": title(words.say("fig_survival"))},
    }
