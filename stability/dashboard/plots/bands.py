"""Bands between two courses, as polygons: Plotly fills wrongly across what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stability.dashboard.plots.style import Trace, faint

Course = Sequence[float | None]


def band(x: Sequence[float], low: Course, high: Course, colour: str) -> Trace:
    """The area between two courses, wherever both are known."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for start, end in _known(low, high):
        there = range(start, end)
        xs += [*(x[i] for i in there), *(x[i] for i in reversed(there)), None]
        ys += [*(high[i] for i in there), *(low[i] for i in reversed(there)), None]
    drawn = {"mode": "lines", "line": {"width": 0}, "fill": "toself", "fillcolor": faint(colour)}
    return {"x": xs[:-1], "y": ys[:-1], **drawn, "showlegend": False, "hoverinfo": "skip"}


def stairs(x: Sequence[float], y: Course) -> tuple[list[float], list[float | None]]:
    """A course that keeps each value up to the next place, as a line through its corners."""
    xs, ys = [x[0]], [y[0]]
    for i in range(1, len(x)):
        xs += [x[i], x[i]]
        ys += [y[i - 1], y[i]]
    return xs, ys


def _known(low: Course, high: Course) -> Iterator[tuple[int, int]]:
    """From where to where, exclusive, both are known without a gap."""
    start = None
    for i in range(len(low) + 1):
        there = i < len(low) and low[i] is not None and high[i] is not None
        if there and start is None:
            start = i
        elif not there and start is not None:
            yield start, i
            start = None
