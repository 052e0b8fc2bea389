"""Features of a corpus: log-mel frames, computed once and memory-mapped, and character tokens.

Shape legend: S samples, F frequency bins, T frames, M mel channels.
Reading and checking wavs is the business of `stability.trainee.corpus`; batching, that of the training.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from stability.records import UserError
from stability.trainee.audio import SAMPLE_RATE_HZ, WINDOW_SAMPLES, read_audio
from stability.trainee.corpus import Corpus

MEL_CHANNELS = 80
HOP_SAMPLES = 256
LOG_FLOOR = 1e-5
PADDING = 0
"""The token that no character has."""

FEATURE_SETTINGS = {
    "sample_rate_hz": SAMPLE_RATE_HZ,
    "n_fft": WINDOW_SAMPLES,
    "hop": HOP_SAMPLES,
    "mels": MEL_CHANNELS,
    "definition": f"ln(max(slaney mel of the Hann STFT magnitude, {LOG_FLOOR}))",
    "version": 1,
}
"""What the features depend on besides the corpus; part of the cache key."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One utterance ready to train on; `mel_TM` is float32, a read-only view of the memory-mapped cache."""

    id: str
    tokens: tuple[int, ...]
    mel_TM: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """All clips of a corpus; `mean` and `std` are those of the finite training frames.

    `vocabulary_size` counts the padding token; ids run from 1 to `vocabulary_size - 1`.
    """

    train: tuple[Clip, ...]
    evaluation: tuple[Clip, ...]
    vocabulary_size: int
    mean: float
    std: float


def load_features(corpus: Corpus, cache: Path) -> Features:
    """Return the features of `corpus` memory-mapped from below `cache`, preparing them if absent.

    Raises UserError when a wav cannot be read or the cache cannot be written.
    """
    return _open(prepare(corpus, cache))


def prepared_features(corpus_sha256: str, cache: Path) -> Features | None:
    """Return the features below `cache` of the corpus with this sha256, or None; no audio is read."""
    folder = cache / _key(corpus_sha256)
    return _open(folder) if folder.is_dir() else None


def _open(folder: Path) -> Features:
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    mel_TM = np.load(folder / "mel.npy", mmap_mode="r")
    clips = tuple(
        Clip(clip["id"], tuple(clip["tokens"]), mel_TM[clip["start"] : clip["start"] + clip["frames"]])
        for clip in index["clips"]
    )
    split = index["train"]
    return Features(clips[:split], clips[split:], len(index["vocabulary"]) + 1, index["mean"], index["std"])


def prepare(corpus: Corpus, cache: Path) -> Path:
    """Compute the features of `corpus` unless they are there; return their folder below `cache`.

    The folder is named by the corpus and the settings and appears complete by one rename. Of several
    processes that want the same corpus one computes, and the others wait for it.
    """
    target = cache / _key(corpus.sha256)
    if target.is_dir():
        return target
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / f"{target.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.is_dir():
                _compute(corpus, cache).rename(target)
    except OSError as error:
        raise UserError(
            f"cannot write features below {cache} ({error.strerror}); free space or permit it"
        ) from error
    return target


def log_mel(audio_S: np.ndarray) -> np.ndarray:
    """Return the natural-log mel spectrogram float32 [T, M] of mono audio [S], T = 1 + S // hop.

    Magnitude (not power) of a centred, reflected STFT with a periodic Hann window, through a Slaney
    filterbank from 0 Hz to Nyquist, floored at 1e-5: the definition of HiFi-GAN (arXiv 2010.05646) at
    16 kHz. The floor is part of the definition and lets NaN through. Computed in float64, so that
    thread counts do not show in the stored float32.
    """
    window = torch.hann_window(WINDOW_SAMPLES, dtype=torch.float64)
    signal_S = torch.from_numpy(audio_S.astype(np.float64))
    spectrum_FT = torch.stft(signal_S, WINDOW_SAMPLES, HOP_SAMPLES, window=window, return_complex=True).abs()
    mel_MT = torch.from_numpy(mel_filters()) @ spectrum_FT
    return torch.log(torch.clamp(mel_MT, min=LOG_FLOOR)).T.to(torch.float32).contiguous().numpy()


def mel_filters() -> np.ndarray:
    """Return the mel filterbank float64 [M, F]: triangles of unit area, evenly spaced in Slaney's mel.

    Source: M. Slaney, Auditory Toolbox (Interval Research report 1998-010), as in librosa's default.
    """
    bins_F = np.linspace(0, SAMPLE_RATE_HZ / 2, WINDOW_SAMPLES // 2 + 1)
    edges_hz = _mel_to_hz(np.linspace(0, _hz_to_mel(SAMPLE_RATE_HZ / 2), MEL_CHANNELS + 2))[:, None]
    low, centre, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    triangles_MF = np.minimum((bins_F - low) / (centre - low), (high - bins_F) / (high - centre))
    return np.maximum(triangles_MF, 0.0) * 2.0 / (high - low)


# Slaney's scale: 3 mel per 200 Hz up to 1 kHz (15 mel), then 27 mel per factor of 6.4.
_KNEE_HZ, _KNEE_MEL, _HZ_PER_MEL, _LOG_STEP = 1000.0, 15.0, 200.0 / 3.0, math.log(6.4) / 27.0


def _hz_to_mel(hz: float) -> float:
    return hz / _HZ_PER_MEL if hz < _KNEE_HZ else _KNEE_MEL + math.log(hz / _KNEE_HZ) / _LOG_STEP


def _mel_to_hz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < _KNEE_MEL, mel * _HZ_PER_MEL, _KNEE_HZ * np.exp(_LOG_STEP * (mel - _KNEE_MEL)))


def _key(corpus_sha256: str) -> str:
    return hashlib.sha256((corpus_sha256 + json.dumps(FEATURE_SETTINGS)).encode()).hexdigest()


def _compute(corpus: Corpus, cache: Path) -> Path:
    """Write the features into a folder of their own below `cache`; what fails leaves nothing behind."""
    scratch = Path(tempfile.mkdtemp(dir=cache, prefix=".preparing-"))
    try:
        _write(corpus, scratch)
    except BaseException:
        shutil.rmtree(scratch)
        raise
    return scratch


def _write(corpus: Corpus, folder: Path) -> None:
    """Write `mel.npy`, float32 [all frames, M], one utterance after another, and `index.json`."""
    utterances = corpus.train + corpus.evaluation
    vocabulary = sorted(set("".join(utterance.text for utterance in utterances)))
    token = {character: number for number, character in enumerate(vocabulary, start=PADDING + 1)}
    clips, moments, frames = [], np.zeros(3), 0
    with (folder / "mel.npy").open("wb") as file:
        _write_header(file, frames)
        for position, utterance in enumerate(utterances):
            mel_TM = log_mel(read_audio(utterance.wav))
            file.write(mel_TM.tobytes())
            tokens = [token[character] for character in utterance.text]
            clips.append({"id": utterance.id, "tokens": tokens, "start": frames, "frames": len(mel_TM)})
            frames += len(mel_TM)
            if position < len(corpus.train):
                moments += _moments(mel_TM)
        file.seek(0)
        _write_header(file, frames)
    mean, std = _mean_and_std(*moments)
    index = {"settings": FEATURE_SETTINGS, "corpus": corpus.name, "corpus_sha256": corpus.sha256}
    index |= {"vocabulary": vocabulary, "mean": mean, "std": std, "train": len(corpus.train), "clips": clips}
    (folder / "index.json").write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")


def _write_header(file: BinaryIO, frames: int) -> None:
    """Write the .npy header of [frames, M]; its length does not depend on `frames`, NumPy leaves room."""
    layout = {"descr": "<f4", "fortran_order": False, "shape": (frames, MEL_CHANNELS)}
    np.lib.format.write_array_header_1_0(file, layout)


def _moments(mel_TM: np.ndarray) -> np.ndarray:
    """Return count, sum and sum of squares over the values of the wholly finite frames."""
    finite_TM = mel_TM[np.isfinite(mel_TM).all(axis=1)].astype(np.float64)
    return np.array([finite_TM.size, finite_TM.sum(), np.square(finite_TM).sum()])


def _mean_and_std(count: float, total: float, squares: float) -> tuple[float, float]:
    if count == 0:
        return math.nan, math.nan
    mean = float(total / count)
    return mean, math.sqrt(squares / count - mean**2)
