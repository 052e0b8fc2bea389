"""What all figures share: colours, marks, fonts, labels, and how a figure becomes PNG bytes."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from stability.report.blocks import Inline, plain
from stability.report.palette import COLOURS, is_wide

DPI = 120
PALETTE_SIZE = 256
"""Colours of a stored picture: drawings need few, and a palette makes the file a third as large."""
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
STRIP = "#F6EDED"
"""Behind the marks of diverged trials, which have no loss to be placed by."""
ISOLATES = dict.fromkeys(map(ord, "\u2066\u2069"))
"""Directional isolates, which the font has no glyph for."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one arm is drawn: told apart by colour, by marker and by line, so in greyscale too."""

    colour: str
    marker: str
    line: str


def look(index: int) -> Look:
    """The look of the arm at this place of the study file."""
    return Look(*(each[index % len(each)] for each in (COLOURS, MARKERS, LINES)))


def png(figure: Figure) -> bytes:
    """The figure as a PNG with a palette."""
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(DPI)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    buffer = io.BytesIO()
    reduced = picture.quantize(PALETTE_SIZE, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    reduced.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def styled() -> Any:
    """matplotlib's settings while a figure is made and drawn."""
    return mpl.rc_context(STYLE)


def label(text: Inline, width: int | None = None) -> str:
    """Text for matplotlib, in lines of at most `width` characters.

    `$` is no mathematics, and every line with Persian in it starts right to left whatever comes first.
    """
    shown = plain(text).translate(ISOLATES).replace("$", r"\$")
    lines = textwrap.wrap(shown, width) if width else [shown]
    rtl = any("\u0600" <= sign <= "\u06ff" for sign in shown)
    return "\n".join(f"\u200f{line}" if rtl else line for line in lines)


def legend(figure: Figure, *axes: Axes, columns: int = 4) -> None:
    """Each label once, from all axes, below the figure."""
    found: dict[str, Any] = {}
    for own in axes:
        for artist, text in zip(*own.get_legend_handles_labels(), strict=True):
            found.setdefault(text, artist)
    if found:
        figure.legend(found.values(), found, loc="outside lower center", ncols=columns, frameon=False)


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
        axes.set_yscale("log")
    axes.grid(axis="y", alpha=0.25)


def floats(values: Sequence[float | None]) -> np.ndarray:
    """None as NaN, which matplotlib leaves out."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)
