"""Faults in recurrences and deep stacks: states that blow up, gradients through time, shared modules."""

from __future__ import annotations

import torch
from planted import Fault, Step
from torch import nn

from stability.records import Phase


class ExponentialCell(nn.Module):
    """A recurrence with an exponential gate over (frames, batch, features)."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(6, 6), nn.Linear(8, 6)

    def forward(self, x_TBF):
        state = torch.zeros(x_TBF.shape[1], 6, device=x_TBF.device)
        for frame in x_TBF:
            gate = torch.exp(self.inner(state) + self.outer(frame))  # <- fault: exponential_gate
            state = 0.5 * state + gate
        return state


def exponential_gate(device):
    """An exponential gate feeds itself: one loud item leaves fp32 within a few frames."""
    cell = ExponentialCell()
    model, x = nn.Sequential(cell, nn.Linear(6, 3)).to(device), torch.randn(7, 5, 8, device=device) * 0.1 - 3
    with torch.no_grad():
        cell.inner.weight.copy_(0.5 * torch.eye(6))
        cell.outer.weight.fill_(0.1)
    x[:, 3] += 8

    def losses():
        return {"size": cell.inner.weight.abs().mean(), "mel": model(x).mean()}

    return Step(model, losses)


class LinearRecurrence(nn.Module):
    """A recurrence without any bound over (batch, frames, features)."""

    def __init__(self) -> None:
        super().__init__()
        self.recur = nn.Linear(6, 6, bias=False)

    def forward(self, x_BTF):
        state = torch.zeros_like(x_BTF[:, 0])
        for t in range(x_BTF.shape[1]):
            carried = self.recur(state)  # <- fault: linear_recurrence_overflows
            state = torch.relu(carried) + x_BTF[:, t]
        return state


def linear_recurrence_overflows(device):
    """A recurrent weight of 1e4 multiplies the only item that is not silent past fp32's largest number."""
    model, x = LinearRecurrence().to(device), torch.zeros(5, 12, 6, device=device)
    x[2, 0] = 1.0
    with torch.no_grad():
        model.recur.weight.copy_(1e4 * torch.eye(6))

    def losses():
        return {"mel": model(x).mean()}

    return Step(model, losses)


class Unrolled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.recur, self.start = nn.Linear(6, 6, bias=False), nn.Linear(8, 6, bias=False)

    def forward(self, x_BF, frames):
        state = self.start(x_BF)
        for _ in range(frames):
            state = self.recur(state)  # <- fault: gradient_through_time_overflows
        return state


def gradient_through_time_overflows(device):
    """Tiny states grow to a finite size, and the gradient grows just as much, but from 1."""
    model, x = Unrolled().to(device), torch.full((4, 8), 1e-30, device=device)
    with torch.no_grad():
        model.recur.weight.copy_(1e4 * torch.eye(6))
        model.start.weight.fill_(0.1)

    def losses():
        return {"mel": model(x, 12).sum(-1).mean()}

    return Step(model, losses)


class SharedNorm(nn.Module):
    """One normalisation, used before and after a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.project = nn.LayerNorm(8, eps=0.0), nn.Linear(8, 8)

    def forward(self, x_BTF, gate_BTF):
        y = self.project(self.norm(x_BTF))
        return self.norm(y * gate_BTF)  # <- fault: second_use_of_shared_module


def second_use_of_shared_module(device):
    """A shared LayerNorm without eps is fine at its first use and meets a constant row at its second."""
    model, x = SharedNorm().to(device), torch.randn(5, 7, 8, device=device)
    gate = torch.ones(5, 7, 1, device=device)
    gate[3, 2] = 0.0

    def losses():
        return {"mel": model(x, gate).abs().mean()}

    return Step(model, losses)


class Gain(nn.Module):
    """An exponential gain on one branch of a residual block."""

    def __init__(self) -> None:
        super().__init__()
        self.log_gain = nn.Linear(8, 8)

    def forward(self, x_BTF):
        gain = torch.exp(self.log_gain(x_BTF).square())  # <- fault: third_block_overflows
        return x_BTF + gain


def third_block_overflows(device):
    """A stack of equal blocks: the state of one item grows from block to block until the third breaks."""
    model = nn.Sequential(*(Gain() for _ in range(3))).to(device)
    x = torch.zeros(5, 7, 8, device=device)
    with torch.no_grad():
        for block in model:
            block.log_gain.weight.copy_(0.3 * torch.eye(8))
            block.log_gain.bias.zero_()
    x[1, 3] = 4.0
    return Step(model, lambda: {"mel": model(x).mean()})


class GatedUnit(nn.Module):
    """nn.GRU, then a ratio of two of its states."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(8, 6, batch_first=True)

    def forward(self, x_BTF, mask_BT):
        states, _ = self.gru(x_BTF)
        energy = (states * mask_BT[..., None]).square().sum(dim=(1, 2))
        return states / energy[:, None, None]  # <- fault: states_over_no_energy


def states_over_no_energy(device):
    """The states of a GRU divided by the energy of an item that is masked as a whole."""
    model, x = GatedUnit().to(device), torch.randn(6, 9, 8, device=device)
    mask = torch.ones(6, 9, device=device)
    mask[4] = 0.0

    def losses():
        return {"mel": model(x, mask).mean()}

    return Step(model, losses)


FAULTS = (
    Fault(
        build=exponential_gate,
        phase=Phase.FORWARD,
        op="aten.exp.default",
        component="mel",
        batch_index=3,
        module="0",
    ),
    Fault(
        build=linear_recurrence_overflows,
        phase=Phase.FORWARD,
        op="aten.mm.default",
        component="mel",
        batch_index=2,
        module="recur",
        alone=True,
    ),
    Fault(
        build=gradient_through_time_overflows,
        phase=Phase.BACKWARD,
        op="aten.mm.default",
        component="mel",
        module="recur",
    ),
    Fault(
        build=second_use_of_shared_module,
        phase=Phase.FORWARD,
        op="aten.native_layer_norm.default",
        component="mel",
        batch_index=3,
        module="norm",
        alone=True,
    ),
    Fault(
        build=third_block_overflows,
        phase=Phase.FORWARD,
        op="aten.exp.default",
        component="mel",
        batch_index=1,
        module="2",
    ),
    Fault(
        build=states_over_no_energy,
        phase=Phase.FORWARD,
        op="aten.div.Tensor",
        component="mel",
        batch_index=4,
        module="",
    ),
)
