"""Final loss along one parameter, what diverged on a strip above, medians of each part of the range."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stability.records import VerdictLabel
from stability.report.blocks import Latin
from stability.report.figures.panels import not_shown
from stability.report.figures.style import (
    BAD,
    PLAIN,
    STRIP,
    floats,
    log_scale,
    look,
    scale_losses,
)
from stability.report.figures.text import entries, heading, label, legend, named, shortened
from stability.report.palette import COLOURS
from stability.report.titles import lr_curve_title
from stability.report.unshown import curve_reason, curve_values, ended, without_loss
from stability.report.words import Words

Twin = dict[str, Any]

ARM_LINES = ("--", ":", "-.")


def lr_curve(twin: Twin, words: Words) -> Figure:
    """One mark a trial; the median is dashed where at least half of the trials there diverged."""
    part = twin["plots"]["lr_curve"]
    figure = Figure(figsize=(11, 5.8), layout="constrained")
    heading(figure, lr_curve_title(twin, words), words)
    strip, main = figure.subplots(2, 1, sharex=True, height_ratios=(1, 7))
    _strip(strip, part["trials"], words)
    reason = curve_reason(part)
    if reason is None:
        _points(main, part, words)
        _medians(main, part["bins"], words)
    _unplaced(main, part, words)
    _arms(strip, main, twin, words)
    if part["log"]:
        log_scale(main, "x", part["low"], part["high"])
    main.set_xlabel(named(part["param"], words))
    main.set_ylabel(label(words.say("fig_final"), words), labelpad=10)
    if reason:
        not_shown(main, reason, words, frame=True)
    legend(figure, entries(main), most=3)
    return figure


def _strip(axes: Axes, trials: list[Twin], words: Words) -> None:
    x = [trial["value"] for trial in trials if trial["verdict"] == VerdictLabel.DIVERGED]
    axes.scatter(x, [0.5] * len(x), marker="x", s=60, lw=1.8, color=BAD, alpha=0.8)
    axes.set(yticks=[0.5], ylim=(0, 1))
    axes.set_yticklabels([label(words.say("fig_diverged"), words)], color=BAD)
    axes.tick_params(which="both", length=0, labelbottom=False)
    axes.spines[:].set_visible(False)
    axes.set_facecolor(STRIP)


def _points(axes: Axes, part: Twin, words: Words) -> None:
    known = ended(part)
    calm = [trial for trial in known if trial["verdict"] == VerdictLabel.STABLE]
    other = [trial for trial in known if trial["verdict"] != VerdictLabel.STABLE]
    _scatter(axes, calm, label(words.say("fig_trained"), words), marker="o", color=PLAIN)
    _scatter(axes, other, label(words.say("fig_other"), words), marker="^", facecolor="none", edgecolor=PLAIN)
    if part["at_start"] is not None:
        text = label(words.say("fig_at_start"), words)
        axes.axhline(part["at_start"], color=PLAIN, ls=(0, (1, 3)), lw=1.8, label=text)
    scale_losses(axes, curve_values(part))


def _unplaced(axes: Axes, part: Twin, words: Words) -> None:
    """Ticks at the lower edge for what neither diverged nor has a loss to be placed by."""
    if found := without_loss(part):
        text = label(words.say("fig_without_loss"), words)
        style = {"marker": "|", "s": 150, "lw": 2, "color": PLAIN, "transform": axes.get_xaxis_transform()}
        axes.scatter([trial["value"] for trial in found], [0.03] * len(found), label=text, **style)


def _scatter(axes: Axes, trials: list[Twin], text: str, **style: Any) -> None:
    if trials:
        x, y = zip(*((trial["value"], trial["loss"]) for trial in trials), strict=True)
        axes.scatter(x, y, s=45, lw=1.6, alpha=0.75, label=text, **style)


def _medians(axes: Axes, bins: list[Twin], words: Words) -> None:
    """Over all trials of a part while most live; over the survivors, dashed, where most died.

    A line breaks where a part has no median: nothing is known to lie between its neighbours.
    """
    x = [own["middle"] for own in bins]
    medians = [own["median"] for own in bins]
    lived = [None if own["survivors"] else own["median"] for own in bins]
    dashed = [i for i, own in enumerate(bins) if own["survivors"] and own["median"] is not None]
    line = {"color": COLOURS[2], "lw": 2.6, "zorder": 4}
    if any(value is not None for value in lived):
        text = label(words.say("fig_median_all"), words)
        axes.plot(x, floats(lived), marker="s", markersize=6, label=text, **line)
    if dashed:
        text = label(words.say("fig_median_survivors"), words)
        hollow = {"marker": "s", "markersize": 6, "markerfacecolor": "white", "markevery": dashed}
        axes.plot(x, floats(medians), ls=(0, (3, 2)), label=text, **hollow, **line)


def _arms(strip: Axes, main: Axes, twin: Twin, words: Words) -> None:
    """A line where each arm sits."""
    name = twin["plots"]["lr_curve"]["param"]
    for i, (arm, own) in enumerate(twin["arms"].items()):
        value = own["settings"].get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            turn = i + i // len(COLOURS)  # so that the line differs where colours repeat
            style = {"color": look(i).colour, "ls": ARM_LINES[turn % len(ARM_LINES)], "lw": 2}
            text = (Latin(f"{shortened(arm)}: {shortened(name)} = {value:g}"),)
            main.axvline(value, label=label(text, words), **style)
            strip.axvline(value, **style)
