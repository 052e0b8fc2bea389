"""What a step deals with itself is not blamed: samples, a skipped step; what it does by hand has its phase."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from trace_lines import here

from stability.numerics.trace import trace
from stability.records import Phase

X = torch.arange(12.0).reshape(4, 3).sin()


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return nn.Linear(3, 3)


@torch.no_grad()
def sampled(layer, mask):
    scores = layer(X)
    least = scores.topk(2).values[:, -1:]
    scores = mask(scores, scores < least)
    return scores, torch.multinomial(scores.softmax(-1), 1), scores.log_softmax(-1)


def by_index(scores, low):
    scores[low] = -math.inf
    return scores


@pytest.mark.parametrize("mask", [lambda s, low: s.masked_fill(low, -math.inf), by_index])
@pytest.mark.parametrize("after", [False, True])
def test_samples_that_a_step_returns(layer, mask, after):
    def step():
        before = sampled(layer, mask)
        loss = layer(X).square().mean()
        loss.backward()
        return {"loss": loss, "samples": sampled(layer, mask)[0] if after else before[2]}

    assert trace(step) is None


def scaled(layer, loss, scale):
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)

    def step():
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.float16):
            y = layer(X)
        value = loss(y.float())
        scaler.scale(value).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        return value

    return step


@pytest.mark.parametrize("scale", [2.0**20, 2.0**24, 2.0**30])
def test_a_step_that_a_scaler_skips_to_find_its_scale(layer, scale):
    step = scaled(layer, lambda y: 1e3 * y.square().mean(), scale)
    before = layer.weight.detach().clone()
    assert trace(step) is None
    assert torch.equal(before, layer.weight) and not layer.weight.grad.isfinite().all()


def test_a_loss_that_only_its_scale_makes_infinite(layer):
    assert trace(scaled(layer, lambda y: 1e30 * y.square().mean(), 2.0**30)) is None


def test_a_gradient_that_no_scale_helps_is_found_under_a_scaler(layer):
    found = trace(scaled(layer, lambda y: (y * 0).square().sum().sqrt(), 2.0**16))
    assert (found.phase, found.op) == (Phase.BACKWARD, "aten.div.Tensor")


def test_a_loss_that_breaks_under_a_scaler_is_found(layer):
    found = trace(scaled(layer, lambda y: (y * 0).log().mean(), 2.0**16))
    assert (found.phase, found.op) == (Phase.FORWARD, "aten.log.default")


def test_gradients_normalised_by_hand_belong_to_the_backward_pass(layer):
    def in_place():
        layer.zero_grad()
        (layer(X) * 0).sum().backward()
        for weight in layer.parameters():
            weight.grad.div_(weight.grad.norm())  # here

    def replaced():
        layer.zero_grad()
        (layer(X) * 0).sum().backward()
        for weight in layer.parameters():
            weight.grad = weight.grad / weight.grad.norm()  # here

    for step in (in_place, replaced):
        found = trace(step)
        assert (found.phase, found.line) == (Phase.BACKWARD, here(step)[1])
        assert found.chain[0].phase is Phase.BACKWARD


def test_an_adversarial_input_belongs_to_the_forward_pass(layer):
    def step():
        nudge = torch.zeros_like(X).requires_grad_()
        (slope,) = torch.autograd.grad((layer(X) + 0 * nudge).sum(), nudge)
        direction = slope / slope.norm(dim=1, keepdim=True)  # here
        layer(X + direction).square().mean().backward()

    found = trace(step)
    assert (found.phase, found.op, found.line) == (Phase.FORWARD, "aten.div.Tensor", here(step)[1])


def test_an_adaptive_loss_weight_belongs_to_the_forward_pass(layer):
    def step():
        mel, adversarial = layer(X).square().mean(), (layer(X) * 0).mean()
        slopes = [torch.autograd.grad(each, layer.weight, retain_graph=True)[0] for each in (mel, adversarial)]
        weight = slopes[0].norm() / slopes[1].norm()  # here
        (mel + weight * adversarial).backward()

    found = trace(step)
    assert (found.phase, found.op, found.line) == (Phase.FORWARD, "aten.div.Tensor", here(step)[1])


def test_directions_that_went_into_the_weights_are_the_optimizers(layer):
    def step():
        (layer(X) * 0).sum().backward()
        with torch.no_grad():
            for weight in layer.parameters():
                weight.sub_(weight.grad / weight.grad.norm())  # here

    found = trace(step)
    assert (found.phase, found.line) == (Phase.OPTIMIZER, here(step)[1])
