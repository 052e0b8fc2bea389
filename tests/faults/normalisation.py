"""Faults in normalisation: constant rows, dead channels, missing eps, lengths of zero."""

from __future__ import annotations

import torch
from planted import Fault, Step
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from stability.records import Phase


class Normalised(nn.Module):
    """A projection, a gate, the normalisation under test."""

    def __init__(self, norm: nn.Module, channels_first: bool = False) -> None:
        super().__init__()
        self.project, self.norm = nn.Linear(8, 8), norm
        self.channels_first = channels_first

    def forward(self, x_BTF, gate):
        y = self.project(x_BTF) * gate
        if self.channels_first:
            y = y.transpose(1, 2)
        return self.norm(y)  # <- fault: layer_norm_without_eps, group_norm_without_eps


def _gate(device: str, silent: int) -> torch.Tensor:
    gate = torch.ones(5, 7, 1, device=device)
    gate[silent] = 0.0
    return gate


def layer_norm_without_eps(device):
    """LayerNorm with eps=0 meets a constant row."""
    model, x = Normalised(nn.LayerNorm(8, eps=0.0)).to(device), torch.randn(5, 7, 8, device=device)
    gate = _gate(device, silent=3)

    def losses():
        return {"mel": model(x, gate).abs().mean()}

    return Step(model, losses)


def group_norm_without_eps(device):
    """GroupNorm with eps=0 over (batch, channels, frames) meets an item of zeros."""
    model = Normalised(nn.GroupNorm(2, 8, eps=0.0), channels_first=True).to(device)
    x, gate = torch.randn(5, 7, 8, device=device), _gate(device, silent=2)

    def losses():
        return {"mel": model(x, gate).abs().mean()}

    return Step(model, losses)


def batch_norm_of_dead_channel(device):
    """Batch normalisation by hand: one feature is 0 in every item, so that no item is to blame."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    alive = torch.ones(8, device=device)
    alive[4] = 0.0

    def losses():
        y = model(x) * alive
        normal = (y - y.mean(0)) / y.std(dim=0)  # <- fault: batch_norm_of_dead_channel
        return {"size": y.abs().mean(), "mel": normal.square().mean()}

    return Step(model, losses)


def instance_norm_of_silent_item(device):
    """Instance normalisation by hand over (batch, channels, frames): silence has no deviation."""
    model, x = nn.Conv1d(4, 6, 1, bias=False, device=device), torch.randn(5, 4, 9, device=device)
    x[1] = 0.0

    def losses():
        y = model(x)
        deviation = y.std(dim=-1, keepdim=True, unbiased=False)
        normal = (y - y.mean(-1, keepdim=True)) / deviation  # <- fault: instance_norm_of_silent_item
        return {"size": y.abs().mean(), "mel": normal.square().mean()}

    return Step(model, losses)


def instance_norm_of_one_frame(device):
    """The unbiased deviation of clips that are a single frame long: 0 / 0 in every item."""
    model, x = nn.Conv1d(4, 6, 1, device=device), torch.randn(5, 4, 1, device=device)

    def losses():
        y = model(x)
        deviation = y.std(dim=-1, keepdim=True)  # <- fault: instance_norm_of_one_frame
        return {"size": y.abs().mean(), "mel": ((y - y.mean(-1, keepdim=True)) / deviation).mean()}

    return Step(model, losses)


class RootMeanSquare(nn.Module):
    """RMSNorm without eps."""

    def forward(self, x):
        scale = torch.rsqrt(x.square().mean(-1, keepdim=True))  # <- fault: rms_norm_without_eps
        return x * scale


def rms_norm_without_eps(device):
    """The reciprocal root of a mean square of 0."""
    model = nn.Sequential(nn.Linear(8, 8, bias=False), RootMeanSquare()).to(device)
    x = torch.randn(4, 7, 8, device=device)
    x[2, 5] = 0.0
    return Step(model, lambda: {"mel": model(x).abs().mean()})


def guarded_rms_norm(device):
    """RMSNorm that replaces rows of zeros by `where`; the root's slope is infinite all the same."""
    model, x = nn.Linear(8, 8, bias=False, device=device), torch.randn(4, 7, 8, device=device)
    x[1, 5] = 0.0

    def losses():
        y = model(x)
        power = y.square().mean(-1, keepdim=True)
        rms = torch.sqrt(power)  # <- fault: guarded_rms_norm
        normal = torch.where(rms > 0, y / torch.where(rms > 0, rms, 1.0), y)
        return {"mel": normal.abs().mean()}

    return Step(model, losses)


class WeightNormed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = weight_norm(nn.Conv1d(4, 6, 3, padding=1))

    def forward(self, x_BCT):
        return self.conv(x_BCT)  # <- fault: weight_norm_of_zero_vector


def weight_norm_of_zero_vector(device):
    """Weight normalisation g v / |v| of a filter whose direction v is 0: every item is hit."""
    model, x = WeightNormed().to(device), torch.randn(5, 4, 9, device=device)
    with torch.no_grad():
        model.conv.parametrizations.weight.original1[2] = 0.0

    def losses():
        return {"mel": model(x).abs().mean()}

    return Step(model, losses)


def range_of_constant_item(device):
    """Scaling features to the range 0 to 1: (x - min) / (max - min) of a constant item."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    x[3] = 0.25

    def losses():
        low, high = x.amin(-1, keepdim=True), x.amax(-1, keepdim=True)
        scaled = (x - low) / (high - low)  # <- fault: range_of_constant_item
        return {"mel": model(scaled).abs().mean()}

    return Step(model, losses)


def normalised_in_place(device):
    """An in-place division by the norm of an item that is 0."""
    model, x = nn.Linear(8, 8, bias=False, device=device), torch.randn(5, 8, device=device)
    x[2] = 0.0

    def losses():
        y = model(x)
        norm = y.detach().norm(dim=-1, keepdim=True)
        y.div_(norm)  # <- fault: normalised_in_place
        return {"speaker": y.sum(-1).mean()}

    return Step(model, losses)


FAULTS = (
    Fault(
        build=layer_norm_without_eps,
        phase=Phase.FORWARD,
        op="aten.native_layer_norm.default",
        component="mel",
        batch_index=3,
        module="norm",
        alone=True,
    ),
    Fault(
        build=group_norm_without_eps,
        phase=Phase.FORWARD,
        op="aten.native_group_norm.default",
        component="mel",
        batch_index=2,
        module="norm",
        alone=True,
    ),
    Fault(build=batch_norm_of_dead_channel, phase=Phase.FORWARD, op="aten.div.Tensor", component="mel"),
    Fault(
        build=instance_norm_of_silent_item,
        phase=Phase.FORWARD,
        op="aten.div.Tensor",
        component="mel",
        batch_index=1,
    ),
    Fault(build=instance_norm_of_one_frame, phase=Phase.FORWARD, op="aten.std.correction", component="mel"),
    Fault(
        build=rms_norm_without_eps,
        phase=Phase.FORWARD,
        op="aten.rsqrt.default",
        component="mel",
        batch_index=2,
        module="1",
    ),
    Fault(
        build=guarded_rms_norm,
        phase=Phase.BACKWARD,
        op="aten.div.Tensor",
        node="SqrtBackward0",
        component="mel",
        batch_index=1,
    ),
    Fault(
        build=weight_norm_of_zero_vector,
        phase=Phase.FORWARD,
        op="aten._weight_norm_interface.default",
        component="mel",
        module="conv",
        alone=True,
    ),
    Fault(
        build=range_of_constant_item,
        phase=Phase.FORWARD,
        op="aten.div.Tensor",
        component="mel",
        batch_index=3,
    ),
    Fault(
        build=normalised_in_place,
        phase=Phase.FORWARD,
        op="aten.div_.Tensor",
        component="speaker",
        batch_index=2,
    ),
)
