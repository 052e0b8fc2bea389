"""Losses of each arm as a fan over its trials, with what was lost, and the survival curve."""

from __future__ import annotations

import math
from typing import Any

from stability.dashboard.plots.bands import band, single, stairs
from stability.dashboard.plots.panels import heading, in_panel, named_once, not_shown, place
from stability.dashboard.plots.style import EDGE, Graph, Trace, arm_line, graph, over
from stability.dashboard.plots.texts import line, title, wrapped
from stability.records import BEFORE_TRAINING
from stability.report.blocks import Code
from stability.report.palette import loss_range
from stability.report.titles import loss_fan_title, total_title
from stability.report.unshown import fan_reason, losses_of, survival_reason, without_fan
from stability.report.words import Words

Twin = dict[str, Any]

FANS = {"yardstick": 0, "total": 1}
"""The panels of the fans; the second, on the right, stands over `SURVIVAL`, which counts the same steps."""
SURVIVAL = 2
LEFT, RIGHT, UPPER, LOWER = [0, 0.46], [0.56, 1], [0.6, 1], [0, 0.36]
"""Where the panels stand, as shares of the graph's width and height."""
WIDTH = 38
"""Characters of small letters over a panel."""
LOWER_BY = 0.06
"""How much lower than those of the arm before it an arm's crosses stand."""
MOST_TICKS = 6


def loss_fan(twin: Twin, words: Words) -> Graph:
    """Yardstick per epoch, printed total per step, share of trials still training."""
    arms = twin["plots"]["loss_fan"]
    places = {name: i for i, name in enumerate(twin["arms"])}
    fans = {kind: [own[kind] for own in arms.values()] for kind in (*FANS, "survival")}
    ranges = {kind: loss_range(losses_of(fans[kind])) for kind in FANS}
    traces: list[Trace] = []
    for name, own in arms.items():
        style, text = arm_line(places[name]), line(words.say("fig_median", arm=Code(name), n=own["n"]))
        for kind, panel in FANS.items():
            traces += [trace | place(panel) for trace in _fan(own[kind], style, text, ranges[kind])]
        traces += [trace | place(SURVIVAL) for trace in _survival(own["survival"], style, text)]
    traces += [cross for kind in FANS for cross in _crosses(arms, kind, places, words)]
    headings = (words.say("fig_yardstick"), total_title(twin, words), words.say("fig_survival"))
    notes = [heading(text, panel, WIDTH) for panel, text in enumerate(headings)]
    axes = _axes(arms, ranges, words)
    for kind, panel in (*FANS.items(), ("survival", SURVIVAL)):
        if reason := survival_reason(fans[kind]) if kind == "survival" else fan_reason(fans[kind], kind):
            notes.append(not_shown(axes, panel, reason, words, frame=any(fans[kind])))
        elif names := without_fan(arms, kind):
            notes.append(_not_recorded(names, panel, words))
    return graph(named_once(traces), loss_fan_title(twin, words), axes, notes)


def _not_recorded(names: list[str], panel: int, words: Words) -> dict[str, Any]:
    """At the panel's lower left, the arms that it does not show."""
    text = words.say("fig_not_recorded", names=words.listed([(Code(name),) for name in names]))
    corner = {"x": 0.02, "xanchor": "left", "y": 0.02, "yanchor": "bottom", "align": "left"}
    return in_panel(wrapped(text, WIDTH), panel) | corner


def _fan(fan: Twin | None, style: Twin, text: str, axis: tuple[str, float, float] | None) -> list[Trace]:
    """A band up to the edge where more than a tenth were lost, so that its upper end is infinite."""
    if fan is None or axis is None:
        return []
    high = [
        axis[2] if above is None and below is not None else above
        for below, above in zip(fan["low"], fan["high"], strict=True)
    ]
    mode = "lines+markers" if single(fan["median"]) else "lines"
    median = {"x": fan["x"], "y": fan["median"], "mode": mode, "line": style, "name": text}
    return [band(fan["x"], fan["low"], high, style["color"]), median]


def _survival(curve: Twin | None, style: Twin, text: str) -> list[Trace]:
    if curve is None:
        return []
    steps = curve["steps"]
    x, low = stairs(steps, curve["low"])
    _, high = stairs(steps, curve["high"])
    share = {"x": steps, "y": curve["share"], "mode": "lines", "line": style | {"shape": "hv"}, "name": text}
    return [band(x, low, high, style["color"]), share]


def _crosses(arms: Twin, kind: str, places: dict[str, int], words: Words) -> list[Trace]:
    """At the top edge over the places where trials were lost, larger for more of them."""
    lost = [(name, own[kind]["bad"]) for name, own in arms.items() if own[kind] and own[kind]["bad"]]
    axes = place(FANS[kind]) | {"yaxis": f"y{SURVIVAL + 2 + FANS[kind]}"}
    return [
        axes | _cross(bad, EDGE - LOWER_BY * i, arm_line(places[name])["color"], words)
        for i, (name, bad) in enumerate(lost)
    ]


def _cross(bad: list[list[int]], height: float, colour: str, words: Words) -> Trace:
    x, counts = zip(*bad, strict=True)
    look = {
        "symbol": "x",
        "size": [7 + 0.6 * min(count, 12) for count in counts],
        "color": colour,
        "opacity": 1,
        "line": {"width": 0},
    }
    told = {"hovertext": list(map(str, counts)), "hoverinfo": "x+text", "name": line(words.say("fig_bad"))}
    return {"x": list(x), "y": [height] * len(x), "mode": "markers", "marker": look, **told}


def _axes(arms: Twin, ranges: Twin, words: Words) -> dict[str, Any]:
    step = title(words.say("fig_step"))
    share = {"range": [0, 1.05], "tickformat": ".0%", "domain": LOWER, "anchor": "x3"}
    return {
        "xaxis": {
            "domain": LEFT,
            "zeroline": False,
            "title": title(words.say("fig_epoch")),
            **_epochs(arms, words),
        },
        "yaxis": {"title": title(words.say("fig_loss")), **_scale(ranges["yardstick"])},
        "xaxis2": {"domain": RIGHT, "anchor": "y2", "matches": "x3", "showticklabels": False},
        "yaxis2": {"domain": UPPER, "anchor": "x2", **_scale(ranges["total"])},
        "xaxis3": {"domain": RIGHT, "anchor": "y3", "title": step},
        "yaxis3": share,
        "yaxis4": over("y"),
        "yaxis5": over("y2") | {"anchor": "x2"},
    }


def _scale(axis: tuple[str, float, float] | None) -> dict[str, Any]:
    if axis is None:
        return {}
    kind, low, high = axis
    shown = {"type": kind, "exponentformat": "power", "nticks": 5, "zeroline": False}
    return shown | {"range": [math.log10(low), math.log10(high)] if kind == "log" else [low, high]}


def _epochs(arms: Twin, words: Words) -> dict[str, Any]:
    """Whole epochs, and what there was before the first by its name."""
    found = sorted({epoch for own in arms.values() if own["yardstick"] for epoch in own["yardstick"]["x"]})
    shown = found[:: -(-len(found) // MOST_TICKS)] if found else []
    names = [line(words.say("fig_before")) if epoch == BEFORE_TRAINING else f"{epoch:g}" for epoch in shown]
    return {"tickmode": "array", "tickvals": shown, "ticktext": names}
