"""Forest plot: each setting's part of the difference between two arms, with its interval."""

from __future__ import annotations

import math
from typing import Any

from stability.dashboard.plots.style import Graph, graph
from stability.dashboard.plots.texts import escaped, title
from stability.report.palette import COLOURS
from stability.report.titles import forest_title
from stability.report.words import Words

Twin = dict[str, Any]


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
    trace = {
        "x": values,
        "y": [escaped(name) for name in effects],
        "error_x": bars,
        "mode": "markers",
        "marker": marker,
    }
    axes = {
        "xaxis": {"title": title(words.say(f"fig_effect_{found['response']}"))},
        "yaxis": {"type": "category"},
    }
    return graph([trace], forest_title(twin, words), axes)
