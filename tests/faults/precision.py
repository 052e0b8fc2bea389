"""Faults of number formats: half precision, autocast, loss scaling, fp32 at its end."""

from __future__ import annotations

import torch
from planted import Fault, Step, Written
from torch import nn

from stability.records import Phase


def half_precision_clamp(device):
    """A clamp at 1 - 1e-7, which is 1 in half precision: the log of 1 - 1."""
    model, x = nn.Linear(8, 1, device=device), torch.randn(5, 8, device=device)
    sure = torch.zeros(5, device=device)
    sure[3] = 30.0

    def losses():
        p = torch.sigmoid(model(x).squeeze(-1) + sure).half()
        p = p.clamp(1e-7, 1 - 1e-7)
        stop = torch.log(1 - p)  # <- fault: half_precision_clamp
        return {"mel": p.float().square().mean(), "stop": -stop.float().mean()}

    return Step(model, losses)


class Projection(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encode, self.proj = nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, x_BTF):
        return self.proj(torch.relu(self.encode(x_BTF)))  # <- fault: autocast_linear_overflow


def autocast_linear_overflow(device):
    """Activations of 1e4 meet weights of 10 under autocast: the product of one item exceeds 65504."""
    model, x = Projection().to(device), torch.rand(5, 7, 8, device=device)
    with torch.no_grad():
        model.encode.weight.copy_(torch.eye(8))
        model.proj.weight.fill_(10.0)
    x[2] *= 10000

    def losses():
        with torch.autocast(torch.device(device).type, dtype=torch.float16):
            y = model(x)
        return {"mel": y.float().abs().mean()}

    return Step(model, losses)


def waveform_cast_to_half(device):
    """Energies of 16-bit samples are cast to half precision, which ends at 65504."""
    model, samples = nn.Linear(8, 8, device=device), torch.rand(5, 8, device=device) * 200
    samples[1, 3] = 30000.0

    def losses():
        energy = samples.square()
        energy = energy.to(torch.float16)  # <- fault: waveform_cast_to_half
        return {"mel": model(energy.float() / 1e4).square().mean()}

    return Step(model, losses)


def half_precision_variance(device):
    """A square taken in half precision: 300 x 300."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(4, 7, 8, device=device)
    gain = torch.ones(4, 1, 1, device=device)
    gain[2] = 2000.0

    def losses():
        y = (model(x) * gain).half()
        power = y.square()  # <- fault: half_precision_variance
        return {"size": y.float().abs().mean(), "variance": power.float().mean()}

    return Step(model, losses)


def eps_lost_in_half(device):
    """An eps of 1e-8 is 0 in half precision, and so is the denominator of a silent item."""
    model, x = nn.Linear(8, 8, bias=False, device=device), torch.randn(6, 8, device=device)
    x[4] = 0.0

    def losses():
        y = model(x).half()
        ratio = 1.0 * y / (y.abs().sum(-1, keepdim=True) + 1e-8)  # <- fault: eps_lost_in_half
        return {"size": y.float().abs().mean(), "speaker": ratio.float().square().mean()}

    return Step(model, losses)


class Half(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Linear(8, 4)

    def forward(self, x_BF):
        y = self.proj(x_BF)
        return y.float()  # <- fault: loss_scale_too_large


def loss_scale_too_large(device):
    """A gradient scaler begins at 2^40: the gradient does not fit when it is cast back to half precision."""
    kind = torch.device(device).type
    model, x = Half().to(device), torch.randn(5, 8, device=device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler(kind, init_scale=2.0**40)

    def step():
        optimizer.zero_grad()
        with torch.autocast(kind, dtype=torch.float16):
            y = model(x)
        mel = y.square().mean()
        scaler.scale(mel).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        return {"mel": mel}

    return Written(step, model, optimizer)


def square_beyond_fp32(device):
    """The squared error of an outlier of 1e25."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    target = torch.randn(5, 8, device=device)
    target[3, 1] = 1e25

    def losses():
        y = model(x)
        error = (y - target).square()  # <- fault: square_beyond_fp32
        return {"size": y.abs().mean(), "mel": error.mean()}

    return Step(model, losses)


def loss_weight_beyond_fp32(device):
    """A loss weight doubled once too often; the loss itself is fine, and so is every item."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    weight = torch.tensor(2.0**127, device=device)

    def losses():
        kl = model(x).square().sum(-1).mean() + 2
        weighted = weight * kl  # <- fault: loss_weight_beyond_fp32
        return {"kl": weighted}

    return Step(model, losses)


def bfloat16_product(device):
    """bfloat16 has the range of fp32, and a product of norms can still exceed it."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    gain = torch.ones(5, 1, device=device, dtype=torch.bfloat16)
    gain[2] = 1e30

    def losses():
        y = model(x).bfloat16() * gain
        energy = y * y  # <- fault: bfloat16_product
        return {"size": y.float().abs().mean(), "mel": energy.float().mean()}

    return Step(model, losses)


FAULTS = (
    Fault(
        build=half_precision_clamp,
        phase=Phase.FORWARD,
        op="aten.log.default",
        component="stop",
        batch_index=3,
    ),
    Fault(
        build=autocast_linear_overflow,
        phase=Phase.FORWARD,
        op="aten.addmm.default",
        component="mel",
        batch_index=2,
        module="proj",
        alone=True,
    ),
    Fault(
        build=waveform_cast_to_half,
        phase=Phase.FORWARD,
        op="aten._to_copy.default",
        component="mel",
        batch_index=1,
    ),
    Fault(
        build=half_precision_variance,
        phase=Phase.FORWARD,
        op="aten.pow.Tensor_Scalar",
        component="variance",
        batch_index=2,
    ),
    Fault(
        build=eps_lost_in_half, phase=Phase.FORWARD, op="aten.div.Tensor", component="speaker", batch_index=4
    ),
    Fault(
        build=loss_scale_too_large,
        phase=Phase.BACKWARD,
        op="aten._to_copy.default",
        node="ToCopyBackward0",
        component="mel",
    ),
    Fault(
        build=square_beyond_fp32,
        phase=Phase.FORWARD,
        op="aten.pow.Tensor_Scalar",
        component="mel",
        batch_index=3,
    ),
    Fault(build=loss_weight_beyond_fp32, phase=Phase.FORWARD, op="aten.mul.Tensor", component="kl"),
    Fault(build=bfloat16_product, phase=Phase.FORWARD, op="aten.mul.Tensor", component="mel", batch_index=2),
)
