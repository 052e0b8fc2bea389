"""The report's drawings, a plot a file: twin -> PNG bytes. The only matplotlib; titles are `titles`'."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from stability.report.figures.failure import failure
from stability.report.figures.forest import forest
from stability.report.figures.headroom import headroom
from stability.report.figures.loss_fan import loss_fan
from stability.report.figures.lr_curve import lr_curve
from stability.report.figures.stability_map import stability_map
from stability.report.figures.style import png, styled
from stability.report.figures.text import heading
from stability.report.figures.ticks import in_digits_of
from stability.report.words import Words

FIGURES: dict[str, Callable[[dict[str, Any], Words], Figure]] = {
    "loss_fan": loss_fan,
    "forest": forest,
    "stability_map": stability_map,
    "headroom": headroom,
    "lr_curve": lr_curve,
    "failure": failure,
}


_ONE_AT_A_TIME = threading.Lock()
"""matplotlib's settings are those of the process; a server may draw in several threads."""


def draw_reason(key: str, lang: str, **values: Any) -> bytes:
    """A picture that says in words why another is not there, as PNG; `key` is one of `words`."""
    with _ONE_AT_A_TIME, styled():
        words = Words(lang)
        figure = Figure(figsize=(9, 1.2), layout="constrained")
        heading(figure, words.say(key, **values), words)
        return png(figure)


def draw(name: str, twin: dict[str, Any], lang: str) -> bytes:
    """The figure `name`, a key of `FIGURES`, as PNG."""
    with _ONE_AT_A_TIME, styled():
        words = Words(lang)
        figure = FIGURES[name](twin, words)
        in_digits_of(figure, words)
        return png(figure)
