"""Forest plot: each setting's part of the difference between two arms, with its interval."""

from __future__ import annotations

import math
from typing import Any

from stability.dashboard.plots.intervals import Measured, intervals, no_effect
from stability.dashboard.plots.panels import heading, named_once, note, place, rows_axis, share, suffix
from stability.dashboard.plots.style import Graph, Trace, graph
from stability.dashboard.plots.texts import line, title
from stability.report.numbers import factor
from stability.report.titles import forest_title
from stability.report.words import Words

Twin = dict[str, Any]

GAP = 0.06
TICKS = 3
"""Steps of a scale of factors."""
WIDTH = 64
"""Characters of small letters that stand beside each other over all panels."""


def forest(twin: Twin, words: Words) -> Graph:
    """One panel a response, one row a setting: filled where the interval is clear of no effect."""
    shown = responses(twin)
    order = _order(shown)
    traces: list[Trace] = []
    for i, one in enumerate(shown):
        traces += [trace | place(i) for trace in _panel(one, order, words)]
    axes = {name: axis for i, one in enumerate(shown) for name, axis in _axes(i, one, shown, order, words)}
    notes = [each for i, one in enumerate(shown) for each in _notes(i, one, shown, order, words)]
    return graph(named_once(traces), forest_title(twin, words), axes, notes)


def responses(twin: Twin) -> list[Twin]:
    """What the settings were found to have a part in, first what heads the report."""
    found = twin["attribution"]
    return [one for one in (found, *found["others"]) if one["effects"]] if found else []


def _order(shown: list[Twin]) -> list[str]:
    """Settings from the bottom: by their part in what heads the report, those without one below."""
    head = shown[0]["effects"]
    others = (name for one in shown for name in one["effects"] if name not in head)
    return [*dict.fromkeys(others), *sorted(head, key=lambda name: abs(head[name]["effect"]))]


def _panel(one: Twin, order: list[str], words: Words) -> list[Trace]:
    show = factor if one["response"] == "yardstick" else "{:.3g}".format
    values = [
        Measured(row, f"{name}: {show(own['effect'])}", own["effect"], own["ci"])
        for row, name in enumerate(order)
        if (own := one["effects"].get(name))
    ]
    return [no_effect(len(order)), *intervals(values, words)]


def _axes(panel: int, one: Twin, shown: list[Twin], order: list[str], words: Words):
    ticks = {"diverged": {"tickformat": ".0%"}, "yardstick": _factors(one)}
    across = {"domain": share(panel, len(shown), GAP), "anchor": f"y{suffix(panel)}", "nticks": 5}
    across |= {"title": title(words.say(f"fig_effect_{one['response']}")), "zeroline": False, "tickangle": 0}
    rows = {"anchor": f"x{suffix(panel)}", "showticklabels": panel == 0}
    yield f"xaxis{suffix(panel)}", across | ticks.get(one["response"], {})
    yield f"yaxis{suffix(panel)}", rows_axis(order) | rows


def _factors(one: Twin) -> dict[str, Any]:
    """Ticks at even steps of the logarithm, one of them at no effect, written as factors."""
    ends = [end for own in one["effects"].values() for end in (own["effect"], *(own["ci"] or ()))]
    low, high = min(0, *ends), max(0, *ends)
    step = (high - low) / TICKS or 1.0
    ticks = [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return {"tickmode": "array", "tickvals": ticks, "ticktext": list(map(factor, ticks))}


def _notes(panel: int, one: Twin, shown: list[Twin], order: list[str], words: Words):
    yield heading(words.say(f"h_effects_{one['response']}"), panel, WIDTH // len(shown))
    for row, name in enumerate(order):
        if name not in one["effects"]:
            yield note(line(words.say("na")), panel) | {"x": 0, "y": row}
