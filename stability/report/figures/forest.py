"""Forest plot: each setting's part of the difference between two arms, with its interval."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from stability.report.figures.style import PLAIN, interval
from stability.report.figures.text import heading, label, named
from stability.report.numbers import factor
from stability.report.titles import forest_title
from stability.report.words import Words

Twin = dict[str, Any]


def forest(twin: Twin, words: Words) -> Figure:
    """One panel a response, one row a setting: filled where the interval is clear of no effect."""
    found = twin["attribution"]
    shown = [one for one in (found, *found["others"]) if one["effects"]]
    order = sorted(shown[0]["effects"], key=lambda name: abs(shown[0]["effects"][name]["effect"]))
    order = [*(name for one in shown for name in one["effects"] if name not in order), *order]
    order = list(dict.fromkeys(order))
    figure = Figure(figsize=(max(9, 4.5 * len(shown) + 2), 1.9 + 0.46 * len(order)), layout="constrained")
    heading(figure, forest_title(twin, words), words)
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, one in zip(panels, shown, strict=True):
        _panel(axes, one, order, words)
    panels[0].set_yticks(range(len(order)), [named(name, words) for name in order], family="DejaVu Sans Mono")
    return figure


def _panel(axes: Axes, one: Twin, order: list[str], words: Words) -> None:
    axes.axvline(0, color=PLAIN, lw=1.2)
    for row, name in enumerate(order):
        own = one["effects"].get(name)
        if own is None:
            axes.text(
                0, row, label(words.say("na"), words), va="center", ha="center", color=PLAIN, fontsize=11
            )
            continue
        interval(axes, row, own["effect"], own["ci"])
    axes.set_title(label(words.say(f"h_effects_{one['response']}"), words))
    axes.set_xlabel(label(words.say(f"fig_effect_{one['response']}"), words))
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.grid(axis="x", alpha=0.25)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    if one["response"] == "diverged":
        axes.xaxis.set_major_formatter(PercentFormatter(1))
    elif one["response"] == "yardstick":
        axes.xaxis.set_major_formatter(FuncFormatter(lambda effect, _: factor(effect)))
