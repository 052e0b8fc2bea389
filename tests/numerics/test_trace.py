"""`trace` names phase, operation, line, module, component and cause of the first non-finite value."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from trace_lines import here

from stability.numerics.trace import trace
from stability.records import Phase, UserError


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def place(found):
    return found.file, found.line


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return torch.log(x * 0)  # here


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.head = Encoder(), nn.Linear(4, 1)

    def forward(self, x):
        return self.head(self.encoder(x))


def test_forward_origin_has_op_line_module_component_and_chain():
    model, x = Model(), torch.randn(3, 4)

    def step():
        mel = model(x).mean()
        (mel + 1).backward()
        return {"kl": x.mean(), "mel": mel}

    found = trace(step)
    assert (found.phase, found.op, found.module) == (Phase.FORWARD, "aten.log.default", "encoder")
    assert place(found) == here(Encoder.forward)
    assert (found.component, found.value, found.max_abs_input, found.source) == ("mel", "-inf", 0.0, None)
    assert [link.op for link in found.chain] == [
        "aten.log.default",
        "aten.addmm.default",
        "aten.mean.default",
    ]
    assert [link.module for link in found.chain] == ["encoder", "head", None]
    assert found.chain[-1].value in ("nan", "inf", "-inf")


def test_healthy_step_gives_none():
    model, x = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 1)), torch.randn(3, 4)
    optimizer = torch.optim.AdamW(model.parameters())

    def step():
        optimizer.zero_grad()
        model(x).square().mean().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    assert trace(step) is None


def test_backward_origin_has_the_forward_line():
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)

    def step():
        energy = (layer(x) * 0).square().sum(-1)
        root = torch.sqrt(energy)  # here
        loss = torch.where(energy > 0, root, 0.0).mean()
        loss.backward()
        return {"size": layer.weight.abs().mean(), "energy": loss}

    found = trace(step)
    assert (found.phase, found.op, found.component) == (Phase.BACKWARD, "aten.div.Tensor", "energy")
    assert place(found) == here(step)


def test_backward_origin_has_the_module_of_the_forward():
    class Root(nn.Module):
        def forward(self, x):
            return torch.sqrt(x)  # here

    model, x = nn.Sequential(nn.Linear(4, 4), Root()), torch.zeros(3, 4)
    nn.init.zeros_(model[0].bias)
    found = trace(lambda: model(x).sum().backward())
    assert (found.phase, found.module) == (Phase.BACKWARD, "1")
    assert place(found) == here(Root.forward)


def test_line_inside_a_custom_backward():
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient / 0  # here

    layer, x = nn.Linear(4, 4), torch.randn(3, 4)
    found = trace(lambda: Broken.apply(layer(x)).sum().backward())
    assert (found.phase, found.op, found.value) == (Phase.BACKWARD, "aten.div.Tensor", "inf")
    assert place(found) == here(Broken.backward)


def test_line_inside_a_gradient_hook():
    def broken(gradient):
        return gradient.log()  # here

    layer, x = nn.Linear(4, 4), torch.randn(3, 4)
    layer.bias.register_hook(broken)
    found = trace(lambda: (layer(x) * 0).sum().backward())
    assert (found.phase, found.op, place(found)) == (Phase.BACKWARD, "aten.log.default", here(broken))


@pytest.mark.parametrize("options", [{"foreach": True}, {"foreach": False}, {"fused": True}])
def test_optimizer_of_torch_has_the_line_that_called_step(options):
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)
    optimizer = torch.optim.Adam(layer.parameters(), lr=1e-3, eps=0.0, **options)

    def step():
        optimizer.zero_grad()
        (layer(x) * 0).sum().backward()
        optimizer.step()  # here

    found = trace(step)
    assert (found.phase, found.value, found.component) == (Phase.OPTIMIZER, "nan", None)
    assert place(found) == here(step)


def test_optimizer_of_the_user_has_the_line_inside_it():
    class Sgd(torch.optim.Optimizer):
        def step(self):
            for group in self.param_groups:
                for weight in group["params"]:
                    self.update(weight)

        def update(self, weight):
            with torch.no_grad():
                weight -= weight.grad / (0 * weight.grad)  # here

    layer, x = nn.Linear(4, 4), torch.randn(3, 4)
    optimizer = Sgd(layer.parameters(), {})

    def step():
        layer(x).sum().backward()
        optimizer.step()

    found = trace(step)
    assert (found.phase, found.op, place(found)) == (Phase.OPTIMIZER, "aten.div.Tensor", here(Sgd.update))


def test_update_by_hand_is_the_optimizer():
    weight, x = torch.randn(4, requires_grad=True), torch.randn(3, 4)

    def step():
        (x @ weight).sum().backward()
        with torch.no_grad():
            weight.sub_(weight.grad / (0 * weight.grad))  # here

    found = trace(step)
    assert (found.phase, place(found)) == (Phase.OPTIMIZER, here(step))


@pytest.mark.parametrize(("name", "source"), [("weight", "weight 0.weight"), ("bias", "weight 0.bias")])
def test_nonfinite_weight_is_external(name, source):
    model, x = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1)), torch.randn(3, 4)
    getattr(model[0], name).data[2] = math.inf

    def step():
        model(x).sum().backward()  # here

    found = trace(step)
    assert (found.phase, found.source, found.op) == (Phase.EXTERNAL, source, "aten.addmm.default")
    assert (*place(found), found.module) == (*here(step), "0")


def test_nonfinite_optimizer_state_is_external():
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)
    optimizer = torch.optim.Adam(layer.parameters())
    optimizer.zero_grad()
    layer(x).sum().backward()
    optimizer.step()
    optimizer.state[layer.bias]["exp_avg_sq"][1] = math.nan

    def step():
        layer(x).sum().backward()
        optimizer.step()  # here

    found = trace(step)
    assert (found.phase, found.source) == (Phase.EXTERNAL, "optimizer state exp_avg_sq of bias")
    assert place(found) == here(step)


def test_stale_gradient_is_external_at_the_backward_call():
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)
    layer.weight.grad = torch.full_like(layer.weight, math.nan)

    def step():
        loss = layer(x).sum()
        loss.backward()  # here

    found = trace(step)
    assert (found.phase, found.source, place(found)) == (Phase.EXTERNAL, "gradient of weight", here(step))


def test_chain_is_bounded_and_keeps_the_birth_of_nan():
    x = torch.full((3,), 1e30, requires_grad=True)

    def step():
        y = x * 1e30
        for _ in range(30):
            y = y.abs()
            y = y.neg()
        y = y - y
        for _ in range(30):
            y = y.abs()
            y = y.neg()
        y.sum().backward()

    found = trace(step)
    values = [link.value for link in found.chain]
    assert len(found.chain) == 12
    assert (found.chain[0].op, values[0]) == ("aten.mul.Tensor", "inf")
    assert found.chain[values.index("nan")].op == "aten.sub.Tensor"


def test_first_component_reached_counts():
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)

    def step():
        y = layer(x).log()
        kl, mel = (y * 2).mean(), y.mean()
        (kl + mel).backward()
        return {"mel": mel, "kl": kl}

    found = trace(step)
    assert (found.op, found.component) == ("aten.log.default", "kl")


def test_loss_returned_as_a_number():
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)

    def step():
        return (layer(x) * 0).log().sum().item()  # here

    found = trace(step)
    assert (found.op, place(found)) == ("aten.log.default", here(step))
    assert found.chain[-1].op == "aten.sum.default"


def test_second_order_gradient_has_the_forward_line():
    layer, x = nn.Linear(4, 4, bias=False), torch.randn(3, 4, requires_grad=True)

    def step():
        energy = (layer(x) * 0).abs().sum(1)
        power = (energy**1.5).sum()  # here
        (slope,) = torch.autograd.grad(power, x, create_graph=True)
        slope.sum().backward()

    found = trace(step)
    assert (found.phase, place(found)) == (Phase.BACKWARD, here(step))


def test_a_nan_written_down_is_born_where_it_is_used():
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)

    def step():
        y = layer(x).clone()
        y[1] = math.nan  # here
        y.sum().backward()

    found = trace(step)
    assert (found.phase, place(found), found.batch_index) == (Phase.FORWARD, here(step), 1)


def test_memory_that_was_never_written():
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)

    def step():
        blank = torch.empty(4)  # here
        blank.untyped_storage().copy_(torch.full((4,), math.nan).untyped_storage())
        (layer(x) + blank).sum().backward()

    found = trace(step)
    assert (found.op, place(found)) == ("aten.empty.memory_format", here(step))
    assert found.source == "memory that was never written"


@pytest.mark.parametrize(("given", "named"), [(None, "None"), (3, "an object of type int")])
def test_what_cannot_be_called_is_refused(given, named):
    with pytest.raises(UserError) as refused:
        trace(given)
    assert str(refused.value) == (
        f"stability.trace was given {named}; it takes a function without arguments that runs one training "
        "step: stability.trace(lambda: training_step(batch))"
    )


def test_a_step_that_needs_arguments():
    with pytest.raises(
        UserError, match=r"^stability\.trace was given a function that needs arguments; it takes"
    ):
        trace(lambda x: x)


def test_a_loss_that_does_not_require_grad_is_explained():
    layer = nn.Linear(2, 2)
    with pytest.raises(RuntimeError) as raised:
        trace(lambda: layer(torch.ones(1, 2)).detach().sum().backward())
    assert raised.value.__notes__[-1].startswith(
        "stability.trace: backward() was called on a loss that no trained weight took part in; look for .detach()"
    )


def test_a_chain_goes_on_through_an_output_that_shares_the_storage_of_an_input():
    x = torch.zeros(2, 3, requires_grad=True)

    def step():
        logs = torch.stack([row.log() for row in x])
        shared = torch.ops.aten._unsafe_view(logs, [3, 2])
        (shared * 2).sum().backward()

    ops = [link.op for link in trace(step).chain]
    assert ops[0] == "aten.log.default" and ops[-2:] == ["aten.mul.Tensor", "aten.sum.default"]
    assert "aten._unsafe_view.default" in ops
