"""What panels share where there is little to draw: a sentence for a frame, whole steps, single places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, MultipleLocator

from stability.report.figures.style import PLAIN
from stability.report.figures.text import label
from stability.report.words import Words

NOTE_WIDTH = 28
"""Characters of a sentence in a panel."""
SIDE = 0.05
"""Left and right of the places, of what they span."""
ALONE = 0.4
"""Beside one single place, so that no other whole number is on the scale."""
SLIVER = 0.02
"""Half of the width of a band over one single place, of what all places span."""


def not_shown(axes: Axes, reason: str, words: Words, *, frame: bool = False) -> None:
    """The sentence `reason`, a key of `words`, in place of values; `frame` keeps the scale below."""
    text = label(words.say(reason), words, NOTE_WIDTH)
    clear = {"facecolor": "white", "edgecolor": "none"}
    middle = {"transform": axes.transAxes, "ha": "center", "va": "center", "zorder": 6, "bbox": clear}
    axes.text(0.5, 0.5, text, color=PLAIN, fontsize=12, **middle)
    axes.set_yticks([])
    axes.set_ylabel("")
    if not frame:
        axes.set_xticks([])
        axes.set_xlabel("")
        axes.spines[:].set_visible(False)


def whole_places(axes: Axes, places: Sequence[int]) -> None:
    """A scale of whole numbers from the first to the last place, wide enough where there is one alone."""
    low, high = min(places), max(places)
    room = SIDE * (high - low) or ALONE
    axes.set_xlim(low - room, high + room)
    axes.xaxis.set_major_locator(MultipleLocator(1) if low == high else MaxNLocator(integer=True))


def stretches(x: Sequence[float], known: np.ndarray) -> Iterator[tuple[np.ndarray, slice]]:
    """For each stretch of known places in a row, its places and where they are; one alone gets a width."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], known.astype(int), [0]))))
    half = SLIVER * ((max(x) - min(x)) or 2 * ALONE) if len(x) else 0.0
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        places = np.asarray(x[start:end], dtype=float)
        if end - start == 1:
            places = np.array([places[0] - half, places[0] + half])
        yield places, slice(start, end)
