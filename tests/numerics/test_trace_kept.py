"""What a step keeps for the next besides weights: running statistics, codebooks, averages of weights."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from trace_lines import here

from stability.numerics.trace import trace
from stability.records import Phase

X = torch.arange(12.0).reshape(4, 3).sin()


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def trained(model, after=lambda: None):
    """A step of SGD on `model`; `after` runs at its end."""
    optimizer = torch.optim.SGD(model.parameters(), 0.1)

    def step():
        optimizer.zero_grad()
        loss = model(X).square().mean()
        loss.backward()
        optimizer.step()
        after()
        return loss

    return step


def test_running_statistics_that_broke_a_step_earlier():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    model[1].running_var[1] = math.nan
    found = trace(trained(model))
    assert (found.phase, found.source) == (Phase.EXTERNAL, "buffer 1.running_var")
    assert (found.op, found.value) == ("aten.native_batch_norm.default", "nan")


class Codebook(nn.Module):
    """Replaces its input by the nearest of its entries, which follow the mean of what they stand for."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.register_buffer("entries", torch.cat((torch.zeros(1, 3), torch.full((3, 3), 1e3))))

    def forward(self, x):
        h = self.layer(x)
        nearest = torch.cdist(h, self.entries).argmin(1)
        self.update(h.detach(), F.one_hot(nearest, 4).float())
        return h

    def update(self, h, chosen):
        mean = (chosen.T @ h) / chosen.sum(0)[:, None]  # here
        self.entries.copy_(mean)


def test_a_codebook_entry_that_nothing_chose():
    found = trace(trained(Codebook()))
    assert (found.phase, found.op, found.value) == (Phase.FORWARD, "aten.div.Tensor", "nan")
    assert (found.file, found.line) == here(Codebook.update)


def averaged(broken):
    model, average = nn.Linear(3, 3), nn.Linear(3, 3).requires_grad_(False)
    if broken:
        average.weight[0, 0] = math.nan

    @torch.no_grad()
    def follow():
        for mean, weight in zip(average.parameters(), model.parameters(), strict=True):
            mean.mul_(0.9).add_(weight, alpha=0.1)  # here

    return trained(model, follow), follow


def test_an_average_of_the_weights_that_broke_a_step_earlier():
    step, follow = averaged(broken=True)
    found = trace(step)
    assert (found.phase, found.source) == (Phase.EXTERNAL, "tensor average.weight")
    assert (found.op, found.line) == ("aten.mul_.Tensor", here(follow)[1])


def test_an_average_that_is_replaced_at_every_step():
    model = nn.Linear(3, 3)
    shadow = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    decay = math.inf

    @torch.no_grad()
    def follow():
        for name, weight in model.named_parameters():
            shadow[name] = decay * shadow[name] + (1.0 - decay) * weight  # here

    found = trace(trained(model, follow))
    assert (found.phase, found.op, found.line) == (Phase.OPTIMIZER, "aten.add.Tensor", here(follow)[1])
    assert found.setting == "decay = inf"


def test_healthy_averages_are_healthy():
    assert trace(averaged(broken=False)[0]) is None


class Holding(nn.Module):
    """Holds what is not finite on purpose, or was never used."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.register_buffer("mask", torch.full((3, 3), -math.inf).triu(1))
        self.register_buffer("least", torch.full((3,), math.inf))
        self.register_buffer("last_loss", torch.tensor(math.nan))
        self.register_buffer("history", torch.full((5,), math.nan))

    def forward(self, x):
        h = self.layer(x)
        with torch.no_grad():
            self.least[:2] = torch.minimum(self.least[:2], h.amin(0)[:2])
            self.history[1] = h.mean()
        return (h[:3] @ h[:3].T + self.mask).softmax(-1)


def test_buffers_that_hold_infinities_on_purpose():
    assert trace(trained(Holding())) is None


def test_gradients_that_a_guard_dropped_are_not_kept():
    model = nn.Linear(3, 3)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)

    def step():
        (model(X) * 0).square().sum().sqrt().backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if norm.isfinite():
            optimizer.step()
        optimizer.zero_grad()

    assert trace(step) is None
