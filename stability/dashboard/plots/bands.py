"""Bands between two courses, as polygons: Plotly fills wrongly across what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stability.dashboard.plots.style import Trace, faint

Course = Sequence[float | None]

SLIVER = 0.02
"""Half of the width of a band over one single place, of what all places span."""


def band(x: Sequence[float], low: Course, high: Course, colour: str) -> Trace:
    """The area between two courses, wherever both are known; over one single place, a sliver."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    half = SLIVER * ((max(x) - min(x)) or 1.0) if len(x) else 0.0
    for start, end in _known(low, high):
        there = range(start, end)
        across = [x[i] for i in there] if end - start > 1 else [x[start] - half, x[start] + half]
        above, below = ([course[i] for i in there] * (1 if end - start > 1 else 2) for course in (high, low))
        xs += [*across, *reversed(across), None]
        ys += [*above, *reversed(below), None]
    drawn = {"mode": "lines", "line": {"width": 0}, "fill": "toself", "fillcolor": faint(colour)}
    return {"x": xs[:-1], "y": ys[:-1], **drawn, "showlegend": False, "hoverinfo": "skip"}


def stairs(x: Sequence[float], y: Course) -> tuple[list[float], list[float | None]]:
    """A course that keeps each value up to the next place, as a line through its corners."""
    xs, ys = [x[0]], [y[0]]
    for i in range(1, len(x)):
        xs += [x[i], x[i]]
        ys += [y[i - 1], y[i]]
    return xs, ys


def single(course: Course) -> bool:
    """Whether a value stands alone, so that no line shows it."""
    return any(end - start == 1 for start, end in _known(course, course))


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
