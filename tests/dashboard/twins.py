"""Parts of twins by hand, and what the dashboard draws of them."""

from __future__ import annotations

import json

from stability.dashboard import plots
from stability.report.words import Words

ODD = "<b>a & b</b>"
"""An arm's name that Plotly would read as mark-up."""


def arm(**changes):
    """What the twin says of an arm."""
    return {"n": 10, "diverged": 0, "rate_ci": [0.0, 0.3], "settings": {"lr": 0.1}} | changes


def fan(**changes):
    """The course of a loss over an arm's trials."""
    return {
        "x": [0, 1, 2],
        "low": [2.0, 1.0, 1.0],
        "median": [2.5, 2.0, 1.5],
        "high": [3.0] * 3,
        "bad": [],
    } | changes


def course(**changes):
    """An arm of the loss fan."""
    survival = {
        "steps": [0, 2, 4],
        "share": [1, 0.5, 0.5],
        "low": [None, 0.2, 0.2],
        "high": [None, 0.8, 0.8],
        "n": 10,
    }
    return {"n": 10, "yardstick": fan(x=[-1, 0, 1]), "total": fan(), "survival": survival} | changes


def curve(*trials, **changes):
    """Trials, as (value, loss, verdict), along a learning rate."""
    told = [dict(zip(("value", "loss", "verdict"), each, strict=True)) for each in trials]
    part = {
        "param": "lr",
        "log": True,
        "low": 1e-3,
        "high": 1.0,
        "at_start": None,
        "trials": told,
        "bins": [],
    }
    return part | {"sensitivity": None, "smallest_diverged": None} | changes


def study(**parts):
    """A twin with nothing but `parts`: its own keys, or those of its plots."""
    shown = dict.fromkeys(("stability_map", "lr_curve", "loss_fan", "failure"))
    twin = dict.fromkeys(("comparison", "comparability", "attribution", "boundary", "boundary_details"))
    twin |= {"arms": {"calm": arm(), ODD: arm()}, "plots": shown}
    for name, part in parts.items():
        (shown if name in shown else twin)[name] = part
    return twin


def drawn(name, twin, stage, lang="en"):
    """The graph's traces and layout, as the browser gets them."""
    told = json.loads(plots.of_stage(stage, twin, Words(lang))[name].to_json())
    return told["data"], told["layout"]


def named(traces, part):
    """The trace whose name in the legend contains `part`."""
    [found] = [trace for trace in traces if part in trace.get("name", "")]
    return found
