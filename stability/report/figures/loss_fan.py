"""Losses of each arm as a fan over its trials, with what was lost, and the survival curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from stability.records import BEFORE_TRAINING
from stability.report.blocks import Code
from stability.report.figures.panels import not_shown, stretches, whole_places
from stability.report.figures.style import PLAIN, Look, floats, look, scale_losses
from stability.report.figures.text import entries, heading, label, legend
from stability.report.palette import ROOM
from stability.report.titles import loss_fan_title, total_title
from stability.report.unshown import fan_reason, losses_of, survival_reason, without_fan
from stability.report.words import Words

Twin = dict[str, Any]

TITLE_WIDTH = 34
"""Characters that fit over a panel."""
HATCH = "///"
ENDLESS = "endless"
"""Marks the part of a band that has no upper end."""


def loss_fan(twin: Twin, words: Words) -> Figure:
    """Yardstick per epoch, printed total per step, share of trials still training."""
    arms = twin["plots"]["loss_fan"]
    figure = Figure(figsize=(13.5, 5.2), layout="constrained")
    heading(figure, loss_fan_title(twin, words), words)
    yardstick, total, survival = figure.subplots(1, 3)
    looks = {name: look(i) for i, name in enumerate(twin["arms"]) if name in arms}
    for axes, kind in ((yardstick, "yardstick"), (total, "total")):
        for name, own in arms.items():
            text = label(words.say("fig_median", arm=Code(name), n=own["n"]), words)
            axes.plot([], [], label=text, **_line(looks[name]))
        _losses(axes, {name: own[kind] for name, own in arms.items()}, looks, kind, words)
    for name, own in arms.items():
        _survival(survival, own["survival"], looks[name])
    _name_the_edge((yardstick, total), words)
    survival.set(ylim=(0, 1.04))
    survival.yaxis.set_major_formatter(PercentFormatter(1))
    survival.xaxis.set_major_locator(MaxNLocator(integer=True))
    survival.grid(axis="y", alpha=0.25)
    before = label(words.say("fig_before"), words)
    yardstick.xaxis.set_major_formatter(lambda x, _: before if x == BEFORE_TRAINING else f"{x:g}")
    yardstick.set(xlabel=label(words.say("fig_epoch"), words), ylabel=label(words.say("fig_loss"), words))
    titles = (words.say("fig_yardstick"), total_title(twin, words), words.say("fig_survival"))
    for axes, title in zip((yardstick, total, survival), titles, strict=True):
        axes.set_title(label(title, words, TITLE_WIDTH))
    for axes in (total, survival):
        axes.set_xlabel(label(words.say("fig_step"), words))
    for axes, kind in ((yardstick, "yardstick"), (total, "total"), (survival, "survival")):
        _tell_what_is_missing(axes, arms, kind, words)
    legend(figure, entries(yardstick, total))
    return figure


def _losses(axes: Axes, fans: Twin, looks: dict[str, Look], kind: str, words: Words) -> None:
    """Fans on the scale of their finite values, and crosses over what was lost."""
    drawn = [(fan, looks[name]) for name, fan in fans.items() if fan]
    if fan_reason([*fans.values()], kind) is None:
        for fan, style in drawn:
            _fan(axes, fan, style)
        axes.margins(y=ROOM)
        scale_losses(axes, losses_of([*fans.values()]))
    if places := [place for fan, _ in drawn for place in (*fan["x"], *(each for each, _ in fan["bad"]))]:
        whole_places(axes, places)
    _crosses(axes, drawn, words)
    for fan, style in drawn:
        _to_the_edge(axes, fan, style)


def _fan(axes: Axes, fan: Twin, style: Look) -> None:
    low, median, high = (floats(fan[name]) for name in ("low", "median", "high"))
    for x, there in stretches(fan["x"], ~np.isnan(low) & ~np.isnan(high)):
        axes.fill_between(x, low[there], high[there], color=style.colour, alpha=0.18, lw=0)
    axes.plot(fan["x"], median, markevery=max(1, len(fan["x"]) // 8), **_line(style))


def _line(style: Look) -> dict[str, Any]:
    return {"color": style.colour, "ls": style.line, "marker": style.marker, "lw": 2.4}


def _to_the_edge(axes: Axes, fan: Twin, style: Look) -> None:
    """Hatched up to the top edge where so many trials were lost that the upper quantile is infinite.

    It begins at the last place where that is known, as the band ends there.
    """
    low, high = floats(fan["low"]), floats(fan["high"])
    endless = np.isnan(high) & ~np.isnan(low)
    if not endless.any():
        return
    limits = axes.get_ylim()
    around = np.pad(endless, 1)
    beside = around[:-2] | around[1:-1] | around[2:]
    top = np.where(endless, limits[1], high)
    pattern = {
        "hatch": HATCH,
        "facecolor": to_rgba(style.colour, 0.07),
        "edgecolor": to_rgba(style.colour, 0.5),
    }
    for x, there in stretches(fan["x"], beside & ~np.isnan(low)):
        axes.fill_between(x, low[there], top[there], lw=0, gid=ENDLESS, **pattern)
    axes.set_ylim(limits)


def _name_the_edge(panels: Sequence[Axes], words: Words) -> None:
    if any(artist.get_gid() == ENDLESS for axes in panels for artist in axes.collections):
        text = label(words.say("fig_endless"), words)
        panels[0].fill_between([], [], hatch=HATCH, facecolor="0.93", edgecolor="0.5", lw=0, label=text)


def _crosses(axes: Axes, fans: list[tuple[Twin, Look]], words: Words) -> None:
    """Crosses at the top edge over the places where trials were lost, larger for more of them."""
    height = 0.985
    for fan, style in fans:
        if fan["bad"]:
            x, counts = zip(*fan["bad"], strict=True)
            sizes = [45 + 12 * min(count, 12) for count in counts]
            where = {"transform": axes.get_xaxis_transform(), "clip_on": False, "zorder": 5}
            axes.scatter(x, [height] * len(x), marker="x", s=sizes, lw=2, color=style.colour, **where)
            height -= 0.045
    if height < 0.985:
        axes.scatter([], [], marker="x", s=60, lw=2, color="0.3", label=label(words.say("fig_bad"), words))


def _survival(axes: Axes, curve: Twin | None, style: Look) -> None:
    if curve is None:
        return
    low, high = floats(curve["low"]), floats(curve["high"])
    axes.fill_between(curve["steps"], low, high, step="post", color=style.colour, alpha=0.15, lw=0)
    axes.vlines(
        curve["steps"][-1], low[-1], high[-1], color=style.colour, alpha=0.3, lw=6
    )  # of the last step
    axes.step(curve["steps"], curve["share"], where="post", color=style.colour, ls=style.line, lw=2.4)


def _tell_what_is_missing(axes: Axes, arms: Twin, kind: str, words: Words) -> None:
    """A sentence where no losses are drawn, and the arms that have none where others have."""
    shown = [own[kind] for own in arms.values()]
    reason = survival_reason(shown) if kind == "survival" else fan_reason(shown, kind)
    if reason:
        not_shown(axes, reason, words, frame=any(shown))
    elif names := without_fan(arms, kind):
        text = words.say("fig_not_recorded", names=words.listed([(Code(name),) for name in names]))
        place = {"transform": axes.transAxes, "ha": "left", "va": "bottom", "color": PLAIN, "fontsize": 11}
        axes.text(0.02, 0.02, label(text, words, TITLE_WIDTH), **place)
