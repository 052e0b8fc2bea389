"""Wav files -> samples: decoded and resampled by SciPy, checked here for what makes them unfit to train on.

Audio reaches the trainee as it is: a NaN sample of a float wav stays NaN. No torch here.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
from pathlib import Path

import numpy as np

from stability.records import UserError

SAMPLE_RATE_HZ = 16_000
WINDOW_SAMPLES = 1024
"""One analysis window of the mel features, at `SAMPLE_RATE_HZ`; a shorter utterance has no features."""
SILENCE_LEVEL = 1e-3
"""An utterance whose samples stay within this fraction of full scale (-60 dBFS) counts as silent."""


class BadWav(Exception):
    """What is wrong with a wav, phrased to follow its name."""


def read_audio(path: Path, sample_rate_hz: int = SAMPLE_RATE_HZ) -> np.ndarray:
    """Return a wav as float32 mono [samples] in [-1, 1] at `sample_rate_hz`, channels averaged.

    Reads PCM and float of any width SciPy knows. Non-finite samples are kept.
    Raises UserError when the file cannot be read.
    """
    try:
        rate_hz, samples_SC = _decode(_read_bytes(path))
    except BadWav as error:
        raise UserError(f"{path} {error}") from None
    return _resample(samples_SC.mean(axis=1), rate_hz, sample_rate_hz)


def checked_wav(path: Path) -> bytes:
    """Return a file's bytes once its header and its samples are fit to train on; raises `BadWav`."""
    content = _read_bytes(path)
    rate_hz, samples_SC = _decode(content)
    if len(samples_SC) == 0:
        raise BadWav("has no samples; record again or remove the line")
    if len(samples_SC) * SAMPLE_RATE_HZ < WINDOW_SAMPLES * rate_hz:
        length = f"{len(samples_SC) / rate_hz:.3f} s"
        window = f"{WINDOW_SAMPLES / SAMPLE_RATE_HZ:.3f} s"
        raise BadWav(f"lasts {length}, less than one analysis window ({window}); remove the line")
    # NaN and infinity compare as not silent: they are data that has to reach the training.
    if (float(samples_SC.max()) - float(samples_SC.min())) / 2 < SILENCE_LEVEL:
        raise BadWav(f"is silent (within {SILENCE_LEVEL} of full scale); record again or remove its line")
    return content


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BadWav("does not exist; add the file or remove the line") from None
    except OSError as error:
        raise BadWav(f"cannot be read ({error.strerror}); check the file and its permissions") from None


def _decode(content: bytes) -> tuple[int, np.ndarray]:
    """Return the rate in Hz and float32 [samples, channels]; integers are scaled by their full range."""
    from scipy.io import wavfile  # 0.2 s to import: only for those who read audio

    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Reached EOF prematurely", wavfile.WavFileWarning)
        warnings.filterwarnings("ignore", r"Chunk \(non-data\) not understood", wavfile.WavFileWarning)
        try:
            rate_hz, raw = wavfile.read(io.BytesIO(content))
        except (wavfile.WavFileWarning, ValueError, struct.error, UnboundLocalError) as error:
            # The last is what SciPy raises where no audio follows the header.
            raise BadWav(f"is truncated or no wav of PCM or floats ({error}); copy or convert it") from None
    with np.errstate(over="ignore"):  # a float64 sample beyond float32 is infinite, and stays in the data
        samples = (raw if raw.ndim == 2 else raw[:, None]).astype(np.float32)
    if raw.dtype == np.uint8:
        samples = samples - 128.0
    if raw.dtype.kind in "ui":
        samples = samples / np.float32(2.0 ** (8 * raw.dtype.itemsize - 1))
    return rate_hz, samples


def _resample(audio_S: np.ndarray, rate_hz: int, target_hz: int) -> np.ndarray:
    if rate_hz == target_hz:
        return audio_S
    from scipy.signal import resample_poly  # 0.4 s to import: only for those who need it

    divisor = math.gcd(rate_hz, target_hz)
    return resample_poly(audio_S, target_hz // divisor, rate_hz // divisor).astype(np.float32, copy=False)
