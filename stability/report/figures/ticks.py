"""Tick labels in the digits of the report's language. Logarithmic axes stay as matplotlib writes them."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, Formatter

from stability.report.figures.text import STARTS
from stability.report.numbers import PERSIAN
from stability.report.words import Words


class _Persian(Formatter):
    """Another formatter's labels in Persian digits."""

    def __init__(self, inner: Formatter) -> None:
        self._inner = inner

    def __call__(self, x: float, pos: int | None = None) -> str:
        return _persian(self._inner(x, pos))

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        return [_persian(text) for text in self._inner.format_ticks(values)]

    def get_offset(self) -> str:
        return self._inner.get_offset()


def in_digits_of(figure: Figure, words: Words) -> None:
    """Write the numbers on linear axes in the language's digits; names at ticks are no numbers."""
    if words.lang != "fa":
        return
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if _has_numbers(axis):
                axis.set_major_formatter(_Persian(axis.get_major_formatter()))


def _has_numbers(axis: Axis) -> bool:
    return axis.get_scale() == "linear" and not isinstance(axis.get_major_locator(), FixedLocator)


def _persian(text: str) -> str:
    """Left to right, so that a sign stays before its number."""
    return STARTS["en"] + text.translate(PERSIAN) if any(map(str.isdigit, text)) else text
