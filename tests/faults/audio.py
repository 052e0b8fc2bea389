"""Faults in speech losses and features: pitch, durations, speakers, codebooks, flows, alignment."""

from __future__ import annotations

import torch
from planted import Fault, Step
from spectra import waves
from torch import nn

from stability.records import Phase


def pitch_of_unvoiced_item(device):
    """Pitch in octaves: unvoiced frames are stored as 0 Hz."""
    model, x = nn.Linear(8, 1, device=device), torch.randn(5, 9, 8, device=device)
    f0_hz = torch.rand(5, 9, device=device) * 100 + 100
    f0_hz[3, 4:6] = 0.0

    def losses():
        octaves = torch.log2(f0_hz / 440)  # <- fault: pitch_of_unvoiced_item
        y = model(x).squeeze(-1)
        return {"size": y.square().mean(), "pitch": (y - octaves).abs().mean()}

    return Step(model, losses)


def log_of_zero_duration(device):
    """The target of a duration predictor: the log of a duration of 0 frames."""
    model, x = nn.Linear(8, 1, device=device), torch.randn(6, 5, 8, device=device)
    durations = torch.randint(1, 9, (6, 5), device=device)
    durations[4, 2] = 0

    def losses():
        target = torch.log(durations.float())  # <- fault: log_of_zero_duration
        y = model(x).squeeze(-1)
        return {"size": y.square().mean(), "duration": torch.nn.functional.mse_loss(y, target)}

    return Step(model, losses)


def mean_over_no_frames(device):
    """An utterance's masked mean over its frames, of which it has none."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 9, 8, device=device)
    lengths = torch.tensor([9, 7, 5, 0, 8], device=device)

    def losses():
        y = model(x)
        valid = torch.arange(9, device=device) < lengths[:, None]
        error = ((y - x).abs().mean(-1) * valid).sum(-1)
        per_item = error / lengths  # <- fault: mean_over_no_frames
        return {"size": y.square().mean(), "mel": per_item.mean()}

    return Step(model, losses)


def deviation_of_one_frame(device):
    """The deviation of each utterance's pitch, one at a time; one of them has a single frame."""
    model, x = nn.Linear(8, 1, device=device), torch.randn(5, 9, 8, device=device)
    lengths = [9, 7, 1, 4, 8]

    def losses():
        pitch = model(x).squeeze(-1)
        spreads = []
        for item, length in enumerate(lengths):
            spread = pitch[item, :length].std()  # <- fault: deviation_of_one_frame
            spreads.append(spread)
        return {"size": pitch.square().mean(), "prosody": torch.stack(spreads).mean()}

    return Step(model, losses)


def masked_deviation_of_one_frame(device):
    """A masked variance over n - 1 frames, for all utterances at once; one has n = 1."""
    model, x = nn.Linear(8, 1, device=device), torch.randn(5, 9, 8, device=device)
    lengths = torch.tensor([9, 7, 3, 1, 8], device=device)

    def losses():
        pitch = model(x).squeeze(-1)
        valid = torch.arange(9, device=device) < lengths[:, None]
        mean = (pitch * valid).sum(-1, keepdim=True) / lengths[:, None]
        squares = ((pitch - mean).square() * valid).sum(-1)
        variance = squares / (lengths - 1)  # <- fault: masked_deviation_of_one_frame
        return {"size": pitch.square().mean(), "prosody": variance.mean()}

    return Step(model, losses)


def speaker_of_silent_item(device):
    """A speaker embedding x / |x| of a silent item."""
    model, x = nn.Linear(8, 8, bias=False, device=device), torch.randn(4, 8, device=device)
    x[1] = 0.0

    def losses():
        y = model(x)
        speaker = y / y.norm(dim=-1, keepdim=True)  # <- fault: speaker_of_silent_item
        return {"size": y.abs().mean(), "speaker": (speaker @ speaker.T).square().mean()}

    return Step(model, losses)


def si_sdr_of_silent_target(device):
    """Scale-invariant distortion: the projection onto a silent target divides by its energy."""
    model, wave = nn.Linear(160, 160, device=device), waves(device, silent=2)

    def losses():
        y = model(wave)
        energy = wave.square().sum(-1, keepdim=True)
        scale = (y * wave).sum(-1, keepdim=True) / energy  # <- fault: si_sdr_of_silent_target
        distortion = (y - scale * wave).square().sum(-1)
        return {"wave": y.abs().mean(), "sdr": distortion.mean()}

    return Step(model, losses)


class Aligner(nn.Module):
    """Letters from frames, judged by connectionist temporal classification."""

    def __init__(self) -> None:
        super().__init__()
        self.letters, self.ctc = nn.Linear(8, 6), nn.CTCLoss(reduction="none")

    def forward(self, x_BTF, targets, frames, lengths):
        log_probs_TBC = self.letters(x_BTF).log_softmax(-1).transpose(0, 1)
        return self.ctc(log_probs_TBC, targets, frames, lengths)  # <- fault: ctc_target_longer_than_input


def ctc_target_longer_than_input(device):
    """More letters than frames in one item: no alignment exists, and its loss is infinite."""
    model, x = Aligner().to(device), torch.randn(5, 9, 8, device=device)
    targets = torch.randint(1, 6, (5, 6), device=device)
    frames, lengths = torch.tensor([9, 9, 9, 3, 9]), torch.tensor([3, 2, 4, 6, 3])

    def losses():
        per_item = model(x, targets, frames, lengths)
        return {"ctc": (per_item / lengths.to(device)).mean()}

    return Step(model, losses)


def code_without_usage(device):
    """A codebook entry is the mean of the vectors assigned to it; nothing was assigned to one.

    There happen to be as many codes as items, but the code that broke is no item.
    """
    model, x = nn.Linear(8, 4, device=device), torch.randn(5, 8, device=device)
    codes = torch.tensor([0, 1, 1, 3, 4], device=device)

    def losses():
        z = model(x)
        assigned = nn.functional.one_hot(codes, 5).float()
        codebook = (assigned.T @ z) / assigned.sum(0)[:, None]  # <- fault: code_without_usage
        return {"mel": z.abs().mean(), "commitment": codebook.square().sum(-1).mean()}

    return Step(model, losses)


def flow_scale_of_zero(device):
    """A flow's log determinant: the log of a scale that relu made 0."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 8, device=device)
    shut = torch.zeros(5, 1, device=device)
    shut[3] = -50.0

    def losses():
        scale = torch.relu(model(x) + 5 + shut)
        log_det = torch.log(scale.abs())  # <- fault: flow_scale_of_zero
        return {"prior": (x * scale).square().mean(), "flow": -log_det.sum(-1).mean()}

    return Step(model, losses)


class Coupling(nn.Module):
    """The inverse of an affine coupling layer over (batch, channels, frames)."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Conv1d(2, 4, 3, padding=1)

    def forward(self, y_BCT, extra_BCT):
        kept, changed = y_BCT.chunk(2, dim=1)
        log_scale, shift = (self.net(kept) + extra_BCT).chunk(2, dim=1)
        inverse = torch.exp(-log_scale)  # <- fault: inverse_of_coupling
        return torch.cat((kept, (changed - shift) * inverse), dim=1)


class Flow(nn.Module):
    """Two coupling layers, the second with an offset."""

    def __init__(self) -> None:
        super().__init__()
        self.couplings = nn.ModuleList([Coupling(), Coupling()])

    def forward(self, x_BCT, extra_BCT):
        y_BCT = self.couplings[0](x_BCT, torch.zeros_like(extra_BCT))
        return self.couplings[1](y_BCT, extra_BCT)


def inverse_of_coupling(device):
    """An affine coupling layer is inverted with exp(-log s) where log s is -100."""
    model = Flow().to(device)
    x, extra = torch.randn(4, 4, 7, device=device), torch.zeros(4, 4, 7, device=device)
    extra[1, 0, 3] = -100.0
    return Step(model, lambda: {"wave": model(x, extra).abs().mean()})


FAULTS = (
    Fault(
        build=pitch_of_unvoiced_item,
        phase=Phase.FORWARD,
        op="aten.log2.default",
        component="pitch",
        batch_index=3,
    ),
    Fault(
        build=log_of_zero_duration,
        phase=Phase.FORWARD,
        op="aten.log.default",
        component="duration",
        batch_index=4,
    ),
    Fault(
        build=mean_over_no_frames, phase=Phase.FORWARD, op="aten.div.Tensor", component="mel", batch_index=3
    ),
    Fault(
        build=deviation_of_one_frame,
        phase=Phase.FORWARD,
        op="aten.std.correction",
        component="prosody",
        batch_index=2,
    ),
    Fault(
        build=masked_deviation_of_one_frame,
        phase=Phase.FORWARD,
        op="aten.div.Tensor",
        component="prosody",
        batch_index=3,
    ),
    Fault(
        build=speaker_of_silent_item,
        phase=Phase.FORWARD,
        op="aten.div.Tensor",
        component="speaker",
        batch_index=1,
    ),
    Fault(
        build=si_sdr_of_silent_target,
        phase=Phase.FORWARD,
        op="aten.div.Tensor",
        component="sdr",
        batch_index=2,
    ),
    Fault(
        build=ctc_target_longer_than_input,
        phase=Phase.FORWARD,
        op="aten._ctc_loss.Tensor",
        component="ctc",
        batch_index=3,
        module="ctc",
        alone=True,
    ),
    Fault(build=code_without_usage, phase=Phase.FORWARD, op="aten.div.Tensor", component="commitment"),
    Fault(
        build=flow_scale_of_zero, phase=Phase.FORWARD, op="aten.log.default", component="flow", batch_index=3
    ),
    Fault(
        build=inverse_of_coupling,
        phase=Phase.FORWARD,
        op="aten.exp.default",
        component="wave",
        batch_index=1,
        module="couplings.1",
    ),
)
