"""`stability.describe` says in a line what `watch` or `trace` found."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

import stability
from stability import origins
from stability.records import Event, EventKind


def test_what_a_trace_found():
    layer = nn.Linear(3, 3)
    found = stability.trace(lambda: (layer(torch.ones(2, 3)) * 0).log().sum().backward())
    assert stability.describe(found) == (
        f"forward: aten.log.default gave -inf; its input was 0, at {found.file}:{found.line}"
    )


def test_a_slope_says_what_the_forward_operation_was_given():
    layer, x = nn.Linear(3, 3), torch.ones(4, 3)

    def step():
        energy = layer(x).abs() + 1.0
        gate = torch.tensor([1.0, 1.0, 1.0, 1e-39])[:, None]
        scaled = energy * gate * 0.1
        (torch.log(scaled).sum() * 1.0).backward()

    found = stability.trace(step)
    assert (found.phase, found.backward_of, found.batch_index) == ("backward", "log", 3)
    (given,) = found.inputs
    assert 0.0 < given.smallest <= given.at < 1e-38 < 0.1 < given.largest
    assert stability.describe(found).startswith(
        f"backward of log (line {found.line}): its input was {given.at:.4g} in element 3; aten.div.Tensor gave inf"
    )


def test_what_usually_guards_a_slope():
    weight = torch.zeros(3, requires_grad=True)
    found = stability.trace(lambda: weight.sqrt().sum().backward())
    assert origins.guard(found) == (
        "add a small number under the root, sqrt(x + 1e-8): its slope has no end at 0; a torch.where behind it "
        "guards its value, not its slope"
    )


def test_the_sizes_of_what_was_multiplied():
    layer = nn.Linear(3, 3, bias=False)
    layer.weight.data.fill_(1e30)
    found = stability.trace(lambda: layer(torch.full((2, 3), 1e20)).sum().backward())
    assert found.op == "aten.mm.default"
    assert origins.ranges(found) == "self 1e+20 to 1e+20, mat2 1e+30 to 1e+30"
    assert "sizes of its inputs: self 1e+20 to 1e+20" in stability.describe(found)


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
