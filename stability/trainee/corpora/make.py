"""Synthesise the audio of the embedded corpora with eSpeak NG (extra `audio`).

    python -m stability.trainee.corpora.make DIR

The text is read from the `metadata.csv` files beside this script and never written anywhere but DIR.
Reading a corpus is the business of `stability.trainee.corpus`, not of this file.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import multiprocessing
from pathlib import Path

import numpy as np

CORPORA = Path(__file__).parent
VOICES = {"en": b"en-us", "fa": b"fa"}
SAMPLE_RATE_HZ = 16_000
WORDS_PER_MINUTE = 165
GAIN = 0.7
"""Head room: eSpeak NG drives its output close to full scale, and resampling overshoots."""

# Constants of espeak-ng's speak_lib.h
AUDIO_OUTPUT_SYNCHRONOUS = 2
ESPEAK_RATE = 1
ESPEAK_CHARS_UTF8 = 1


def make_corpora(directory: Path) -> dict[str, str]:
    """Write every embedded corpus below `directory`; return each one's sha256.

    eSpeak NG's noise source carries state from one sentence to the next, so a corpus is repeatable
    only when it is synthesised once, in order, in a process that has synthesised nothing before.
    """
    sha256s = {}
    for name in VOICES:
        process = multiprocessing.get_context("spawn").Process(
            target=make_corpus, args=(name, directory / name)
        )
        process.start()
        process.join()
        if process.exitcode != 0:
            raise RuntimeError(f"synthesising corpus {name!r} failed with exit code {process.exitcode}")
        sha256s[name] = corpus_sha256(directory / name)
    return sha256s


def make_corpus(name: str, folder: Path) -> None:
    """Write one corpus in LJSpeech layout; correct only in a process that has not synthesised before."""
    from scipy.io import wavfile

    metadata = (CORPORA / name / "metadata.csv").read_bytes()
    (folder / "wavs").mkdir(parents=True, exist_ok=True)
    (folder / "metadata.csv").write_bytes(metadata)
    speaker = Speaker(VOICES[name])
    for line in metadata.decode("utf-8").splitlines():
        utterance_id, _, normalised = line.split("|")
        wavfile.write(folder / "wavs" / f"{utterance_id}.wav", SAMPLE_RATE_HZ, speaker.say(normalised))


def corpus_sha256(folder: Path) -> str:
    """Return the sha256 of `metadata.csv` followed by its wavs in the order of its lines.

    It is what `cat metadata.csv wavs/*.wav | sha256sum` prints, since ids are numbered in order.
    """
    metadata = (folder / "metadata.csv").read_bytes()
    digest = hashlib.sha256(metadata)
    for line in metadata.decode("utf-8").splitlines():
        digest.update((folder / "wavs" / f"{line.split('|')[0]}.wav").read_bytes())
    return digest.hexdigest()


class Speaker:
    """One eSpeak NG voice, loaded into this process by ctypes."""

    def __init__(self, voice: bytes) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self._rate_hz = self._library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, data, 0)
        if self._rate_hz <= 0:
            raise RuntimeError(f"espeak_Initialize failed with {self._rate_hz}")
        self._check(self._library.espeak_SetVoiceByName(voice))
        self._check(self._library.espeak_SetParameter(ESPEAK_RATE, WORDS_PER_MINUTE, 0))
        self._blocks: list[np.ndarray] = []
        # Kept on the object: the library calls it for as long as this speaker lives.
        self._callback = CALLBACK(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str) -> np.ndarray:
        """Return `text` spoken, int16 mono at `SAMPLE_RATE_HZ`."""
        self._blocks.clear()
        raw = text.encode("utf-8")
        size = ctypes.c_size_t(len(raw) + 1)
        self._check(self._library.espeak_Synth(raw, size, 0, 0, 0, ESPEAK_CHARS_UTF8, None, None))
        self._check(self._library.espeak_Synchronize())
        return resample(np.concatenate(self._blocks), self._rate_hz)

    def _receive(self, samples, count: int, events) -> int:
        if samples and count > 0:
            self._blocks.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0

    @staticmethod
    def _check(status: int) -> None:
        if status != 0:
            raise RuntimeError(f"eSpeak NG answered with error {status}")


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def resample(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """Return int16 `samples` at `SAMPLE_RATE_HZ`, scaled by `GAIN`."""
    from scipy.signal import resample_poly

    divisor = np.gcd(SAMPLE_RATE_HZ, rate_hz)
    audio = resample_poly(samples.astype(np.float64), SAMPLE_RATE_HZ // divisor, rate_hz // divisor)
    return np.round(GAIN * audio).astype(np.int16)


def main() -> None:
    """Write the corpora into the folder given on the command line and print `sha256  name` lines."""
    parser = argparse.ArgumentParser(description="Synthesise the embedded corpora.")
    parser.add_argument("directory", type=Path, metavar="DIR", help="where to write en/ and fa/")
    for name, sha256 in make_corpora(parser.parse_args().directory).items():
        print(f"{sha256}  {name}")


if __name__ == "__main__":
    main()
