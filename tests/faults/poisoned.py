"""What arrives broken: data, targets, weights, buffers, optimizer state. The step itself is sound."""

from __future__ import annotations

import numpy as np
import torch
from planted import Fault, Step, Written
from torch import nn

from stability.records import Phase


class Reader(nn.Module):
    """The first layer that reads the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Linear(8, 4)

    def forward(self, x_BTF):
        return self.encode(x_BTF)  # <- fault: nan_in_features, nan_from_numpy, nan_in_weight


def nan_in_features(device):
    """One frame of one utterance's features is NaN."""
    model, x = Reader().to(device), torch.randn(5, 7, 8, device=device)
    x[3, 2, 5] = torch.nan
    return Step(model, lambda: {"mel": model(x).square().mean()})


def nan_from_numpy(device):
    """The batch is read from NumPy within the step, and has a NaN."""
    model, features = Reader().to(device), np.random.default_rng(0).normal(size=(6, 7, 8)).astype(np.float32)
    features[4, 1] = np.nan

    def losses():
        x = torch.from_numpy(features.copy()).to(device)
        return {"mel": model(x).square().mean()}

    return Step(model, losses)


def nan_in_target(device):
    """The target of one item is NaN: the first operation to read it is the difference."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    target = torch.randn(5, 8, device=device)
    target[2] = torch.nan

    def losses():
        y = model(x)
        error = y - target  # <- fault: nan_in_target
        return {"size": y.square().mean(), "mel": error.abs().mean()}

    return Step(model, losses)


class Filter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 3, 5)

    def forward(self, wave_BCN):
        return self.conv(wave_BCN)  # <- fault: infinite_sample


def infinite_sample(device):
    """A waveform with an infinite sample meets a convolution."""
    model, wave = Filter().to(device), torch.randn(4, 1, 20, device=device)
    wave[1, 0, 7] = torch.inf

    def losses():
        y = model(wave)
        return {"wave": torch.tanh(y).mean(), "size": y.square().mean()}

    return Step(model, losses)


def nan_in_weight(device):
    """A weight loaded from a broken checkpoint."""
    model, x = Reader().to(device), torch.randn(5, 7, 8, device=device)
    with torch.no_grad():
        model.encode.weight[1, 2] = torch.nan
    return Step(model, lambda: {"mel": model(x).square().mean()})


class Scaled(nn.Module):
    """Features are scaled with statistics from a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Linear(8, 4)
        self.register_buffer("deviation", torch.ones(8))

    def forward(self, x_BTF):
        scaled = x_BTF * self.deviation  # <- fault: nan_in_buffer
        return self.encode(scaled)


def nan_in_buffer(device):
    """The buffer of feature statistics is NaN in one feature."""
    model, x = Scaled().to(device), torch.randn(5, 7, 8, device=device)
    model.deviation[3] = torch.nan
    return Step(model, lambda: {"mel": model(x).square().mean()})


def _poisoned(device: str, make) -> tuple[nn.Module, torch.optim.Optimizer, dict]:
    """A model with an optimizer that made one step and then lost a number of its state."""
    model, x = nn.Linear(8, 4, device=device), torch.randn(5, 8, device=device)
    optimizer = make(model.parameters())
    losses = {"losses": lambda: {"mel": model(x).square().mean()}}
    Step(model, losses["losses"], optimizer)()
    state = optimizer.state[model.weight]
    state["momentum_buffer" if "momentum_buffer" in state else "exp_avg"][1, 2] = torch.nan
    return model, optimizer, losses


def nan_in_momentum(device):
    """SGD's momentum, one parameter at a time."""
    model, optimizer, losses = _poisoned(
        device, lambda weights: torch.optim.SGD(weights, lr=1e-3, momentum=0.9, foreach=False)
    )
    return Step(
        model,
        **losses,
        optimizer=optimizer,
        update=lambda: optimizer.step(),  # <- fault: nan_in_momentum
    )


def nan_in_adamw_state_foreach(device):
    """AdamW's first moment, over lists of parameters."""
    model, optimizer, losses = _poisoned(
        device, lambda weights: torch.optim.AdamW(weights, lr=1e-3, foreach=True)
    )
    return Step(
        model,
        **losses,
        optimizer=optimizer,
        update=lambda: optimizer.step(),  # <- fault: nan_in_adamw_state_foreach
    )


def nan_in_adam_state_fused(device):
    """Adam's first moment, in one fused operation."""
    model, optimizer, losses = _poisoned(
        device, lambda weights: torch.optim.Adam(weights, lr=1e-3, fused=True)
    )
    return Step(
        model,
        **losses,
        optimizer=optimizer,
        update=lambda: optimizer.step(),  # <- fault: nan_in_adam_state_fused
    )


def stale_gradient(device):
    """A step that was skipped left a NaN gradient behind, and this one accumulates onto it.

    Both lines are right: the call of `backward`, which adds the gradients up, and the forward line that used
    the weight.
    """
    model, x = nn.Linear(8, 4, device=device), torch.randn(5, 8, device=device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    model.weight.grad = torch.full_like(model.weight, torch.nan)

    def step():
        mel = model(x).square().mean()  # <- fault: stale_gradient
        mel.backward()  # <- fault: stale_gradient
        optimizer.step()
        return {"mel": mel}

    return Written(step, model, optimizer)


FAULTS = (
    Fault(
        build=nan_in_features,
        phase=Phase.EXTERNAL,
        op="aten.addmm.default",
        component="mel",
        batch_index=3,
        module="encode",
        alone=True,
        source="data",
    ),
    Fault(
        build=nan_from_numpy,
        phase=Phase.EXTERNAL,
        op="aten.addmm.default",
        component="mel",
        batch_index=4,
        module="encode",
        alone=True,
        source="data",
        on_cuda=False,
    ),
    Fault(
        build=nan_in_target,
        phase=Phase.EXTERNAL,
        op="aten.sub.Tensor",
        component="mel",
        batch_index=2,
        source="data",
    ),
    Fault(
        build=infinite_sample,
        phase=Phase.EXTERNAL,
        op="aten.convolution.default",
        batch_index=1,
        module="conv",
        alone=True,
        source="data",
    ),
    Fault(
        build=nan_in_weight,
        phase=Phase.EXTERNAL,
        op="aten.addmm.default",
        component="mel",
        module="encode",
        alone=True,
        source="weight",
    ),
    Fault(
        build=nan_in_buffer,
        phase=Phase.EXTERNAL,
        op="aten.mul.Tensor",
        component="mel",
        module="",
        source="buffer",
    ),
    Fault(build=nan_in_momentum, phase=Phase.EXTERNAL, op="aten.mul_.Tensor", source="state"),
    Fault(
        build=nan_in_adamw_state_foreach,
        phase=Phase.EXTERNAL,
        op="aten._foreach_lerp_.Scalar",
        source="state",
    ),
    Fault(
        build=nan_in_adam_state_fused, phase=Phase.EXTERNAL, op="aten._fused_adam_.default", source="state"
    ),
    Fault(build=stale_gradient, phase=Phase.EXTERNAL, op="aten.add_.Tensor", source="grad"),
)
