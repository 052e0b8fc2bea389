"""The search part of the twin: counts, best trial, and where divergence starts."""

from __future__ import annotations

from typing import Any

from stability.evidence.inside import inside
from stability.evidence.searched import plotted_param, search_summary
from stability.evidence.selection import of_stage
from stability.report.inside import inside_part

ADAPTIVE = frozenset({"tpe", "gp"})
"""Samplers that choose a trial by the results of earlier ones."""


def search_part(spec: Any, frames: Any) -> dict[str, Any] | None:
    """The twin's `search`, or None where no search trial is stored."""
    trials = of_stage(frames.trials, "search")
    if trials.empty:
        return None
    param = plotted_param(spec.params)
    found = search_summary(trials, param)
    clear = found.edge and found.edge.clear_up_to
    within = None if clear is None else inside(trials, param, clear, rising=True)
    sampler = _sampler(spec)
    return {
        "n": found.n,
        "diverged": found.diverged,
        "infrastructure_failures": found.infrastructure_failures,
        "undecided": found.undecided,
        "sampler": sampler,
        "adaptive": sampler is None or sampler in ADAPTIVE,
        "best": found.best,
        "param": param,
        "log": bool(param and spec.params[param].log),
        "edge": found.edge,
        **inside_part(within),
    }


def _sampler(spec: Any) -> str | None:
    """The sampler named in the study's plan; None where the plan no longer holds a search."""
    stages = (entry.stage for entry in getattr(spec, "plan", ()) if entry.name == "search")
    return next((stage.sampler for stage in stages), None)
