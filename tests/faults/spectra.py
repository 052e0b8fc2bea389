"""Faults in spectra and their losses, where the audio is silent."""

from __future__ import annotations

import torch
from planted import Fault, Step
from torch import nn

from stability.records import Phase


def spectrum(wave_BN: torch.Tensor) -> torch.Tensor:
    """A complex STFT, shaped (batch, bins, frames)."""
    window = torch.hann_window(32, device=wave_BN.device)
    return torch.stft(wave_BN, 32, hop_length=16, window=window, return_complex=True)


def waves(device: str, silent: int, items: int = 5, samples: int = 160) -> torch.Tensor:
    """Noise, and digital silence at the item `silent`."""
    wave = torch.randn(items, samples, device=device)
    wave[silent] = 0.0
    return wave


def log_mel_of_silence(device):
    """The log mel target of a silent recording, without a floor."""
    model, wave = nn.Linear(17, 17, device=device), waves(device, silent=3)

    def losses():
        magnitude = spectrum(wave).abs().transpose(1, 2)
        target = torch.log(magnitude)  # <- fault: log_mel_of_silence
        y = model(torch.log1p(magnitude))
        return {"mel": (y - target).abs().mean(), "size": y.square().mean()}

    return Step(model, losses)


def magnitude_by_root_at_silence(device):
    """The magnitude of a predicted spectrum as a root of squares: its slope at silence is infinite."""
    model, wave = nn.Linear(160, 160, bias=False, device=device), waves(device, silent=2)

    def losses():
        y = model(wave)
        parts = torch.view_as_real(spectrum(y))
        power = parts.square().sum(-1)
        magnitude = torch.sqrt(power)  # <- fault: magnitude_by_root_at_silence
        return {"wave": y.abs().mean(), "stft": magnitude.mean()}

    return Step(model, losses)


def spectral_convergence_of_silence(device):
    """Spectral convergence divides by the norm of the target, which is silent."""
    model, wave = nn.Linear(160, 160, device=device), waves(device, silent=3)

    def losses():
        y = model(wave)
        target, found = spectrum(wave).abs(), spectrum(y).abs()
        error = torch.linalg.matrix_norm(found - target)
        convergence = error / torch.linalg.matrix_norm(target)  # <- fault: spectral_convergence_of_silence
        return {"wave": (y - wave).abs().mean(), "stft": convergence.mean()}

    return Step(model, losses)


def power_law_of_silence(device):
    """Power-law compression of a magnitude: the slope of |x|^0.3 at 0 is infinite."""
    model, wave = nn.Linear(160, 160, bias=False, device=device), waves(device, silent=1)

    def losses():
        y = model(wave)
        magnitude = spectrum(y).abs()
        loudness = magnitude**0.3  # <- fault: power_law_of_silence
        return {"wave": y.abs().mean(), "loudness": loudness.mean()}

    return Step(model, losses)


def phase_of_silence(device):
    """A spectrum divided by its own magnitude, to keep the phase alone: 0 / 0 where it is silent."""
    model, wave = nn.Linear(160, 160, bias=False, device=device), waves(device, silent=3)

    def losses():
        y = model(wave)
        found = spectrum(y)
        direction = found / found.abs()  # <- fault: phase_of_silence
        return {"wave": y.abs().mean(), "phase": direction.real.mean()}

    return Step(model, losses)


def decibels_of_silence(device):
    """The level in decibels of an utterance that is silent."""
    model, wave = nn.Linear(160, 160, bias=False, device=device), waves(device, silent=2)

    def losses():
        y = model(wave)
        level_db = 20 * torch.log10(y.square().mean(-1).sqrt())  # <- fault: decibels_of_silence
        return {"wave": y.abs().mean(), "level": (level_db + 23).abs().mean()}

    return Step(model, losses)


FAULTS = (
    Fault(
        build=log_mel_of_silence, phase=Phase.FORWARD, op="aten.log.default", component="mel", batch_index=3
    ),
    Fault(
        build=magnitude_by_root_at_silence,
        phase=Phase.BACKWARD,
        op="aten.div.Tensor",
        node="SqrtBackward0",
        component="stft",
        batch_index=2,
    ),
    Fault(
        build=spectral_convergence_of_silence,
        phase=Phase.FORWARD,
        op="aten.div.Tensor",
        component="stft",
        batch_index=3,
    ),
    Fault(
        build=power_law_of_silence,
        phase=Phase.BACKWARD,
        op="aten.pow.Tensor_Scalar",
        node="PowBackward0",
        component="loudness",
        batch_index=1,
    ),
    Fault(
        build=phase_of_silence, phase=Phase.FORWARD, op="aten.div.Tensor", component="phase", batch_index=3
    ),
    Fault(
        build=decibels_of_silence,
        phase=Phase.FORWARD,
        op="aten.log10.default",
        component="level",
        batch_index=2,
    ),
)
