"""Stability map: the bounded parameter against another, a panel an arm, with P(diverge) and the trials."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import PercentFormatter

from stability.report.blocks import Code
from stability.report.figures.style import BAD, log_scale
from stability.report.figures.text import heading, label, legend, named
from stability.report.titles import stability_map_title
from stability.report.words import Words

Twin = dict[str, Any]

RISK_COLOURS = LinearSegmentedColormap.from_list("risk", ["#FFFFFF", "#FBE3CF", "#F2A65E", "#B3500A"])
"""From none to certain, darker throughout, so that it reads in greyscale."""
LEVELS = {0.05: "--", 0.5: "-"}
NAMES = {0.05: "fig_p05", 0.5: "fig_p50"}
MOST_COLUMNS = 3
TITLE_WIDTH = 48
"""Characters that fit over a panel."""
HALO = [withStroke(linewidth=3.2, foreground="white")]


def stability_map(twin: Twin, words: Words) -> Figure:
    """Trials as circles or crosses over P(diverge) with the arm's other settings, which is starred."""
    part = twin["plots"]["stability_map"]
    columns = min(MOST_COLUMNS, len(part["arms"]))
    rows = -(-len(part["arms"]) // columns)
    figure = Figure(figsize=(1.6 + 5.6 * columns, 1.7 + 4.3 * rows), layout="constrained")
    heading(figure, stability_map_title(twin, words), words)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes in panels.flat[len(part["arms"]) :]:
        axes.set_visible(False)
    for axes, (name, arm) in zip(panels.flat, part["arms"].items(), strict=False):
        mesh = _panel(axes, part, arm)
        axes.set_title(label(_rate(name, twin, words), words, TITLE_WIDTH))
        axes.set_xlabel(named(part["x"]["param"], words))
    for row in panels:
        row[0].set_ylabel(named(part["y"]["param"], words))
    percent = PercentFormatter(1)
    bar = figure.colorbar(mesh, ax=panels.ravel().tolist(), format=percent, pad=0.01)
    bar.set_label(label(words.say("fig_risk"), words))
    legend(figure, _key(part, words), most=5)
    return figure


def _panel(axes: Axes, part: Twin, arm: Twin) -> QuadMesh:
    x, y = part["x"]["values"], part["y"]["values"]
    for which, own in (("x", part["x"]), ("y", part["y"])):
        if own["log"]:
            log_scale(axes, which, own["values"][0], own["values"][-1])
    mesh = axes.pcolormesh(x, y, arm["probability"], cmap=RISK_COLOURS, vmin=0, vmax=1, shading="gouraud")
    if levels := _levels(arm):
        styles = [LEVELS[level] for level in levels]
        axes.contour(
            x, y, arm["probability"], levels=levels, linestyles=styles, colors="black", linewidths=1.8
        )
    for diverged, style in ((False, _CALM), (True, _LOST)):
        points = [trial for trial in part["trials"] if trial["diverged"] == diverged]
        axes.scatter([t["x"] for t in points], [t["y"] for t in points], **style)
    axes.plot(arm["x"], arm["y"], "*", markersize=22, color="#FFD92F", markeredgecolor="black", zorder=6)
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    return mesh


def _levels(arm: Twin) -> list[float]:
    """The levels of P(diverge) that the arm's panel reaches."""
    flat = [p for row in arm["probability"] for p in row]
    return [level for level in LEVELS if min(flat) < level < max(flat)]


_CALM = {"marker": "o", "s": 38, "lw": 1.5, "facecolor": "white", "edgecolor": "black", "zorder": 4}
_LOST = {"marker": "x", "s": 48, "lw": 2, "color": BAD, "zorder": 5, "path_effects": HALO}


def _rate(name: str, twin: Twin, words: Words):
    """The arm's own trials: how many diverged, and the rate's interval."""
    arm = twin["arms"][name]
    if not arm["n"]:
        return (Code(name),)
    ends = words.numbers.interval(*map(words.numbers.percent, arm["rate_ci"]))
    return words.say("fig_arm_rate", arm=Code(name), k=arm["diverged"], n=arm["n"], interval=ends)


def _key(part: Twin, words: Words) -> list[Line2D]:
    """What is drawn in some panel."""
    calm = {"marker": "o", "ls": "", "markerfacecolor": "white", "color": "black", "markersize": 7}
    lost = {"marker": "x", "ls": "", "color": BAD, "markersize": 8, "markeredgewidth": 2}
    star = {"marker": "*", "ls": "", "markerfacecolor": "#FFD92F", "color": "black", "markersize": 16}
    reached = {level for arm in part["arms"].values() for level in _levels(arm)}
    lines = {NAMES[level]: {"ls": dash} for level, dash in LEVELS.items() if level in reached}
    outcomes = {trial["diverged"] for trial in part["trials"]}
    styles = {} if False not in outcomes else {"fig_trained": calm}
    styles |= {} if True not in outcomes else {"fig_diverged": lost}
    styles |= {"fig_own": star}
    styles |= {key: {"color": "black", "lw": 1.8, **line} for key, line in lines.items()}
    return [Line2D([], [], label=label(words.say(key), words), **style) for key, style in styles.items()]
