"""What all figures share: colours, marks, fonts, and how a figure becomes PNG bytes."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from PIL import Image

from stability.report.palette import COLOURS, is_extreme, is_wide, loss_range

DPI = 120
PALETTE_SIZE = 256
"""Colours of a stored drawing: it needs few, and a palette makes the file a third as large."""
STYLE = {
    "font.family": "DejaVu Sans",  # ships with matplotlib and covers Persian
    "font.size": 13,
    "axes.titlesize": 13,
    "figure.titlesize": 15,
    "legend.fontsize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", "-.", ":")
PLAIN, BAD = "#4D4D4D", "#8B0000"
MOST_DECADES = 5
"""Ticks of an axis near the ends of what numbers can hold."""
STRIP = "#F6EDED"
"""Behind the marks of diverged trials, which have no loss to be placed by."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one arm is drawn: told apart by colour, by marker and by line, so in greyscale too."""

    colour: str
    marker: str
    line: str


def look(index: int) -> Look:
    """The look of the arm at this place of the study file."""
    turn = index + index // len(COLOURS)  # so that marker and line differ where colours repeat
    return Look(COLOURS[index % len(COLOURS)], MARKERS[turn % len(MARKERS)], LINES[turn % len(LINES)])


def png(figure: Figure) -> bytes:
    """The figure as a PNG: with a palette, or in full colour where a colour scale would get bands."""
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(DPI)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    if not _has_scale(figure):
        picture = picture.quantize(PALETTE_SIZE, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    picture.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def _has_scale(figure: Figure) -> bool:
    return any(isinstance(artist, QuadMesh) for axes in figure.axes for artist in axes.collections)


def styled() -> Any:
    """matplotlib's settings while a figure is made and drawn."""
    return mpl.rc_context(STYLE)


def interval(axes: Axes, row: int, value: float, ends: Sequence[float] | None) -> None:
    """A diamond on a row, over its interval; filled and bold where that excludes 0."""
    low, high = ends or (value, value)
    clear = ends is not None and not low <= 0 <= high
    colour = COLOURS[1] if clear else PLAIN
    axes.plot([low, high], [row, row], color=colour, lw=2.6 if clear else 1.6, solid_capstyle="butt")
    face = colour if clear else "white"
    axes.plot(value, row, "D", color=colour, markerfacecolor=face, markersize=8, zorder=3)


def scale_losses(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic loss axis where the values span it, and a grid."""
    if is_wide(values):
        _, low, high = loss_range(values)
        log_scale(axes, "y", low, high)
    axes.grid(axis="y", alpha=0.25)


def log_scale(axes: Axes, which: str, low: float, high: float) -> None:
    """A logarithmic axis, `x` or `y`. Near the ends of what numbers hold: from `low` to `high`, few decades.

    There matplotlib's own ends and ticks would lie beyond.
    """
    if not is_extreme(low, high):
        getattr(axes, f"set_{which}scale")("log")
        return
    for each in axes.figure.axes if which == "x" else (axes,):
        getattr(each, f"set_autoscale{which}_on")(False)
    getattr(axes, f"set_{which}scale")("log")
    getattr(axes, f"set_{which}lim")(low, high)
    decades = np.linspace(math.ceil(math.log10(low)), math.floor(math.log10(high)), MOST_DECADES).round()
    axis = getattr(axes, f"{which}axis")
    axis.set_major_locator(FixedLocator([float(f"1e{decade:.0f}") for decade in np.unique(decades)]))
    axis.set_minor_locator(NullLocator())


def floats(values: Sequence[float | None]) -> np.ndarray:
    """None as NaN, which matplotlib leaves out."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)
