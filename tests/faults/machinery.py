"""Faults inside autograd's machinery: checkpointing, functions of one's own, gradients of gradients."""

from __future__ import annotations

import torch
from planted import Fault, Step, Written
from torch import nn
from torch.utils.checkpoint import checkpoint

from stability.records import Phase


class Checkpointed(nn.Module):
    """Two layers, the second recomputed in the backward pass."""

    def __init__(self, reentrant: bool, block: nn.Module) -> None:
        super().__init__()
        self.first, self.block, self.reentrant = nn.Linear(8, 8, bias=False), block, reentrant

    def forward(self, x):
        return checkpoint(self.block, self.first(x), use_reentrant=self.reentrant)


class LogBlock(nn.Module):
    def forward(self, x):
        energy = x.square().sum(-1)
        return torch.log(energy)  # <- fault: log_in_checkpoint, log_in_reentrant_checkpoint


class RootBlock(nn.Module):
    def forward(self, x):
        energy = x.square().sum(-1)
        return torch.sqrt(energy)  # <- fault: root_in_checkpoint, root_in_reentrant_checkpoint


def _checkpointed(device: str, reentrant: bool, block: nn.Module, silent: int) -> Step:
    model, x = Checkpointed(reentrant, block).to(device), torch.randn(5, 8, device=device)
    x[silent] = 0.0
    return Step(model, lambda: {"size": model.first.weight.abs().mean(), "energy": model(x).mean()})


def log_in_checkpoint(device):
    """log(0) in a checkpointed block."""
    return _checkpointed(device, reentrant=False, block=LogBlock(), silent=3)


def log_in_reentrant_checkpoint(device):
    """log(0) in a block checkpointed the old way, which builds no graph at first."""
    return _checkpointed(device, reentrant=True, block=LogBlock(), silent=1)


def root_in_checkpoint(device):
    """The slope of a root at 0, in a block recomputed during the backward pass."""
    return _checkpointed(device, reentrant=False, block=RootBlock(), silent=2)


def root_in_reentrant_checkpoint(device):
    """The same, checkpointed the old way."""
    return _checkpointed(device, reentrant=True, block=RootBlock(), silent=3)


class Root(torch.autograd.Function):
    """A square root with a gradient of its own."""

    @staticmethod
    def forward(ctx, x):
        root = x.sqrt()
        ctx.save_for_backward(root)
        return root

    @staticmethod
    def backward(ctx, grad):
        (root,) = ctx.saved_tensors
        return grad / (2 * root)  # <- fault: function_of_ones_own


def function_of_ones_own(device):
    """A function's own backward divides by 0.

    Both lines are right: the one in the user's `backward` that divides, and the forward line that called it.
    """
    model, x = nn.Linear(8, 8, bias=False, device=device), torch.randn(5, 8, device=device)
    x[3] = 0.0

    def losses():
        energy = model(x).square().sum(-1)
        level = Root.apply(energy)  # <- fault: function_of_ones_own
        return {"size": model.weight.abs().mean(), "level": level.mean()}

    return Step(model, losses)


class Exponential(torch.autograd.Function):
    """exp with a forward of its own."""

    @staticmethod
    def forward(ctx, x):
        y = torch.exp(x)  # <- fault: forward_of_ones_own
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0]


def forward_of_ones_own(device):
    """The overflow happens inside a function's own forward."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    loud = torch.zeros(5, 1, device=device)
    loud[2] = 200.0

    def losses():
        y = model(x)
        return {"size": y.abs().mean(), "kl": Exponential.apply(y + loud).mean()}

    return Step(model, losses)


def gradient_penalty_of_flat_critic(device):
    """A gradient penalty takes the norm of the critic's input gradient, which is 0 for one item."""
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1)).to(device)
    x, live = torch.randn(5, 8, device=device), torch.ones(5, 1, device=device)
    live[3] = 0.0

    def losses():
        real = x.clone().requires_grad_()
        score = model(real * live)
        (slope,) = torch.autograd.grad(score.sum(), real, create_graph=True)
        length = torch.sqrt(slope.square().sum(-1))  # <- fault: gradient_penalty_of_flat_critic
        return {"score": score.mean(), "penalty": (length - 1).square().mean()}

    return Step(model, losses)


def second_micro_batch(device):
    """Gradients accumulate over three micro-batches; the second one holds a log of 0."""
    model = nn.Linear(8, 8, bias=False, device=device)
    micro = [torch.randn(4, 8, device=device) for _ in range(3)]
    micro[1][2] = 0.0
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

    def step():
        optimizer.zero_grad()
        total = torch.zeros((), device=device)
        for x in micro:
            energy = model(x).square().sum(-1)
            level = torch.log(energy)  # <- fault: second_micro_batch
            (level.mean() / 3).backward()
            total = total + level.detach().mean() / 3
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return {"level": total}

    return Written(step, model, optimizer)


def hook_divides_gradient(device):
    """A hook on an activation normalises its gradient, which is 0 for an item that is masked out."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    mask = torch.ones(5, 1, device=device)
    mask[1] = 0.0

    def unit(grad):
        return grad / grad.norm(dim=-1, keepdim=True)  # <- fault: hook_divides_gradient

    def losses():
        y = model(x)
        y.register_hook(unit)
        return {"mel": (y * mask).square().mean()}

    return Step(model, losses)


FAULTS = (
    Fault(
        build=log_in_checkpoint,
        phase=Phase.FORWARD,
        op="aten.log.default",
        component="energy",
        batch_index=3,
        module="block",
    ),
    Fault(
        build=log_in_reentrant_checkpoint,
        phase=Phase.FORWARD,
        op="aten.log.default",
        component="energy",
        batch_index=1,
        module="block",
    ),
    Fault(
        build=root_in_checkpoint,
        phase=Phase.BACKWARD,
        op="aten.div.Tensor",
        node="SqrtBackward0",
        component="energy",
        batch_index=2,
        module="block",
    ),
    Fault(
        build=root_in_reentrant_checkpoint,
        phase=Phase.BACKWARD,
        op="aten.div.Tensor",
        node="SqrtBackward0",
        component="energy",
        batch_index=3,
        module="block",
    ),
    Fault(
        build=function_of_ones_own,
        phase=Phase.BACKWARD,
        op="aten.div.Tensor",
        node="RootBackward",
        component="level",
        batch_index=3,
    ),
    Fault(
        build=forward_of_ones_own, phase=Phase.FORWARD, op="aten.exp.default", component="kl", batch_index=2
    ),
    Fault(
        build=gradient_penalty_of_flat_critic,
        phase=Phase.BACKWARD,
        op="aten.div.Tensor",
        node="SqrtBackward0",
        component="penalty",
        batch_index=3,
    ),
    Fault(
        build=second_micro_batch, phase=Phase.FORWARD, op="aten.log.default", component="level", batch_index=2
    ),
    Fault(
        build=hook_divides_gradient,
        phase=Phase.BACKWARD,
        op="aten.div.Tensor",
        component="mel",
        batch_index=1,
    ),
)
