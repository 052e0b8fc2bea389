"""`stability.describe` says in a line what `watch` or `trace` found."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

import stability
from stability.records import Event, EventKind


def test_what_a_trace_found():
    layer = nn.Linear(3, 3)
    found = stability.trace(lambda: (layer(torch.ones(2, 3)) * 0).log().sum().backward())
    assert stability.describe(found) == (
        f"forward: aten.log.default gave -inf of inputs up to 0, at {found.file}:{found.line}"
    )


def test_a_setting():
    layer, weight = nn.Linear(3, 3), math.nan
    found = stability.trace(lambda: (layer(torch.ones(2, 3)).sum() * weight).backward())
    assert stability.describe(found).startswith("forward: weight = nan, from which aten.mul.Tensor made nan, at ")


def test_what_came_from_outside():
    layer = nn.Linear(3, 3)
    layer.weight.data[0] = math.nan
    found = stability.trace(lambda: layer(torch.ones(2, 3)).sum().backward())
    assert stability.describe(found).startswith(
        "external: nan arrived in weight weight, first read by aten.addmm.default, at "
    )


def test_nothing_found():
    layer = nn.Linear(3, 3)
    found = stability.trace(lambda: layer(torch.ones(2, 3)).sum().backward())
    assert stability.describe(found) == (
        "every loss, gradient, weight and number of the optimizer's state ended finite"
    )


def test_an_event():
    event = Event(3, EventKind.NAN_GRAD, "grad_norm", math.nan)
    assert stability.describe(event) == "gradient norm nan at step 3"


def test_anything_else_is_refused():
    with pytest.raises(stability.UserError) as refused:
        stability.describe("nan")
    assert str(refused.value) == (
        "stability.describe was given an object of type str; it takes an event of stability.watch, or what "
        "stability.trace returns"
    )
