"""The report's drawings, as PNG bytes. The only matplotlib; titles and counts come from the twin."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stability.evidence.selection import diverged, of_stage, with_evidence
from stability.records import BEFORE_TRAINING, VerdictLabel
from stability.report.blocks import Code, Inline, plain
from stability.report.titles import curves_title, search_title, total_title
from stability.report.words import Words

Twin = dict[str, Any]

DPI = 150
STYLE = {
    "font.family": "DejaVu Sans",  # ships with matplotlib and covers Persian
    "font.size": 13,
    "axes.titlesize": 13,
    "figure.titlesize": 15,
    "legend.fontsize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe and Ito's colour-blind-safe palette (https://jfly.uni-koeln.de/color)."""
MARKERS = ("o", "s", "^", "D", "v", "P")
PLAIN, BAD = "#4D4D4D", "#8B0000"
LINES = ("--", ":", "-.")
ISOLATES = dict.fromkeys(map(ord, "\u2066\u2069"))
"""Directional isolates, which the font has no glyph for."""
LOG_FROM = 20.0
"""Ratio of largest to smallest value from which a loss axis is logarithmic."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one arm is drawn."""

    name: str
    colour: str
    marker: str
    row: float  # height of its crosses, in axes units


def draw(name: str, twin: Twin, frames: Any, lang: str) -> bytes:
    """The figure `name` (`loss_curves` or `search`) as PNG."""
    words = Words(lang)
    with mpl.rc_context(STYLE):
        figure = loss_curves(twin, frames, words) if name == "loss_curves" else search(twin, words)
        FigureCanvasAgg(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def loss_curves(twin: Twin, frames: Any, words: Words) -> Figure:
    """Yardstick per epoch and printed total per step: a thin line a trial, a thick median an arm."""
    trials = with_evidence(of_stage(frames.trials, "compare"))
    looks = _looks(twin)
    figure = Figure(figsize=(12, 5.6), layout="constrained")
    figure.suptitle(_label(curves_title(twin, words)))
    left, right = figure.subplots(1, 2)
    epochs, steps = (own[own["trial_id"].isin(trials["trial_id"])] for own in (frames.epochs, frames.steps))
    yardstick = _series(epochs, "epoch", source="yardstick", component="total")
    totals = _series(steps, "step", quantity="total")
    _curves(left, trials, yardstick, looks, words, mark_ends=False)
    _curves(right, trials, totals, looks, words, mark_ends=True)
    before = _label(words.say("fig_before"))
    left.xaxis.set_major_formatter(lambda epoch, _: before if epoch == BEFORE_TRAINING else f"{epoch:g}")
    left.set(xlabel=_label(words.say("fig_epoch")), ylabel=_label(words.say("fig_loss")))
    left.set_title(_label(words.say("fig_yardstick")))
    right.set(xlabel=_label(words.say("fig_step")), title=_label(total_title(twin, words)))
    figure.legend(*_legend(left, right), loc="outside lower center", ncols=4, frameon=False)
    return figure


def search(twin: Twin, words: Words) -> Figure:
    """First-epoch loss against the searched parameter, diverged trials as crosses on a strip above."""
    part = twin["search"]
    figure = Figure(figsize=(10, 5.6), layout="constrained")
    figure.suptitle(_label(search_title(twin, words)))
    strip, main = figure.subplots(2, 1, sharex=True, height_ratios=(1, 7))
    points = [point for point in part["trials"] if isinstance(point["value"], int | float)]
    _strip(strip, points, words)
    _points(main, points, words)
    _arm_values(strip, main, twin)
    if part["log"]:
        main.set_xscale("log")
    response = "fig_first_yardstick" if part["response"] == "yardstick" else "fig_first_total"
    main.set_xlabel(part["param"])
    main.set_ylabel(_label(words.say(response)), labelpad=10)
    figure.legend(*_legend(strip, main), loc="outside lower center", ncols=4, frameon=False)
    return figure


def _looks(twin: Twin) -> list[Look]:
    names = [name for name, arm in twin["arms"].items() if arm["n"]]
    return [
        Look(name, COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)], 0.985 - 0.035 * (i % 6))
        for i, name in enumerate(names)
    ]


def _series(frame: pd.DataFrame, axis: str, **where: str) -> pd.DataFrame:
    """Rows of one quantity: trial_id, x, value."""
    for column, wanted in where.items():
        frame = frame[frame[column] == wanted]
    found = frame[["trial_id", axis, "value"]].rename(columns={axis: "x"})
    return found.assign(value=pd.to_numeric(found["value"]).astype(float)).sort_values(["trial_id", "x"])


def _curves(
    axes: Axes,
    trials: pd.DataFrame,
    series: pd.DataFrame,
    looks: list[Look],
    words: Words,
    *,
    mark_ends: bool,
) -> None:
    """Draw every arm's trials; `mark_ends` also marks where diverged trials ended."""
    for look in looks:
        members = trials[trials["arm"] == look.name]
        own = series[series["trial_id"].isin(members["trial_id"])]
        _lines(axes, own, look)
        _median(axes, own, look, words)
        ends = (
            pd.to_numeric(members[diverged(members)]["event_step"]) if mark_ends else pd.Series(dtype=float)
        )
        _crosses(axes, own, ends, look, words)
    _fit(axes, series["value"])


def _lines(axes: Axes, own: pd.DataFrame, look: Look) -> None:
    """A thin line a trial, with gaps at non-finite values; one artist, because there may be thousands."""
    if own.empty:
        return
    points = own[["x", "value"]].to_numpy(dtype=float)
    points[~np.isfinite(points[:, 1]), 1] = np.nan
    starts = np.flatnonzero(np.diff(own["trial_id"])) + 1
    # the line's own ends, joins and height of `axes.plot`
    style = {"capstyle": "projecting", "joinstyle": "round", "zorder": 2}
    axes.add_collection(
        LineCollection(np.split(points, starts), colors=look.colour, lw=0.8, alpha=0.3, **style)
    )


def _fit(axes: Axes, values: pd.Series) -> None:
    """A logarithmic loss axis where the values span it, room for the crosses, whole numbers below."""
    finite = values[np.isfinite(values)]
    if len(finite) and finite.min() > 0 and finite.max() / finite.min() >= LOG_FROM:
        axes.set_yscale("log")
    axes.margins(y=0.14)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", alpha=0.25)


def _median(axes: Axes, own: pd.DataFrame, look: Look, words: Words) -> None:
    """The median over all trials of the arm, a lost one counting as infinite; it ends where half are lost."""
    if own.empty:
        return
    grid = own.pivot(index="trial_id", columns="x", values="value")
    grid = grid.where(np.isfinite(grid), np.inf)
    median = grid.median(axis=0)
    median = median[np.isfinite(median)]
    if median.empty:
        return
    label = words.say("fig_median", arm=Code(look.name), n=len(grid))
    line = {"color": look.colour, "marker": look.marker, "markevery": max(1, len(median) // 8), "lw": 2.6}
    axes.plot(median.index, median, label=_label(label), **line)


def _crosses(axes: Axes, own: pd.DataFrame, ends: pd.Series, look: Look, words: Words) -> None:
    """A cross at the top edge over every non-finite value and every diverged trial's first bad step."""
    bad = own[~np.isfinite(own["value"])]["x"]
    where = sorted({*bad, *ends.dropna()})
    if where:
        transform = axes.get_xaxis_transform()
        heights = [look.row] * len(where)
        axes.scatter(
            where,
            heights,
            marker="x",
            s=60,
            lw=2,
            color=look.colour,
            transform=transform,
            clip_on=False,
            zorder=5,
        )
        axes.scatter([], [], marker="x", s=60, lw=2, color="0.3", label=_label(words.say("fig_bad")))


def _strip(axes: Axes, points: list[Twin], words: Words) -> None:
    """The diverged trials, on a strip of their own: they have no loss to plot."""
    x = [point["value"] for point in points if point["verdict"] == VerdictLabel.DIVERGED]
    axes.scatter(x, [0.5] * len(x), marker="x", s=60, lw=1.8, color=BAD, alpha=0.8)
    axes.set(yticks=[0.5], ylim=(0, 1))
    axes.set_yticklabels([_label(words.say("fig_diverged"))], color=BAD)
    axes.tick_params(which="both", length=0, labelbottom=False)
    axes.spines[:].set_visible(False)
    axes.set_facecolor("#F6EDED")


def _points(axes: Axes, points: list[Twin], words: Words) -> None:
    known = [point for point in points if point["first_epoch"] is not None]
    calm = [point for point in known if point["verdict"] == VerdictLabel.STABLE]
    other = [p for p in known if p["verdict"] in (VerdictLabel.UNSTABLE, VerdictLabel.STUCK)]
    _scatter(axes, calm, _label(words.say("fig_trained")), marker="o", color=PLAIN)
    _scatter(axes, other, _label(words.say("fig_other")), marker="^", facecolor="none", edgecolor=PLAIN)
    values = [point["first_epoch"] for point in (*calm, *other)]
    if values and min(values) > 0 and max(values) / min(values) >= LOG_FROM:
        axes.set_yscale("log")
    axes.grid(axis="y", alpha=0.25)


def _scatter(axes: Axes, points: list[Twin], label: str, **style: Any) -> None:
    if points:
        x, y = zip(*((point["value"], point["first_epoch"]) for point in points), strict=True)
        axes.scatter(x, y, s=55, lw=1.8, alpha=0.85, label=label, **style)


def _arm_values(strip: Axes, main: Axes, twin: Twin) -> None:
    """A dashed line where each arm sits on the searched parameter."""
    styles = zip(twin["arms"].items(), COLOURS * len(twin["arms"]), LINES * len(twin["arms"]), strict=False)
    for (name, arm), colour, line in styles:
        value = arm["settings"].get(twin["search"]["param"])
        if isinstance(value, int | float) and not isinstance(value, bool):
            label = f"{name}: {twin['search']['param']} = {value:g}"
            main.axvline(value, color=colour, ls=line, lw=2, label=label)
            strip.axvline(value, color=colour, ls=line, lw=2)


def _legend(*axes: Axes) -> tuple[list[Any], list[str]]:
    """Each label once, from all axes."""
    found: dict[str, Any] = {}
    for own in axes:
        for artist, label in zip(*own.get_legend_handles_labels(), strict=True):
            found.setdefault(label, artist)
    return list(found.values()), list(found)


def _label(text: Inline) -> str:
    """Text for matplotlib: `$` is no mathematics, and Persian starts right to left whatever comes first."""
    label = plain(text).translate(ISOLATES).replace("$", r"\$")
    return f"\u200f{label}" if any("\u0600" <= sign <= "\u06ff" for sign in label) else label
