"""Healthy look-alikes: overflows, poles and NaNs that a guard really stops, and numbers near the edge.

Each must be reported as nothing at all.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from planted import Healthy, Step, Written
from torch import nn


def doubled_where(device):
    """The double-where trick: the argument of log is made safe first."""
    model, x = nn.Linear(8, 8, bias=False, device=device), torch.rand(5, 8, device=device)
    x[3] = 0.0

    def losses():
        energy = model(x).square()
        safe = torch.where(energy > 0, energy, 1.0)
        return {"energy": torch.where(energy > 0, torch.log(safe), 0.0).mean()}

    return Step(model, losses)


def clamp_cuts_gradient(device):
    """exp overflows, a clamp cuts the value off, and no gradient flows through either."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    loud = torch.zeros(5, 1, device=device)
    loud[2] = 200.0

    def losses():
        y = model(x)
        weight = torch.exp(y.detach() + loud).clamp(max=10.0)
        return {"mel": (weight * y.square()).mean()}

    return Step(model, losses)


def clamp_before_acos(device):
    """acos of a clamped cosine: its infinite slope meets a clamp that lets nothing through."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    push = torch.zeros(5, device=device)
    push[1] = 3.0

    def losses():
        cosine = (torch.tanh(model(x).mean(-1)) + push).clamp(-1, 1)
        return {"angle": torch.acos(cosine).mean()}

    return Step(model, losses)


def overflow_not_chosen(device):
    """An overflow that is computed for all items, but only read where it is finite."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    loud = torch.zeros(5, 1, device=device)
    loud[3] = 200.0

    def losses():
        with torch.no_grad():
            gain = torch.exp(loud)
        y = model(x)
        return {"mel": torch.where(torch.isfinite(gain), y * gain.clamp(max=2.0), y).square().mean()}

    return Step(model, losses)


def scaler_step(device):
    """An ordinary step of mixed precision with a gradient scaler."""
    kind = torch.device(device).type
    model, x = nn.Linear(8, 4, device=device), torch.randn(5, 8, device=device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler(kind, init_scale=2.0**10)

    def step():
        optimizer.zero_grad()
        with torch.autocast(kind, dtype=torch.float16):
            y = model(x)
        mel = y.float().square().mean()
        scaler.scale(mel).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        return {"mel": mel}

    return Written(step, model, optimizer)


def autocast_bfloat16(device):
    """bfloat16 autocast with values beyond the range of half precision."""
    model = nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8), nn.Linear(8, 4)).to(device)
    x = torch.randn(5, 7, 8, device=device) * 1e6

    def losses():
        with torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
            y = model(x)
        return {"mel": y.float().square().mean()}

    return Step(model, losses)


def large_sums(device):
    """Sums of values around 1e30, never squared."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)

    def losses():
        y = model(x)
        big = (y.detach() * 1e30).sum(-1)
        return {"mel": (y.sum(-1) * (big / 1e30)).mean()}

    return Step(model, losses)


def norm_of_silence(device):
    """The slope of torch's norm at 0 is 0, and `normalize` has an eps."""
    model, x = nn.Linear(8, 8, bias=False, device=device), torch.randn(5, 8, device=device)
    x[2] = 0.0

    def losses():
        y = model(x)
        speaker = F.normalize(y, dim=-1)
        return {"size": y.norm(dim=-1).mean(), "speaker": (speaker @ speaker.T).square().mean()}

    return Step(model, losses)


def deviation_of_constant(device):
    """The slope of torch's standard deviation at a constant row."""
    model, x = nn.Linear(8, 8, bias=False, device=device), torch.randn(5, 8, device=device)
    x[2] = 0.0
    return Step(model, lambda: {"prosody": model(x).std(dim=-1).mean()})


def phase_angle_at_origin(device):
    """The slope of atan2 at the origin: infinite on the way, and then masked by torch."""
    model, x = nn.Linear(8, 8, bias=False, device=device), torch.randn(5, 8, device=device)
    x[3] = 0.0

    def losses():
        real, imaginary = model(x).chunk(2, dim=-1)
        return {"phase": torch.atan2(imaginary, real).square().mean()}

    return Step(model, losses)


def gumbel_noise_of_zero(device):
    """Gumbel noise from a uniform number of 0 is -inf: that class just is not drawn."""
    model, x = nn.Linear(8, 6, device=device), torch.randn(5, 8, device=device)
    u = torch.rand(5, 6, device=device)
    u[2, 4] = 0.0

    def losses():
        noise = -torch.log(-torch.log(u))
        return {"code": torch.softmax(model(x) + noise, dim=-1).square().sum(-1).mean()}

    return Step(model, losses)


def padding_of_nan(device):
    """Frames beyond an utterance's end are NaN, and are replaced before anything reads them."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 7, 8, device=device)
    valid = torch.ones(5, 7, 1, dtype=torch.bool, device=device)
    valid[3, 4:] = False
    x = x.masked_fill(~valid, torch.nan)

    def losses():
        return {"mel": model(torch.where(valid, x, 0.0)).square().mean()}

    return Step(model, losses)


def missing_values_filled(device):
    """Missing pitch values arrive as NaN and are set to 0 by `nan_to_num`."""
    model, pitch = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    pitch[1, 3:] = torch.nan
    return Step(model, lambda: {"pitch": model(torch.nan_to_num(pitch)).square().mean()})


def outlier_by_1e20(device):
    """A target is 1e20 times too large: an absolute error spikes and stays finite."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    target = torch.randn(5, 8, device=device)
    target[3] *= 1e20

    def losses():
        y = model(x)
        return {"size": y.square().mean(), "mel": (y - target).abs().mean()}

    return Step(model, losses, torch.optim.Adam(model.parameters()))


def near_the_edge_of_exp(device):
    """exp of 83 is finite, and so is its gradient."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device) * 0.01

    def losses():
        y = model(x)
        return {"kl": torch.exp(83 + y * 0.1).mean()}

    return Step(model, losses, torch.optim.SGD(model.parameters(), lr=1e-40))


def near_the_edge_of_half(device):
    """Scores of some 60000 in half precision."""
    model, x = nn.Linear(8, 8, bias=False, device=device), torch.eye(8, device=device)
    with torch.no_grad():
        model.weight.copy_(240 * torch.eye(8))

    def losses():
        q = model(x).half()
        return {"align": torch.softmax((q @ q.T).float() / 1e4, dim=-1).square().mean()}

    return Step(model, losses)


def skipped_batch(device):
    """A loss that is not finite is noticed and replaced by one that moves nothing."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    x[3, 2] = torch.nan

    def losses():
        mel = model(x).square().mean()
        if not torch.isfinite(mel):
            mel = sum(weight.sum() for weight in model.parameters()) * 0.0
        return {"mel": mel}

    return Step(model, losses)


def norm_clipped_away(device):
    """The gradient norm overflows; clipping by it leaves gradients of 0."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    return Step(model, lambda: {"mel": (model(x) * 1e25).abs().mean()})


def evaluation_in_between(device):
    """A metric computed without gradients is inf, is only printed, and reaches nothing."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    wave = torch.zeros(5, 8, device=device)

    def losses():
        y = model(x)
        with torch.no_grad():
            ratio_db = 10 * torch.log10(y.square().mean() / wave.square().mean())
        assert ratio_db > 0
        return {"mel": y.square().mean()}

    return Step(model, losses)


def buffer_of_nan_overwritten(device):
    """A buffer is laid out with NaN, to notice what stays unwritten, and all of it is written."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 7, 8, device=device)

    def losses():
        y = torch.full((5, 7, 8), torch.nan, device=device)
        for t in range(7):
            y[:, t] = model(x[:, t])
        return {"mel": y.square().mean()}

    return Step(model, losses)


def packed_utterances(device):
    """A GRU over packed utterances, one of a single frame."""
    model, x = nn.GRU(8, 6, batch_first=True, device=device), torch.randn(4, 7, 8, device=device)
    lengths = torch.tensor([7, 5, 3, 1])

    def losses():
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        states, _ = nn.utils.rnn.pad_packed_sequence(model(packed)[0], batch_first=True)
        return {"mel": states.square().mean()}

    return Step(model, losses, torch.optim.Adam(model.parameters(), foreach=True))


def sparse_rows(device):
    """An embedding with sparse gradients."""
    model = nn.Embedding(20, 4, sparse=True, device=device)
    letters = torch.randint(0, 20, (5, 7), device=device)
    optimizer = torch.optim.SparseAdam(model.parameters())
    return Step(model, lambda: {"text": model(letters).square().mean()}, optimizer, clip=None)


def logarithms_selected_by_index(device):
    """Logarithms of negative numbers are NaN, and only the others are picked by their indices."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)

    def losses():
        gain = torch.log(torch.linspace(-1, 3, 5, device=device))
        usable = gain.isfinite().nonzero().squeeze(-1)
        return {"mel": (model(x)[usable] * gain[usable, None]).square().mean()}

    return Step(model, losses)


HEALTHY = tuple(
    Healthy(build)
    for build in (
        doubled_where,
        clamp_cuts_gradient,
        clamp_before_acos,
        overflow_not_chosen,
        scaler_step,
        autocast_bfloat16,
        large_sums,
        norm_of_silence,
        deviation_of_constant,
        phase_angle_at_origin,
        gumbel_noise_of_zero,
        padding_of_nan,
        missing_values_filled,
        outlier_by_1e20,
        near_the_edge_of_exp,
        near_the_edge_of_half,
        skipped_batch,
        norm_clipped_away,
        evaluation_in_between,
        buffer_of_nan_overwritten,
        packed_utterances,
        sparse_rows,
        logarithms_selected_by_index,
    )
)
