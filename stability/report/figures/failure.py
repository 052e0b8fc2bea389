"""Anatomy of a failure: each recorded quantity over the last steps, aligned on the first bad one."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stability.report.figures.style import BAD, floats, scale_losses
from stability.report.figures.text import heading, label, named
from stability.report.palette import COLOURS
from stability.report.titles import failure_title
from stability.report.words import Words

Twin = dict[str, Any]

COLUMNS = 2


def failure(twin: Twin, words: Words) -> Figure:
    """One panel a quantity; values that are not finite are crosses at the top edge.

    All panels have one range of steps, but for evaluations that lie before it.
    """
    part = twin["plots"]["failure"]
    quantities = list(part["quantities"].items())
    rows = -(-len(quantities) // COLUMNS)
    figure = Figure(figsize=(12, 1.3 + 1.65 * rows), layout="constrained")
    heading(figure, failure_title(twin, words), words)
    panels = figure.subplots(rows, COLUMNS, squeeze=False)
    for axes in panels.flat[len(quantities) :]:
        axes.set_visible(False)
    start = _start(part)
    for axes, (name, course) in zip(panels.flat, quantities, strict=False):
        steps = course.get("steps", part["steps"])
        _panel(axes, steps, course, words)
        room = max(0.8, -0.02 * min(steps))
        axes.set_xlim(min(start, *steps) - room, room)
        axes.tick_params(labelbottom=min(steps) < start)
        axes.set_title(named(name, words), loc="left", family="DejaVu Sans Mono", fontsize=12)
    for axes in panels.flat[max(0, len(quantities) - COLUMNS) : len(quantities)]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(label(words.say("fig_steps_before"), words))
    return figure


def _start(part: Twin) -> int:
    """The first step of most panels, or the one before it where something was evaluated just then."""
    first = min(part["steps"])
    evaluated = {step for own in part["quantities"].values() for step in own.get("steps", ())}
    return first - 1 if first - 1 in evaluated else first


def _panel(axes: Axes, steps: list[int], course: Twin, words: Words) -> None:
    values = course["values"]
    finite = [value for value in values if value is not None]
    axes.axvline(0, color=BAD, lw=1.5, ls=":")
    axes.plot(steps, floats(values), color=COLOURS[0], marker="o", markersize=3.5, lw=1.8)
    limit = course.get("limit")
    if limit is not None:
        axes.axhline(limit, color=BAD, lw=1.5, ls="--")
        place = {"xycoords": axes.get_yaxis_transform(), "xytext": (4, 2), "textcoords": "offset points"}
        axes.annotate(label(words.say("fig_limit"), words), (0, limit), **place, color=BAD, fontsize=11)
    scale_losses(axes, finite if limit is None else [*finite, limit])
    top = axes.get_xaxis_transform()
    for place, mark in course["nonfinite"].items():
        step = steps[int(place)]
        axes.scatter(step, 0.9, marker="x", s=70, lw=2.4, color=BAD, transform=top, zorder=5)
        axes.text(step, 0.9, f"{mark} ", color=BAD, transform=top, ha="right", va="center", fontsize=11)
    axes.margins(y=0.25)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
