"""Text on the figures: labels that say what was written, titles and legends that fit the figure."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stability.report.blocks import Code, Inline, Latin, Span, plain
from stability.report.numbers import END_ISOLATE, ISOLATE_LTR
from stability.report.words import Words

MOST_NAME = 36
"""Characters of a name: the middle of a longer one is left out, as names differ at their ends."""
STARTS = {"en": "\u200e", "fa": "\u200f"}
"""Marks that set a line's direction, whatever comes first: matplotlib takes it from the first letter."""
RTL = ("R", "AL")
"""Unicode's classes of right-to-left letters."""
NO_BREAK = "\u00a0"
FEWEST_CHARACTERS = 24
"""A title is broken into no shorter lines."""
LINE_INCHES = 0.27
"""What a line of a title or a legend takes of the figure's height."""


def label(text: Inline, words: Words, width: int | None = None) -> str:
    """Text for matplotlib in the direction of the report's language, in lines of at most `width` characters.

    `$` is no mathematics. In right-to-left text, and beside a right-to-left name, a name or value is isolated
    (UAX #9), or it would swap sides with the number after it; no line ends inside.
    """
    isolated = words.lang == "fa" or any(unicodedata.bidirectional(sign) in RTL for sign in plain(text))
    shown = "".join(_span(span, isolated) for span in text).replace("$", r"\$")
    lines = textwrap.wrap(shown, width, break_long_words=False, break_on_hyphens=False) if width else [shown]
    return "\n".join(STARTS[words.lang] + line for line in lines)


def named(name: str, words: Words) -> str:
    """A name by itself, as the study file writes it: of an arm, a parameter or a quantity."""
    return label((Code(name),), words)


def shortened(text: str, most: int = MOST_NAME) -> str:
    """Text on one line, with an ellipsis for the middle of what is longer than `most` characters."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    end = (most - 1) // 2
    return f"{text[: most - 1 - end]}…{text[-end:]}"


def heading(figure: Figure, text: Inline, words: Words) -> None:
    """The figure's title, in as many lines as its width asks for; the figure grows by them."""
    made = figure.suptitle(label(text, words))
    width = len(made.get_text())
    while made.get_window_extent().width > 0.98 * figure.bbox.width and width > FEWEST_CHARACTERS:
        width = max(int(0.95 * width), FEWEST_CHARACTERS)
        made.set_text(label(text, words, width))
    _grow(figure, made.get_text().count("\n"))


def entries(*axes: Axes) -> list[Any]:
    """What the axes name, in order; what one before named by the same text is left out."""
    found: list[Any] = []
    seen: set[str] = set()
    for own in axes:
        artists = own.get_legend_handles_labels()[0]
        found.extend(artist for artist in artists if artist.get_label() not in seen)
        seen.update(artist.get_label() for artist in artists)
    return found


def legend(figure: Figure, artists: Sequence[Any], most: int = 4) -> None:
    """The artists' labels below the figure, in at most `most` columns, fewer where the texts are long.

    The figure grows by the rows after the second.
    """
    for columns in range(min(most, len(artists)), 0, -1):
        place = {"loc": "outside lower center", "ncols": columns, "frameon": False}
        made = figure.legend(handles=artists, **place)
        if columns == 1 or made.get_window_extent().width <= figure.bbox.width:
            _grow(figure, max(-(-len(artists) // columns) - 2, 0))
            return
        made.remove()


def _grow(figure: Figure, lines: int) -> None:
    figure.set_figheight(figure.get_figheight() + LINE_INCHES * lines)


def _span(span: Span, isolated: bool) -> str:
    if not isinstance(span, Code | Latin):
        return plain((span,))
    text = shortened(span.text) if isinstance(span, Code) else span.text
    return f"{ISOLATE_LTR}{text.replace(' ', NO_BREAK)}{END_ISOLATE}" if isolated else text
