"""What a knob costs: by how much it moves the boundary; and which knobs part the boundaries of two arms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stability.evidence.attributed import Attribution, Effect, Response
from stability.evidence.attribution import holm
from stability.evidence.boundary.located import Boundary, reference_settings
from stability.evidence.shapley import corners, shares
from stability.params import Param, Scalar

MOST_FACTORS = 12
"""Of more, the 2^k combinations are not worth their time."""


@dataclass(frozen=True, slots=True)
class Price:
    """How much of the bounded parameter's calm range it costs to change a knob from `start` to `end`, 95% CI.

    In decades where the parameter is on a log scale, else in its own units. Below 0 the change gains room.
    """

    name: str
    start: Scalar
    end: Scalar
    cost: float
    ci: tuple[float, float]


def prices(found: Boundary) -> list[Price]:
    """Of every knob, averaged over the others' ranges: from the low to the high end, or between choices.

    Empty where the trials support no statement.
    """
    if not found.speaks:
        return []
    return [_price(found, knob, *ends) for knob in found.space.others for ends in _changes(knob)]


def attribute_boundary(
    found: Boundary, baseline: Mapping[str, Any], treatment: Mapping[str, Any]
) -> Attribution | None:
    """How far the middle of the boundary moves from the settings of one arm to those of another, by knob.

    Every combination of their settings has a place of its own in the model; the parts are Shapley values over
    all of them, so they add up. Above 0 there is more room. None where nothing is known, or nothing differs.
    """
    knobs = [knob.name for knob in found.space.others if baseline[knob.name] != treatment[knob.name]]
    if not found.speaks or not 0 < len(knobs) <= MOST_FACTORS:
        return None
    cells = corners(len(knobs))
    sides = (baseline, treatment)
    settings = [
        {**baseline, **{name: sides[on][name] for name, on in zip(knobs, cell, strict=True)}}
        for cell in cells
    ]
    phi = found.features.expand(found.space.contexts(settings))
    total, low, high, _ = found.spread(phi[-1] - phi[0])
    parts = [found.spread(contrast) for contrast in shares(len(knobs)) @ phi]
    adjusted = holm(np.array([min(1.0, 2 * other_sign) for *_, other_sign in parts]))
    effects = {
        name: Effect(middle, (lower, upper), float(p))
        for name, (middle, lower, upper, _), p in zip(knobs, parts, adjusted, strict=True)
    }
    return Attribution(
        Response.BOUNDARY, total, (low, high), found.n, found.n, len(cells), 0, 0, None, effects, (), ()
    )


def _changes(knob: Param) -> list[tuple[Scalar, Scalar]]:
    """What is priced of a knob: its whole range, or each choice against the first."""
    if knob.choices is None:
        return [(knob.low, knob.high)]
    return [(knob.choices[0], choice) for choice in knob.choices[1:]]


def _price(found: Boundary, knob: Param, start: Scalar, end: Scalar) -> Price:
    cost, low, high, _ = found.spread(_mean(found, knob.name, start) - _mean(found, knob.name, end))
    return Price(knob.name, start, end, cost, (low, high))


def _mean(found: Boundary, name: str, value: Scalar) -> np.ndarray:
    """Features [p] with one knob at `value`, averaged over the others."""
    moved = [{**setting, name: value} for setting in reference_settings(found.space)]
    return found.features.expand(found.space.contexts(moved)).mean(axis=0)
