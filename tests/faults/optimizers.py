"""Faults after the backward pass: the optimizer's arithmetic, updates and clipping written by hand."""

from __future__ import annotations

import torch
from planted import Fault, Step, Written
from torch import nn

from stability.records import Phase


def adam_eps_in_half(device):
    """Adam's eps of 1e-8 is 0 in half precision, and so is the second moment of small gradients."""
    model, x = nn.Linear(8, 4).to(device).half(), torch.randn(5, 8, device=device).half()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def losses():
        return {"mel": (model(x).float() * 1e-3).square().mean()}

    return Step(
        model,
        losses,
        optimizer,
        clip=None,
        update=lambda: optimizer.step(),  # <- fault: adam_eps_in_half
    )


def adam_without_eps(device):
    """Adam with eps=0 and an embedding row that no item used: 0 / 0 in the update, gradients finite."""
    model = nn.ModuleDict({"letters": nn.Embedding(6, 4), "out": nn.Linear(4, 2)}).to(device)
    letters = torch.tensor([[0, 1, 2], [1, 1, 3], [0, 2, 3], [5, 1, 0]], device=device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=0.0)

    def losses():
        return {"text": model["out"](model["letters"](letters)).square().mean()}

    return Step(
        model,
        losses,
        optimizer,
        update=lambda: optimizer.step(),  # <- fault: adam_without_eps
    )


def _adam_second_moment(device, **options):
    """A gradient of 1e22 is finite, its square is not: Adam's second moment becomes infinite."""
    model, x = nn.Linear(8, 4, device=device), torch.randn(5, 8, device=device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, **options)

    def losses():
        return {"mel": (model(x) * 1e24).abs().mean()}

    return model, losses, optimizer


def adam_square_of_gradient(device):
    """AdamW, one parameter at a time: a gradient of 1e22 is finite, its square is not."""
    model, losses, optimizer = _adam_second_moment(device, foreach=False)
    return Step(
        model,
        losses,
        optimizer,
        clip=None,
        update=lambda: optimizer.step(),  # <- fault: adam_square_of_gradient
    )


def adam_square_of_gradient_foreach(device):
    """The same over lists of parameters."""
    model, losses, optimizer = _adam_second_moment(device, foreach=True)
    return Step(
        model,
        losses,
        optimizer,
        clip=None,
        update=lambda: optimizer.step(),  # <- fault: adam_square_of_gradient_foreach
    )


def adam_square_of_gradient_fused(device):
    """The same in one fused operation."""
    model, losses, optimizer = _adam_second_moment(device, fused=True)
    return Step(
        model,
        losses,
        optimizer,
        clip=None,
        update=lambda: optimizer.step(),  # <- fault: adam_square_of_gradient_fused
    )


def sgd_update_overflows(device):
    """A learning rate of 1e37 times a gradient of some hundreds."""
    model, x = nn.Linear(8, 4, device=device), torch.randn(5, 8, device=device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e37)

    def losses():
        return {"mel": (model(x) * 1e3).abs().mean()}

    return Step(
        model,
        losses,
        optimizer,
        clip=None,
        update=lambda: optimizer.step(),  # <- fault: sgd_update_overflows
    )


def sgd_update_overflows_foreach(device):
    """The same over lists of parameters, with a learning rate of infinity."""
    model, x = nn.Linear(8, 4, device=device), torch.randn(5, 8, device=device)
    optimizer = torch.optim.SGD(model.parameters(), lr=float("inf"), foreach=True)

    def losses():
        return {"mel": model(x).abs().mean()}

    return Step(
        model,
        losses,
        optimizer,
        update=lambda: optimizer.step(),  # <- fault: sgd_update_overflows_foreach
    )


class SignScaled(torch.optim.Optimizer):
    """Scales every gradient by its largest element: 0 / 0 for a parameter the loss does not depend on."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                scaled = parameter.grad / parameter.grad.abs().max()  # <- fault: optimizer_by_hand
                parameter.add_(scaled, alpha=-group["lr"])


def optimizer_by_hand(device):
    """An optimizer of one's own divides by the largest gradient, which is 0 for the bias."""
    model, x = nn.Linear(8, 4, device=device), torch.randn(5, 8, device=device)

    def losses():
        return {"mel": nn.functional.linear(x, model.weight, model.bias * 0).square().mean()}

    return Step(model, losses, SignScaled(model.parameters(), lr=1e-2))


def update_without_optimizer(device):
    """Normalised gradient descent in a loop over the parameters; one gradient is 0."""
    model, x = nn.Linear(8, 4, device=device), torch.randn(5, 8, device=device)

    def losses():
        return {"mel": nn.functional.linear(x, model.weight, model.bias * 0).square().mean()}

    def update():
        with torch.no_grad():
            for parameter in model.parameters():
                direction = parameter.grad / parameter.grad.norm()  # <- fault: update_without_optimizer
                parameter.sub_(direction, alpha=1e-2)

    return Step(model, losses, update=update)


def clipping_by_hand(device):
    """Clipping by hand divides by the gradient norm, which is 0: 0 x inf."""
    model, x = nn.Linear(8, 4, device=device), torch.randn(5, 8, device=device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

    def step():
        optimizer.zero_grad()
        mel = torch.relu(model(x) - 100).mean()
        mel.backward()
        norm = torch.stack([parameter.grad.norm() for parameter in model.parameters()]).norm()
        factor = torch.div(1.0, norm)  # <- fault: clipping_by_hand
        for parameter in model.parameters():
            parameter.grad.mul_(factor)
        optimizer.step()
        return {"mel": mel}

    return Written(step, model, optimizer)


def weights_renormalised(device):
    """After the update every row of the weights is made a unit vector; one row is 0."""
    model, x = nn.Linear(8, 4, device=device), torch.randn(5, 8, device=device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    with torch.no_grad():
        model.weight[2] = 0.0
    alive = torch.tensor([1.0, 1.0, 0.0, 1.0], device=device)

    def step():
        optimizer.zero_grad()
        mel = (model(x) * alive).square().mean()
        mel.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.weight.div_(model.weight.norm(dim=1, keepdim=True))  # <- fault: weights_renormalised
        return {"mel": mel}

    return Written(step, model, optimizer)


def loss_in_closure(device):
    """The forward pass runs inside `optimizer.step(closure)`, and is a forward pass all the same."""
    model, x = nn.Linear(8, 8, device=device), torch.rand(5, 8, device=device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    gate = torch.ones(5, 1, device=device)
    gate[3] = 0.0
    found = {}

    def closure():
        optimizer.zero_grad()
        energy = model(x).square() * gate
        logs = torch.log(energy)  # <- fault: loss_in_closure
        found["energy"] = logs.mean()
        found["energy"].backward()
        return found["energy"]

    def step():
        optimizer.step(closure)
        return dict(found)

    return Written(step, model, optimizer)


FAULTS = (
    Fault(build=adam_eps_in_half, phase=Phase.OPTIMIZER, op="aten.addcdiv_.default", on_cuda=False),
    Fault(
        build=adam_without_eps,
        phase=Phase.OPTIMIZER,
        op="aten.addcdiv_.default",
        cuda_op="aten._foreach_addcdiv_.ScalarList",
    ),
    Fault(build=adam_square_of_gradient, phase=Phase.OPTIMIZER, op="aten.addcmul_.default"),
    Fault(build=adam_square_of_gradient_foreach, phase=Phase.OPTIMIZER, op="aten._foreach_addcmul_.Scalar"),
    Fault(build=adam_square_of_gradient_fused, phase=Phase.OPTIMIZER, op="aten._fused_adamw_.default"),
    Fault(
        build=sgd_update_overflows,
        phase=Phase.OPTIMIZER,
        op="aten.add_.Tensor",
        cuda_op="aten._foreach_add_.List",
    ),
    Fault(build=sgd_update_overflows_foreach, phase=Phase.OPTIMIZER, op="aten._foreach_add_.List"),
    Fault(build=optimizer_by_hand, phase=Phase.OPTIMIZER, op="aten.div.Tensor"),
    Fault(build=update_without_optimizer, phase=Phase.OPTIMIZER, op="aten.div.Tensor"),
    Fault(build=clipping_by_hand, phase=Phase.OPTIMIZER, op="aten.div.Tensor"),
    Fault(build=weights_renormalised, phase=Phase.OPTIMIZER, op="aten.div_.Tensor"),
    Fault(
        build=loss_in_closure,
        phase=Phase.FORWARD,
        op="aten.log.default",
        component="energy",
        batch_index=3,
    ),
)
