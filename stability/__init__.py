"""Finds out which hyperparameters make a training run diverge, why, and how far a recipe is from the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stability.judging.verdict import describe as describe_event
from stability.origins import sentence
from stability.records import BEFORE_TRAINING, Event, Provenance, Recorder, StopTrial, TrialSpec, UserError

if TYPE_CHECKING:
    from stability.numerics.trace import trace
    from stability.numerics.watch import watch

__all__ = [
    "BEFORE_TRAINING",
    "Recorder",
    "StopTrial",
    "TrialSpec",
    "UserError",
    "describe",
    "trace",
    "watch",
]
__version__ = "0.1.0"


def describe(found: Event | Provenance | None) -> str:
    """One line on an event of `watch` or on what `trace` found; raises `UserError` for anything else."""
    if found is None or isinstance(found, Provenance):
        return sentence(found)
    if isinstance(found, Event):
        return describe_event(found)
    raise UserError(
        f"stability.describe was given an object of type {type(found).__name__}; it takes an event of "
        "stability.watch, or what stability.trace returns"
    )


def __getattr__(name: str) -> Any:
    """`watch` and `trace` need torch, which the command line can do without."""
    if name == "watch":
        from stability.numerics.watch import watch

        return watch
    if name == "trace":
        from stability.numerics.trace import trace

        return trace
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
