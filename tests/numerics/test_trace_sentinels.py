"""Infinities that someone put there on purpose are no origins; what they break is."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from trace_lines import here

from stability.numerics.trace import trace
from stability.records import Phase

MASK = torch.tensor([[False, False, True], [True, True, True]])


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def additive(mask):
    return torch.zeros(mask.shape).masked_fill(mask, -math.inf)


MASKED = {
    "masked_fill": lambda scores, mask: scores.masked_fill(mask, -math.inf),
    "masked_fill_in_place": lambda scores, mask: scores.clone().masked_fill_(mask, -math.inf),
    "where": lambda scores, mask: torch.where(mask, -math.inf, scores),
    "where_of_a_tensor": lambda scores, mask: torch.where(mask, torch.tensor(-math.inf), scores),
    "added": lambda scores, mask: scores + additive(mask),
}


@pytest.mark.parametrize("masked", MASKED.values(), ids=MASKED)
def test_a_partly_masked_softmax_is_healthy(masked):
    scores, mask = torch.randn(2, 3, requires_grad=True), MASK[:1].expand(2, 3)
    assert trace(lambda: masked(scores, mask).softmax(-1).square().sum().backward()) is None


@pytest.mark.parametrize("masked", MASKED.values(), ids=MASKED)
def test_a_row_of_nothing_but_sentinels_breaks_in_the_softmax(masked):
    layer, x = nn.Linear(3, 3), torch.randn(2, 3)

    def step():
        scores = masked(layer(x), MASK)
        scores.softmax(-1).square().sum().backward()  # here

    found = trace(step)
    assert (found.phase, found.op) == (Phase.FORWARD, "aten._softmax.default")
    assert (found.file, found.line) == here(step)
    assert (found.value, found.batch_index) == ("nan", 1)


def test_a_mask_that_came_in():
    layer, x, mask = nn.Linear(3, 3), torch.randn(2, 3), additive(MASK)
    found = trace(lambda: (layer(x) + mask).softmax(-1).sum().backward())
    assert (found.op, found.batch_index) == ("aten._softmax.default", 1)


def test_a_mask_in_a_buffer():
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)
            slope = torch.tensor([[0.0, -1.0, -math.inf], [-math.inf, -math.inf, -math.inf]])
            self.register_buffer("slope", slope)

        def forward(self, x):
            return (self.layer(x) + self.slope).softmax(-1)

    model, x = Masked(), torch.randn(2, 3)
    found = trace(lambda: model(x).sum().backward())
    assert (found.phase, found.op) == (Phase.FORWARD, "aten._softmax.default")


def test_log_of_silence_in_the_data_is_no_mask():
    layer, x = nn.Linear(3, 3), torch.randn(2, 3)
    x[1, 2] = -math.inf
    found = trace(lambda: layer(x).sum().backward())
    assert (found.phase, found.source, found.batch_index) == (Phase.EXTERNAL, "data", 1)
    assert (found.op, found.value) == ("aten.addmm.default", "-inf")


def test_masked_maximum_and_topk_are_healthy():
    layer, x = nn.Linear(3, 3), torch.randn(2, 3)

    def step():
        scores = layer(x).masked_fill(MASK[:1], -math.inf)
        best = torch.full((2,), -math.inf).maximum(scores.amax(-1))
        (best + scores.topk(2).values.sum(-1)).sum().backward()

    assert trace(step) is None


def test_a_guarded_logarithm_is_healthy_if_its_gradient_is():
    layer, x = nn.Linear(3, 3), torch.randn(2, 3)

    def step():
        y = layer(x).detach() * torch.tensor([1.0, 0.0, 1.0])
        loss = torch.where(y > 0, y.log(), 0.0).sum() + layer(x).sum()
        loss.backward()

    assert trace(step) is None


def test_masked_log_probabilities_that_reach_no_loss_are_healthy():
    layer, x = nn.Linear(3, 3), torch.randn(2, 3)

    def step():
        log_probs = layer(x).masked_fill(MASK[:1], -math.inf).log_softmax(-1)
        F.nll_loss(log_probs, torch.tensor([0, 1])).backward()

    assert trace(step) is None


def test_a_target_that_was_masked_breaks_where_it_is_picked():
    layer, x = nn.Linear(3, 3), torch.randn(2, 3)

    def step():
        log_probs = layer(x).masked_fill(MASK[:1], -math.inf).log_softmax(-1)
        F.nll_loss(log_probs, torch.tensor([0, 2]), reduction="none").mean().backward()  # here

    found = trace(step)
    assert (found.op, found.batch_index) == ("aten.nll_loss_forward.default", 1)
    assert (found.file, found.line) == here(step)


def test_logsumexp_of_nothing():
    layer, x = nn.Linear(3, 3), torch.randn(2, 3)
    found = trace(lambda: layer(x).masked_fill(MASK, -math.inf).logsumexp(-1).sum().backward())
    assert (found.op, found.batch_index, found.value) == ("aten.logsumexp.default", 1, "-inf")


def test_zero_times_a_sentinel():
    layer, x, weights = nn.Linear(3, 3), torch.randn(2, 3), torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
    mask = torch.tensor([[False, False, False], [False, False, True]])
    found = trace(lambda: (layer(x).masked_fill(mask, -math.inf) * weights).sum().backward())
    assert (found.op, found.value, found.batch_index) == ("aten.mul.Tensor", "nan", 1)


def test_overflow_beside_a_mask_is_the_products_own():
    layer, x = nn.Linear(4, 4, bias=False), torch.full((2, 4), 1e30)
    nn.init.constant_(layer.weight, 1e30)
    mask = additive(torch.tensor([[False, False, False, True]] * 2))

    def step():
        torch.addmm(mask, x, layer.weight).softmax(-1).sum().backward()  # here

    found = trace(step)
    assert (found.op, found.value, found.line) == ("aten.addmm.default", "inf", here(step)[1])


def test_only_what_reached_the_end_counts():
    """Element 0 breaks behind a guard; element 1 breaks for good."""
    layer, x = nn.Linear(3, 3), torch.randn(2, 3)

    def step():
        y = layer(x).detach() * torch.zeros(2, 1)
        logs = y.log()
        kept = torch.where(torch.tensor([[False], [True]]), logs, 0.0)
        (layer(x).sum() + kept.sum()).backward()

    found = trace(step)
    assert (found.op, found.batch_index) == ("aten.log.default", 1)


def test_a_loss_times_an_infinite_number_breaks_in_the_product():
    layer, x = nn.Linear(3, 3), torch.randn(2, 3)

    def step():
        loss = layer(x).square().mean()
        total = loss * math.inf  # here
        total.backward()
        return {"loss": loss, "total": total}

    found = trace(step)
    assert (found.phase, found.op, found.component) == (Phase.FORWARD, "aten.mul.Tensor", "total")
    assert ((found.file, found.line), found.value) == (here(step), "inf")


def test_an_infinite_number_that_came_in_as_the_weight_of_a_loss():
    layer, x, weight = nn.Linear(3, 3), torch.randn(2, 3), torch.tensor(math.inf)

    def step():
        total = layer(x).square().mean() * weight  # here
        total.backward()

    found = trace(step)
    assert (found.phase, found.source) == (Phase.EXTERNAL, "an infinite number")
    assert (found.file, found.line) == here(step)
