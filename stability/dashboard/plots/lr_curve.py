"""Final loss along one parameter, what diverged above it, medians of each part of the range."""

from __future__ import annotations

from typing import Any

from stability.dashboard.plots.marks import marks
from stability.dashboard.plots.style import Graph, Trace, graph, param_axis
from stability.dashboard.plots.texts import line, title
from stability.records import VerdictLabel
from stability.report.palette import COLOURS, is_wide
from stability.report.titles import lr_curve_title
from stability.report.words import Words

Twin = dict[str, Any]


def lr_curve(twin: Twin, words: Words) -> Graph:
    """Loss at the end along the parameter; diverged trials, which have none, at the top."""
    part = twin["plots"]["lr_curve"]
    known = [trial for trial in part["trials"] if trial["loss"] is not None]
    traces = [*_points(part, known, words), *_medians(part["bins"], words)]
    scale = "log" if is_wide([trial["loss"] for trial in known]) else "linear"
    axes = {
        "xaxis": param_axis(part["param"], part["log"], part["low"], part["high"]),
        "yaxis": {"title": title(words.say("fig_final")), "type": scale},
    }
    return graph(traces, lr_curve_title(twin, words), axes)


def _points(part: Twin, known: list[Twin], words: Words) -> list[Trace]:
    top = max((trial["loss"] for trial in known), default=1.0) * 1.08
    calm = [trial for trial in known if trial["verdict"] != VerdictLabel.DIVERGED]
    lost = [trial | {"loss": top} for trial in part["trials"] if trial["verdict"] == VerdictLabel.DIVERGED]
    kinds = {"fig_trained": calm, "fig_diverged": lost}
    return [marks(points, ("value", "loss"), kind, words) for kind, points in kinds.items()]


def _medians(bins: list[Twin], words: Words) -> list[Trace]:
    """Over all trials of a part while most live; over the survivors, dashed, where most died."""
    known = [own for own in bins if own["median"] is not None]
    traces = []
    for survivors, dash, key in ((False, "solid", "fig_median_all"), (True, "dash", "fig_median_survivors")):
        values = [own["median"] if own["survivors"] == survivors else None for own in known]
        if any(value is not None for value in values):
            style = {"color": COLOURS[2], "width": 3, "dash": dash}
            own = {"x": [own["middle"] for own in known], "y": values, "line": style}
            traces.append(own | {"mode": "lines+markers", "name": line(words.say(key))})
    return traces
