"""Faults in probabilities and likelihoods: logarithms, exponentials, classification losses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from planted import Fault, Step
from torch import nn

from stability.records import Phase


def log_of_saturated_sigmoid(device):
    """A stop token's cross-entropy by hand; the logit of one item is so large that sigmoid gives 1."""
    model, x = nn.Linear(8, 1, device=device), torch.randn(5, 8, device=device)
    x[3] += 400 * model.weight.detach()[0].sign()
    stop = torch.ones(5, device=device)

    def losses():
        p = torch.sigmoid(model(x).squeeze(-1))
        go_on = torch.log(1 - p)  # <- fault: log_of_saturated_sigmoid
        return {
            "mel": x.sub(p.unsqueeze(-1)).abs().mean(),
            "stop": -((1 - stop) * go_on + stop * p.log()).mean(),
        }

    return Step(model, losses)


def exp_of_logvar(device):
    """A posterior's log variance of 200: its variance is beyond fp32."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(4, 8, device=device)
    offset = torch.zeros(4, 4, device=device)
    offset[2, 1] = 200.0

    def losses():
        mu, logvar = model(x).chunk(2, dim=-1)
        logvar = logvar + offset
        variance = torch.exp(logvar)  # <- fault: exp_of_logvar
        kl = 0.5 * (mu.pow(2) + variance - 1 - logvar).sum(-1)
        return {"mel": mu.abs().mean(), "kl": kl.mean()}

    return Step(model, losses, torch.optim.Adam(model.parameters()))


def kl_to_collapsed_prior(device):
    """The prior's variance underflows to 0, and the KL divergence divides by it."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(6, 8, device=device)
    prior = torch.zeros(6, 4, device=device)
    prior[1] = -220.0

    def losses():
        mu, logvar = model(x).chunk(2, dim=-1)
        distance = (mu.pow(2) + logvar.exp()) / prior.exp()  # <- fault: kl_to_collapsed_prior
        return {"mel": mu.abs().mean(), "kl": 0.5 * (distance - 1 + prior - logvar).sum(-1).mean()}

    return Step(model, losses)


def every_target_ignored(device):
    """All targets are padding: the mean runs over none."""
    model, x = nn.Linear(8, 6, device=device), torch.randn(4, 7, 8, device=device)
    targets = torch.full((4, 7), -100, device=device)

    def losses():
        logits = model(x)
        text = F.cross_entropy(logits.transpose(1, 2), targets)  # <- fault: every_target_ignored
        return {"mel": logits.abs().mean(), "text": text}

    return Step(model, losses)


def masked_class_is_the_target(device):
    """The target of one item is a class that was masked out: its log probability is -inf."""
    model, x = nn.Linear(8, 6, device=device), torch.randn(5, 8, device=device)
    targets = torch.tensor([0, 1, 5, 2, 3], device=device)
    forbidden = torch.arange(6, device=device) == 5

    def losses():
        logits = model(x)
        log_probs = logits.masked_fill(forbidden, -torch.inf).log_softmax(-1)
        token = F.nll_loss(log_probs, targets, reduction="none")  # <- fault: masked_class_is_the_target
        return {"mel": logits.abs().mean(), "token": token.mean()}

    return Step(model, losses)


def zero_times_masked_log_probability(device):
    """A one-hot target times log probabilities of which one is -inf: 0 x -inf."""
    model, x = nn.Linear(8, 6, device=device), torch.randn(5, 8, device=device)
    targets = F.one_hot(torch.tensor([0, 1, 4, 2, 3], device=device), 6).float()
    forbidden = torch.zeros(5, 6, dtype=torch.bool, device=device)
    forbidden[3, 5] = True

    def losses():
        logits = model(x)
        log_probs = logits.masked_fill(forbidden, -torch.inf).log_softmax(-1)
        weighted = targets * log_probs  # <- fault: zero_times_masked_log_probability
        return {"mel": logits.abs().mean(), "token": -weighted.sum(-1).mean()}

    return Step(model, losses)


def smoothing_over_masked_class(device):
    """Label smoothing gives every class some weight, masked ones too: their -inf is summed into the loss."""
    model, x = nn.Linear(8, 6, device=device), torch.randn(5, 8, device=device)
    targets = torch.tensor([0, 1, 4, 2, 3], device=device)
    forbidden = torch.zeros(5, 6, dtype=torch.bool, device=device)
    forbidden[3, 5] = True

    def losses():
        logits = model(x).masked_fill(forbidden, -torch.inf)
        token = F.cross_entropy(logits, targets, label_smoothing=0.1)  # <- fault: smoothing_over_masked_class
        return {"token": token}

    return Step(model, losses)


def gumbel_noise_of_one(device):
    """Gumbel noise from a uniform number that came out as exactly 1: -log(-log 1) = inf."""
    model, x = nn.Linear(8, 6, device=device), torch.randn(5, 8, device=device)
    u = torch.rand(5, 6, device=device).clamp(0.01, 0.99)
    u[2, 4] = 1.0

    def losses():
        inner = -torch.log(u)
        noise = -torch.log(inner)  # <- fault: gumbel_noise_of_one
        code = torch.softmax(model(x) + noise, dim=-1)
        return {"code": code.pow(2).sum(-1).mean()}

    return Step(model, losses)


def generator_against_sure_discriminator(device):
    """The saturating generator loss log(1 - D) where D is sure of one item."""
    model = nn.ModuleDict({"generator": nn.Linear(4, 8), "discriminator": nn.Linear(8, 1)}).to(device)
    z = torch.randn(5, 4, device=device)
    bias = torch.zeros(5, device=device)
    bias[1] = 50.0

    def losses():
        fake = model["generator"](z)
        d = torch.sigmoid(model["discriminator"](fake).squeeze(-1) + bias)
        adversarial = torch.log1p(-d)  # <- fault: generator_against_sure_discriminator
        return {"adversarial": adversarial.mean(), "mel": fake.abs().mean()}

    return Step(model, losses)


def logistic_scale_underflow(device):
    """A logistic's scale shrinks until both cumulative probabilities are equal: the log of no mass at all."""
    model, x = nn.Linear(8, 2, device=device), torch.randn(4, 7, 8, device=device)
    sample, shrink = torch.zeros(4, 7, device=device), torch.zeros(4, 1, device=device)
    sample[1], shrink[1] = 3.0, 30.0

    def losses():
        mean, log_scale = torch.tanh(model(x)).unbind(-1)
        sharpness = torch.exp(shrink - log_scale)
        above = torch.sigmoid(sharpness * (sample + 1 / 255 - mean))
        below = torch.sigmoid(sharpness * (sample - 1 / 255 - mean))
        log_mass = torch.log(above - below)  # <- fault: logistic_scale_underflow
        return {"sample": -log_mass.mean()}

    return Step(model, losses)


def power_of_negative(device):
    """Loudness compression of a linear output that went below zero in one item."""
    model, x = nn.Linear(8, 8, device=device), torch.rand(5, 8, device=device)
    shift = torch.full((5, 8), 5.0, device=device)
    shift[3, 2] = -5.0

    def losses():
        energy = model(x) + shift
        loudness = energy**0.3  # <- fault: power_of_negative
        return {"mel": energy.abs().mean(), "loudness": loudness.mean()}

    return Step(model, losses)


def where_with_both_branches(device):
    """log(0) is guarded by `where`, but the gradient of log is taken in both branches: 0 / 0."""
    model, x = nn.Linear(8, 8, device=device), torch.rand(5, 8, device=device)
    gate = torch.ones(5, 1, device=device)
    gate[3] = 0.0

    def losses():
        energy = model(x).square() * gate
        logs = torch.log(energy)  # <- fault: where_with_both_branches
        return {"mel": energy.mean(), "energy": torch.where(energy > 0, logs, 0.0).mean()}

    return Step(model, losses)


def euclidean_distance_of_equals(device):
    """The root of a squared distance of 0: a finite loss, an infinite slope."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    target, voiced = torch.randn(5, 8, device=device), torch.ones(5, 1, device=device)
    voiced[2] = 0.0

    def losses():
        y = model(x)
        squared = ((y - target) * voiced).pow(2).sum(-1)
        distance = torch.sqrt(squared)  # <- fault: euclidean_distance_of_equals
        return {"mel": y.abs().mean(), "distance": distance.mean()}

    return Step(model, losses)


def angle_between_equals(device):
    """acos of a cosine of 1: its slope there is infinite."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    push = torch.zeros(5, device=device)
    push[1] = 50.0

    def losses():
        y = model(x)
        cosine = torch.tanh(y.mean(-1) + push)
        angle = torch.acos(cosine)  # <- fault: angle_between_equals
        return {"mel": y.abs().mean(), "angle": angle.mean()}

    return Step(model, losses)


def masked_loss_hides_overflow(device):
    """A loss that is not finite is replaced by 0, but the overflow comes back in the gradient: 0 x inf.

    The slope of exp is its own value, so that what the gradient reads is the infinity of the forward pass.
    """
    model, x = nn.Linear(8, 4, device=device), torch.randn(5, 8, device=device)
    offset = torch.zeros(5, 4, device=device)
    offset[3] = 300.0

    def losses():
        logvar = model(x) + offset
        variance = logvar.exp()  # <- fault: masked_loss_hides_overflow
        kl = (variance - 1 - logvar).sum(-1)
        return {"mel": x.abs().mean(), "kl": torch.where(torch.isfinite(kl), kl, 0.0).mean()}

    return Step(model, losses)


FAULTS = (
    Fault(
        build=log_of_saturated_sigmoid,
        phase=Phase.FORWARD,
        op="aten.log.default",
        component="stop",
        batch_index=3,
    ),
    Fault(build=exp_of_logvar, phase=Phase.FORWARD, op="aten.exp.default", component="kl", batch_index=2),
    Fault(
        build=kl_to_collapsed_prior, phase=Phase.FORWARD, op="aten.div.Tensor", component="kl", batch_index=1
    ),
    Fault(
        build=every_target_ignored,
        phase=Phase.FORWARD,
        op="aten.nll_loss2d_forward.default",
        component="text",
    ),
    Fault(
        build=masked_class_is_the_target,
        phase=Phase.FORWARD,
        op="aten.nll_loss_forward.default",
        component="token",
        batch_index=2,
    ),
    Fault(
        build=zero_times_masked_log_probability,
        phase=Phase.FORWARD,
        op="aten.mul.Tensor",
        component="token",
        batch_index=3,
    ),
    Fault(
        build=smoothing_over_masked_class,
        phase=Phase.FORWARD,
        op="aten.sum.dim_IntList",
        component="token",
        batch_index=3,
    ),
    Fault(
        build=gumbel_noise_of_one, phase=Phase.FORWARD, op="aten.log.default", component="code", batch_index=2
    ),
    Fault(
        build=generator_against_sure_discriminator,
        phase=Phase.FORWARD,
        op="aten.log1p.default",
        component="adversarial",
        batch_index=1,
    ),
    Fault(
        build=logistic_scale_underflow,
        phase=Phase.FORWARD,
        op="aten.log.default",
        component="sample",
        batch_index=1,
    ),
    Fault(
        build=power_of_negative,
        phase=Phase.FORWARD,
        op="aten.pow.Tensor_Scalar",
        component="loudness",
        batch_index=3,
    ),
    Fault(
        build=where_with_both_branches,
        phase=Phase.BACKWARD,
        op="aten.div.Tensor",
        node="LogBackward0",
        component="energy",
        batch_index=3,
    ),
    Fault(
        build=euclidean_distance_of_equals,
        phase=Phase.BACKWARD,
        op="aten.div.Tensor",
        node="SqrtBackward0",
        component="distance",
        batch_index=2,
    ),
    Fault(
        build=angle_between_equals,
        phase=Phase.BACKWARD,
        op="aten.rsqrt.default",
        node="AcosBackward0",
        component="angle",
        batch_index=1,
    ),
    Fault(
        build=masked_loss_hides_overflow,
        phase=Phase.FORWARD,
        op="aten.exp.default",
        component="kl",
        batch_index=3,
    ),
)
