"""Final loss along one parameter, what diverged at the top edge, medians of each part of the range."""

from __future__ import annotations

from typing import Any

from stability.dashboard.plots.marks import marks
from stability.dashboard.plots.panels import not_shown
from stability.dashboard.plots.style import DASHES, EDGE, INK, Graph, Trace, graph, over, param_axis
from stability.dashboard.plots.texts import line, title
from stability.records import VerdictLabel
from stability.report.blocks import Code
from stability.report.palette import COLOURS, is_wide
from stability.report.titles import lr_curve_title
from stability.report.unshown import curve_reason, curve_values, ended, without_loss
from stability.report.words import Words

Twin = dict[str, Any]

ON_EDGE = {"yaxis": "y2", "hoverinfo": "x+name"}
"""The second axis lies over the first from 0 to 1, so what has no loss stands at the edge at any zoom."""


def lr_curve(twin: Twin, words: Words) -> Graph:
    """One mark a trial; the median is dashed where at least half of the trials there diverged."""
    part = twin["plots"]["lr_curve"]
    reason = curve_reason(part)
    traces = [] if reason else [*_points(_by_kind(part), words), *_before(part, words)]
    traces += [*_lost(part["trials"], words), *_unplaced(part, words)]
    traces += [*([] if reason else _medians(part["bins"], words)), *_arms(twin)]
    scale = "log" if is_wide(curve_values(part)) else "linear"
    axes = {
        "xaxis": param_axis(part["param"], part["log"], part["low"], part["high"]),
        "yaxis": {"title": title(words.say("fig_final")), "type": scale},
        "yaxis2": over("y"),
    }
    notes = [not_shown(axes, 0, reason, words, frame=True)] if reason else []
    return graph(traces, lr_curve_title(twin, words), axes, notes)


def _by_kind(part: Twin) -> dict[str, list[Twin]]:
    """What may be placed by its loss."""
    known = ended(part)
    kinds = {
        "fig_trained": (VerdictLabel.STABLE,),
        "fig_other": (VerdictLabel.UNSTABLE, VerdictLabel.STUCK),
    }
    return {kind: [own for own in known if own["verdict"] in labels] for kind, labels in kinds.items()}


def _points(ended: dict[str, list[Twin]], words: Words) -> list[Trace]:
    return [marks(own, ("value", "loss"), kind, words) for kind, own in ended.items() if own]


def _before(part: Twin, words: Words) -> list[Trace]:
    """The loss before training, over the whole range."""
    if part["at_start"] is None:
        return []
    ends = {"x": [part["low"], part["high"]], "y": [part["at_start"]] * 2, "mode": "lines"}
    return [
        ends | {"line": {"color": INK, "dash": "dot", "width": 2}, "name": line(words.say("fig_at_start"))}
    ]


def _lost(trials: list[Twin], words: Words) -> list[Trace]:
    lost = [trial | {"edge": EDGE} for trial in trials if trial["verdict"] == VerdictLabel.DIVERGED]
    return [marks(lost, ("value", "edge"), "fig_diverged", words) | ON_EDGE] if lost else []


def _unplaced(part: Twin, words: Words) -> list[Trace]:
    """At the lower edge, what neither diverged nor has a loss to be placed by."""
    found = [trial | {"edge": 1 - EDGE} for trial in without_loss(part)]
    return [marks(found, ("value", "edge"), "fig_without_loss", words) | ON_EDGE] if found else []


def _medians(bins: list[Twin], words: Words) -> list[Trace]:
    """Over all trials of a part while most live; over the survivors, dashed, where most died.

    A line breaks where a part has no median: nothing is known to lie between its neighbours.
    """
    traces = []
    for survivors, dash, key in ((False, "solid", "fig_median_all"), (True, "dash", "fig_median_survivors")):
        values = [own["median"] if own["survivors"] == survivors else None for own in bins]
        if any(value is not None for value in values):
            style = {"color": COLOURS[2], "width": 3, "dash": dash}
            own = {"x": [own["middle"] for own in bins], "y": values, "line": style, "connectgaps": False}
            traces.append(own | {"mode": "lines+markers", "name": line(words.say(key))})
    return traces


def _arms(twin: Twin) -> list[Trace]:
    """A line where each arm sits, from edge to edge."""
    name = twin["plots"]["lr_curve"]["param"]
    values = [(arm, own["settings"].get(name)) for arm, own in twin["arms"].items()]
    return [
        _arm(f"{arm}: {name} = {value:g}", value, i)
        for i, (arm, value) in enumerate(values)
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def _arm(text: str, value: float, index: int) -> Trace:
    style = {"color": COLOURS[index % len(COLOURS)], "dash": DASHES[1:][index % 3], "width": 2}
    return {
        "x": [value] * 2,
        "y": [0, 1],
        "mode": "lines",
        "line": style,
        "name": line((Code(text),)),
    } | ON_EDGE
