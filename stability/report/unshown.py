"""Why a figure, or a panel of one, is not shown: keys of `words`, read from the twin. No drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from stability.evidence.selection import VARYING
from stability.records import VerdictLabel
from stability.report.palette import fits

Twin = dict[str, Any]

NOTHING_RECORDED = {"yardstick": "fig_no_evaluation", "total": "fig_no_total"}


def losses_of(fans: Sequence[Twin | None]) -> list[float]:
    """The finite numbers of fans, which decide their axis."""
    ends = ("low", "median", "high")
    return [value for fan in fans if fan for end in ends for value in fan[end] if value is not None]


def fan_reason(fans: Sequence[Twin | None], kind: str) -> str | None:
    """Why a panel of the loss fan shows no losses; None where it does."""
    if not any(fans):
        return NOTHING_RECORDED[kind]
    return _numbers_reason(losses_of(fans), "fig_no_number")


def survival_reason(curves: Sequence[Twin | None]) -> str | None:
    """Why no survival curve is shown; None where one is."""
    return None if any(curves) else "fig_no_steps"


def without_fan(arms: Twin, kind: str) -> list[str]:
    """The arms that are missing in a panel of the loss fan where others are."""
    missing = [name for name, own in arms.items() if own[kind] is None]
    return missing if len(missing) < len(arms) else []


def curve_reason(part: Twin) -> str | None:
    """Why the curve along a parameter shows no losses; None where it does."""
    return _numbers_reason(curve_values(part), "fig_no_final") if ended(part) else "fig_no_final"


def curve_values(part: Twin) -> list[float]:
    """The numbers that decide the axis of a curve: final losses, and that before training."""
    start = () if part["at_start"] is None else (part["at_start"],)
    return [*(trial["loss"] for trial in ended(part)), *start]


def ended(part: Twin) -> list[Twin]:
    """The trials that a curve places by their loss: that of a diverged one says nothing."""
    lost = (VerdictLabel.DIVERGED, VerdictLabel.INCONCLUSIVE)
    return [each for each in part["trials"] if each["loss"] is not None and each["verdict"] not in lost]


def without_loss(part: Twin) -> list[Twin]:
    """The trials along a parameter that did not diverge and have no finite loss to be placed by."""
    kept = (VerdictLabel.STABLE, VerdictLabel.UNSTABLE, VerdictLabel.STUCK)
    return [each for each in part["trials"] if each["loss"] is None and each["verdict"] in kept]


def course_reason(course: Twin) -> str | None:
    """Why a quantity's course before a failure is not drawn; None where it is, or all are crosses."""
    return None if fits(course_values(course)) else "fig_no_axis"


def course_values(course: Twin) -> list[float]:
    """The finite numbers of a course and its start, which decide its axis."""
    return [value for value in (*course["values"], course.get("start")) if value is not None]


def missing(twin: Twin) -> Iterator[str]:
    """For each figure that is missing although its trials were run, why."""
    plots, ran = twin["plots"], set(twin["limits"]["steps"]) - set(twin["limits"]["not_run"])
    if "compare" in ran and not plots["loss_fan"]:
        yield "unshown_loss_fan"
    if ran & set(VARYING) and not plots["lr_curve"]:
        yield "unshown_lr_curve"
    if twin["boundary_details"] and not plots["stability_map"]:
        yield "unshown_stability_map"
    if twin["first_bad_steps"] and not plots["failure"]:
        yield "unshown_failure"


def _numbers_reason(values: Sequence[float], none: str) -> str | None:
    if not values:
        return none
    return None if fits(values) else "fig_no_axis"
