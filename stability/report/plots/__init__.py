"""What the report's plots show: frames -> the twin's `plots`, JSON-safe. Draws nothing."""

from __future__ import annotations

from typing import Any

from stability.evidence.boundary import Boundary
from stability.report.plots.failure import anatomy, failure, shown_failure
from stability.report.plots.loss_fan import loss_fan
from stability.report.plots.lr_curve import lr_curve
from stability.report.plots.stability_map import stability_map

__all__ = ["anatomy", "plots_part", "shown_failure"]

Part = dict[str, Any]


def plots_part(spec: Any, frames: Any, found: Boundary | None, arms: list[str]) -> Part:
    """The data of the plots that have data of their own; each is null where its trials were not run.

    The forest plot draws `attribution`, the headroom bars `boundary` and `boundary_details`.
    """
    return {
        "stability_map": stability_map(spec, frames.trials, found),
        "lr_curve": lr_curve(spec, frames.trials),
        "loss_fan": loss_fan(frames, arms),
        "failure": failure(frames),
    }
