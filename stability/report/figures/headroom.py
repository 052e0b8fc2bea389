"""Headroom: how far each arm is from its bound, and by how much each knob moves the boundary."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stability.report.blocks import Code, Latin
from stability.report.figures.style import PLAIN, interval
from stability.report.figures.text import heading, label, named, shortened
from stability.report.numbers import setting
from stability.report.palette import COLOURS
from stability.report.titles import headroom_title
from stability.report.words import Words

Twin = dict[str, Any]

TITLE_WIDTH = 34
"""Characters that fit over a panel."""
MOST_SETTING = 16
"""Characters of a setting beside another."""


def headroom(twin: Twin, words: Words) -> Figure:
    """Bars of room an arm on the left, prices of knobs with their intervals on the right."""
    details = twin["boundary_details"]
    prices = details["prices"]
    rows = max(len(twin["boundary"]), len(prices), 2)
    figure = Figure(figsize=(13, 2 + 0.5 * rows), layout="constrained")
    heading(figure, headroom_title(twin, words), words)
    if not prices:
        _bars(figure.subplots(), twin, words)
        return figure
    left, right = figure.subplots(1, 2)
    _bars(left, twin, words)
    _prices(right, prices, details, words)
    return figure


def _bars(axes: Axes, twin: Twin, words: Words) -> None:
    arms, details = list(twin["boundary"].items())[::-1], twin["boundary_details"]
    for row, (_, own) in enumerate(arms):
        room = own["headroom"]
        if room is None:
            axes.text(0, row, f" {label(words.say('na'), words)}", va="center", color=PLAIN)
            continue
        inside = room >= 0
        style = (
            {"color": COLOURS[0]} if inside else {"color": COLOURS[1], "hatch": "//", "edgecolor": "white"}
        )
        axes.barh(row, room, height=0.5, **style)
        text = label((f" {words.numbers.significant(room, 2)} ",), words)
        axes.text(room, row, text, va="center", ha="left" if inside else "right")
    axes.axvline(0, color="black", lw=1.5)
    axes.margins(x=0.16)
    axes.set_yticks(range(len(arms)), [named(name, words) for name, _ in arms], family="DejaVu Sans Mono")
    axes.set_title(label(words.say("fig_headroom", param=Code(details["param"])), words, TITLE_WIDTH))
    axes.set_ylim(-0.6, len(arms) - 0.4)
    if all(own["headroom"] is None for _, own in arms):
        axes.set_xticks([])  # there is nothing to be measured by a scale
    else:
        _unit(axes, details, words)


def _prices(axes: Axes, prices: list[Twin], details: Twin, words: Words) -> None:
    shown = prices[::-1]
    axes.axvline(0, color=PLAIN, lw=1.2)
    for row, own in enumerate(shown):
        interval(axes, row, own["cost"], own["ci"])
    axes.set_yticks(range(len(shown)), [_change(own, words) for own in shown])
    axes.set_title(label(words.say("fig_prices", param=Code(details["param"])), words, TITLE_WIDTH))
    axes.set_ylim(-0.6, len(shown) - 0.4)
    _unit(axes, details, words)


def _change(price: Twin, words: Words) -> str:
    start, end = (shortened(setting(price[name]), MOST_SETTING) for name in ("start", "end"))
    return label((Latin(f"{shortened(price['param'])}: {start} → {end}"),), words)


def _unit(axes: Axes, details: Twin, words: Words) -> None:
    key = "fig_decades" if details["log"] else "fig_units"
    axes.set_xlabel(label(words.say(key, param=Code(details["param"])), words))
    axes.grid(axis="x", alpha=0.25)
