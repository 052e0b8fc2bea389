"""Trials as marks: circles, triangles where they were unstable or stuck, crosses where they diverged."""

from __future__ import annotations

from typing import Any

from stability.dashboard.plots.style import BAD, INK, Trace
from stability.dashboard.plots.texts import line
from stability.report.words import Words

Twin = dict[str, Any]

MOST_POINTS = 2000
"""Trials of one kind in one graph: every page of the study loads them all."""
SYMBOLS = {
    "fig_trained": {"symbol": "circle-open", "color": INK},
    "fig_other": {"symbol": "triangle-up-open", "color": INK},
    "fig_diverged": {"symbol": "x", "color": BAD},
    "fig_without_loss": {"symbol": "line-ns-open", "color": INK},
}


def marks(
    points: list[Twin], axes: tuple[str, str], kind: str, words: Words, most: int = MOST_POINTS
) -> Trace:
    """Trials by two of their values; `kind` is a key of `SYMBOLS`, and of its name in the legend."""
    shown = sampled(points, most)
    x, y = ([point[axis] for point in shown] for axis in axes)
    style = {"mode": "markers", "marker": SYMBOLS[kind] | {"size": 8}}
    return {"x": x, "y": y, **style, "name": _named(kind, len(shown), len(points), words)}


def sampled(points: list[Twin], most: int) -> list[Twin]:
    """At most so many, evenly over the order in which they came."""
    return [points[i * len(points) // most] for i in range(most)] if len(points) > most else points


def _named(kind: str, shown: int, of: int, words: Words) -> str:
    name = line(words.say(kind))
    return name if shown == of else f"{name}<br>{line(words.say('fig_sampled', k=shown, n=of))}"
