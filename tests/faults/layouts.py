"""Faults whose batch element is hard to follow: sorted, packed, repeated, joined and transposed batches.

The element is the one of the batch as it came into the step.
"""

from __future__ import annotations

import torch
from planted import Fault, Step
from torch import nn

from stability.records import Phase


def sorted_by_length(device):
    """The batch is sorted by length first; the silent item is the third, and comes to stand elsewhere."""
    model, x = nn.Linear(8, 1, bias=False, device=device), torch.randn(5, 7, 8, device=device)
    x[2] = 0.0
    lengths = torch.tensor([3, 7, 4, 6, 5], device=device)

    def losses():
        order = lengths.argsort(descending=True)
        energy = model(x[order]).squeeze(-1).square().mean(-1)
        level = torch.log(energy)  # <- fault: sorted_by_length
        return {"level": level.mean()}

    return Step(model, losses)


def valid_frames_selected(device):
    """Only valid frames are kept, of all items in one list; one frame of the fourth item is silent."""
    model, x = nn.Linear(8, 4, bias=False, device=device), torch.randn(5, 7, 8, device=device)
    valid = torch.arange(7, device=device) < torch.tensor([3, 7, 4, 6, 5], device=device)[:, None]
    x[3, 2] = 0.0

    def losses():
        frames = model(x)[valid]
        level = torch.log(frames.square().sum(-1))  # <- fault: valid_frames_selected
        return {"level": level.mean()}

    return Step(model, losses)


def two_samples_of_each_item(device):
    """Every item is repeated for two samples from its posterior."""
    model, x = nn.Linear(8, 4, device=device), torch.randn(5, 8, device=device)
    loud = torch.zeros(5, 1, device=device)
    loud[3] = 100.0

    def losses():
        logvar = (model(x) + loud).repeat_interleave(2, dim=0)
        deviation = torch.exp(logvar)  # <- fault: two_samples_of_each_item
        return {"mel": (torch.randn_like(logvar) * deviation).abs().mean()}

    return Step(model, losses)


def real_and_fake_joined(device):
    """A discriminator sees real and generated items in one batch; it is sure of a generated one."""
    model, x = nn.Linear(8, 1, device=device), torch.randn(5, 8, device=device)
    fake = torch.randn(5, 8, device=device)
    with torch.no_grad():
        fake[2] = 500 * model.weight[0].sign()

    def losses():
        d = torch.sigmoid(model(torch.cat((x, fake))).squeeze(-1))
        real, made = d.chunk(2)
        unsure = torch.log(1 - made)  # <- fault: real_and_fake_joined
        return {"real": -real.mean(), "fake": -unsure.mean()}

    return Step(model, losses)


def frames_first(device):
    """A GRU over (frames, batch, features), whose mean energy at one item is masked away."""
    model, x = nn.GRU(8, 6, device=device), torch.randn(9, 4, 8, device=device)
    alive = torch.ones(4, 1, device=device)
    alive[1] = 0.0

    def losses():
        states, _ = model(x)
        summary = states.mean(0) * alive
        direction = summary / summary.norm(dim=-1, keepdim=True)  # <- fault: frames_first
        return {"size": states.square().mean(), "speaker": direction.sum(-1).mean()}

    return Step(model, losses)


def frames_folded_into_batch(device):
    """Frames are folded into the batch for a convolution over bins; one frame of one item overflows."""
    model, x = nn.Conv1d(1, 2, 3, padding=1, device=device), torch.randn(4, 5, 6, device=device)
    loud = torch.zeros(4, 5, 6, device=device)
    loud[2, 3] = 200.0

    def losses():
        y = model(x.reshape(20, 1, 6)) + loud.reshape(20, 1, 6)
        power = torch.exp(y)  # <- fault: frames_folded_into_batch
        return {"mel": power.reshape(4, 5, 2, 6).mean()}

    return Step(model, losses)


def one_item_at_a_time(device):
    """A loop over the items; the fault is in one pass of it."""
    model, x = nn.Linear(8, 4, bias=False, device=device), torch.randn(4, 7, 8, device=device)
    x[1] = 0.0

    def losses():
        total = torch.zeros((), device=device)
        for item in x:
            y = model(item)
            unit = y / y.norm()  # <- fault: one_item_at_a_time
            total = total + unit.mean()
        return {"mel": total / 4}

    return Step(model, losses)


FAULTS = (
    Fault(
        build=sorted_by_length,
        phase=Phase.FORWARD,
        op="aten.log.default",
        component="level",
        batch_index=2,
    ),
    Fault(
        build=valid_frames_selected,
        phase=Phase.FORWARD,
        op="aten.log.default",
        component="level",
        batch_index=3,
    ),
    Fault(
        build=two_samples_of_each_item,
        phase=Phase.FORWARD,
        op="aten.exp.default",
        component="mel",
        batch_index=3,
    ),
    Fault(
        build=real_and_fake_joined,
        phase=Phase.FORWARD,
        op="aten.log.default",
        component="fake",
        batch_index=2,
    ),
    Fault(build=frames_first, phase=Phase.FORWARD, op="aten.div.Tensor", component="speaker", batch_index=1),
    Fault(
        build=frames_folded_into_batch,
        phase=Phase.FORWARD,
        op="aten.exp.default",
        component="mel",
        batch_index=2,
    ),
    Fault(
        build=one_item_at_a_time, phase=Phase.FORWARD, op="aten.div.Tensor", component="mel", batch_index=1
    ),
)
