"""Anatomy of a failure: each recorded quantity over the last steps, aligned on the first bad one."""

from __future__ import annotations

from collections import Counter
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator

from stability.report.figures.panels import not_shown
from stability.report.figures.style import BAD, floats, scale_losses
from stability.report.figures.text import heading, label, named
from stability.report.palette import COLOURS
from stability.report.titles import failure_title
from stability.report.unshown import course_reason, course_values
from stability.report.words import Words

Twin = dict[str, Any]

COLUMNS = 2
MOST_NAMED = 4
"""Values that are not finite with their names beside them: those of more would run into each other."""


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
    end = max(step for own in part["quantities"].values() for step in own.get("steps", part["steps"]))
    for axes, (name, course) in zip(panels.flat, quantities, strict=False):
        steps = course.get("steps", part["steps"])
        _panel(axes, steps, course, words)
        room = max(0.8, -0.02 * min(steps))
        axes.set_xlim(min(start, *steps) - room, end + room)
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
    axes.axvline(0, color=BAD, lw=1.5, ls=":")
    axes.margins(y=0.25)
    if reason := course_reason(course):
        not_shown(axes, reason, words, frame=True)
    else:
        _course(axes, steps, course, words)
    top = axes.get_xaxis_transform()
    beside = {"textcoords": "offset points", "xytext": (-8, 0), "ha": "right", "va": "center"}
    marks = {steps[int(place)]: mark for place, mark in course["nonfinite"].items()}
    for step, mark in marks.items():
        axes.scatter(step, 0.9, marker="x", s=70, lw=2.4, color=BAD, transform=top, zorder=5)
        if len(marks) <= MOST_NAMED:
            axes.annotate(mark, (step, 0.9), xycoords=top, color=BAD, fontsize=11, **beside)
    if len(marks) > MOST_NAMED:
        counts = ", ".join(f"{mark} × {count}" for mark, count in Counter(marks.values()).items())
        axes.set_title(counts, loc="right", color=BAD, fontsize=11)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True) if len(steps) > 1 else MultipleLocator(1))


def _course(axes: Axes, steps: list[int], course: Twin, words: Words) -> None:
    """The finite values and the level they rose from; no scale where there is none."""
    axes.plot(steps, floats(course["values"]), color=COLOURS[0], marker="o", markersize=3.5, lw=1.8)
    start = course.get("start")
    if start is not None:
        axes.axhline(start, color=BAD, lw=1.5, ls="--")
        place = {"xycoords": axes.get_yaxis_transform(), "xytext": (4, 2), "textcoords": "offset points"}
        axes.annotate(label(words.say("fig_start"), words), (0, start), **place, color=BAD, fontsize=11)
    shown = course_values(course)
    scale_losses(axes, shown)
    if not shown:
        axes.set_yticks([])
