"""A learning rate, a loss weight or a clip value that is not finite is named as such."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from stability.numerics.trace import trace
from stability.records import Phase

X = torch.arange(12.0).reshape(4, 3).sin()


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return nn.Linear(3, 3)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(
    ("optimizer_class", "options"),
    [
        (torch.optim.SGD, {"momentum": 0.9}),
        (torch.optim.Adam, {"foreach": False}),
        (torch.optim.AdamW, {"foreach": True}),
        (torch.optim.AdamW, {"fused": True}),
        (torch.optim.RMSprop, {}),
    ],
)
def test_learning_rate(layer, optimizer_class, options, value):
    optimizer = optimizer_class(layer.parameters(), lr=0.1, **options)

    def step():
        layer(X).square().sum().backward()
        optimizer.param_groups[0]["lr"] = value
        optimizer.step()

    found = trace(step)
    assert (found.phase, found.setting) == (
        Phase.OPTIMIZER,
        f"learning rate of {optimizer_class.__name__} = {value}",
    )


def test_learning_rate_of_a_scheduler_that_divides_by_zero(layer):
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    warmup_steps = np.float64(0.0)
    with np.errstate(all="ignore"):
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: step / warmup_steps)

    def step():
        layer(X).square().sum().backward()
        optimizer.step()
        with np.errstate(all="ignore"):
            schedule.step()

    found = trace(step)
    assert found.setting == "learning rate of SGD = nan"


def test_learning_rate_that_is_a_tensor(layer):
    optimizer = torch.optim.SGD(layer.parameters(), lr=torch.tensor(math.nan), foreach=False)

    def step():
        layer(X).square().sum().backward()
        optimizer.step()

    assert trace(step).setting == "learning rate of SGD = nan"


def test_weight_decay(layer):
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, weight_decay=0.1)

    def step():
        layer(X).square().sum().backward()
        optimizer.param_groups[0]["weight_decay"] = math.inf
        optimizer.step()

    assert trace(step).setting == "weight_decay of SGD = inf"


kl_weight = math.nan
config = {"weights": {"kl": math.inf}}


def test_loss_weight_by_its_name_wherever_it_is_held(layer):
    options = SimpleNamespace(weight=math.nan)
    totals = {
        "kl_weight = nan": lambda mel, kl: mel + kl_weight * kl,
        "config['weights']['kl'] = inf": lambda mel, kl: mel + config["weights"]["kl"] * kl,
        "options.weight = nan": lambda mel, kl: mel + options.weight * kl,
    }
    for name, total in totals.items():
        layer.zero_grad()

        def step(total=total):
            mel, kl = layer(X).square().mean(), layer(X).abs().mean()
            total(mel, kl).backward()

        found = trace(step)
        assert (found.phase, found.op, found.setting) == (Phase.FORWARD, "aten.mul.Tensor", name)


def test_loss_weight_that_is_a_tensor(layer):
    weight = torch.tensor(math.nan)
    found = trace(lambda: (layer(X).square().mean() * weight).backward())
    assert (found.phase, found.setting) == (Phase.EXTERNAL, "weight = nan")


def test_clip_value(layer):
    clips = {
        "max_norm": lambda: nn.utils.clip_grad_norm_(layer.parameters(), math.nan),
        "clip_value": lambda: nn.utils.clip_grad_value_(layer.parameters(), math.nan),
    }
    for name, clip in clips.items():
        layer.zero_grad()

        def step(clip=clip):
            layer(X).square().mean().backward()
            clip()

        found = trace(step)
        assert (found.phase, found.setting) == (Phase.OPTIMIZER, f"clip value {name} = nan")


def test_an_infinite_clip_value_only_measures(layer):
    def step():
        layer(X).square().mean().backward()
        nn.utils.clip_grad_norm_(layer.parameters(), math.inf)

    assert trace(step) is None


def test_finite_settings_have_no_name(layer):
    assert trace(lambda: (layer(X) * 0).log().mean().backward()).setting is None


def test_a_loss_weight_read_from_a_loss_that_broke_is_not_a_setting(layer):
    def step():
        balance = (layer(X) * 0).log().mean().item()
        (layer(X).square().mean() * balance).backward()

    found = trace(step)
    assert (found.phase, found.op) == (Phase.FORWARD, "aten.log.default")
