"""Corpora in LJSpeech layout, embedded or the user's own: finding, checking and reading them.

`FOLDER/metadata.csv` holds `id|text` or `id|text|normalised` lines, `FOLDER/wavs/ID.wav` the audio.
The last `EVALUATION_UTTERANCES` lines are held out. Audio reaches the trainee as it is: a NaN sample
of a float wav stays NaN. No torch here; features are made in `stability.trainee.features`.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stability.records import UserError
from stability.suggest import suggest

EMBEDDED = ("en", "fa")
EVALUATION_UTTERANCES = 8
SAMPLE_RATE_HZ = 16_000
WINDOW_SAMPLES = 1024
"""One analysis window of the mel features, at `SAMPLE_RATE_HZ`; a shorter utterance has no features."""
SILENCE_LEVEL = 1e-3
"""An utterance whose samples stay within this fraction of full scale (-60 dBFS) counts as silent."""

_UTF8_BOM = b"\xef\xbb\xbf"
_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_SAMPLE_TYPES = {
    (_PCM, 8): np.dtype("u1"),
    (_PCM, 16): np.dtype("<i2"),
    (_PCM, 24): np.dtype("V3"),
    (_PCM, 32): np.dtype("<i4"),
    (_FLOAT, 32): np.dtype("<f4"),
    (_FLOAT, 64): np.dtype("<f8"),
}


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence: its id, the text to be spoken and the file of its audio."""

    id: str
    text: str
    wav: Path


@dataclass(frozen=True, slots=True)
class Corpus:
    """The utterances of one study; `sha256` covers the selected metadata lines and their wavs."""

    name: str
    train: tuple[Utterance, ...]
    evaluation: tuple[Utterance, ...]
    sha256: str


def load_corpus(corpus: str | Path, utterances: int | None = None) -> Corpus:
    """Return the checked corpus `en`, `fa`, or the one in the LJSpeech folder `corpus`.

    `utterances` is the number of training utterances taken from the top (None: all). Every metadata
    line is checked, but only the audio of the selected lines is read. `sha256` is that of the selected
    lines, each ended by a newline, followed by the bytes of their wavs.

    Raises UserError naming everything that is wrong, one `metadata.csv:LINE: problem; fix` a line.
    """
    _check_count(utterances)
    folder = _find_folder(corpus)
    lines = _metadata_lines(folder)
    train, evaluation = lines[:-EVALUATION_UTTERANCES][:utterances], lines[-EVALUATION_UTTERANCES:]
    found, problems = _read_fields(lines, folder)
    digest = hashlib.sha256(b"".join(raw + b"\n" for _, raw in train + evaluation))
    for number, _ in train + evaluation:
        if number in found:
            try:
                digest.update(_checked_wav(found[number].wav))
            except _BadWav as error:
                problems[number] = f"wavs/{found[number].id}.wav {error}"
    _raise_problems(folder, problems, _shortage(len(lines), utterances))
    chosen = [tuple(found[number] for number, _ in part) for part in (train, evaluation)]
    return Corpus(folder.name, chosen[0], chosen[1], digest.hexdigest())


def read_audio(path: Path, sample_rate_hz: int = SAMPLE_RATE_HZ) -> np.ndarray:
    """Return a wav as float32 mono [samples] in [-1, 1] at `sample_rate_hz`, channels averaged.

    Reads 8, 16, 24 and 32-bit PCM and 32 and 64-bit float. Non-finite samples are kept.
    Raises UserError when the file cannot be read.
    """
    try:
        wav = _parse_wav(_read_bytes(path))
    except _BadWav as error:
        raise UserError(f"{path} {error}") from None
    return _resample(_samples(wav).mean(axis=1), wav.rate_hz, sample_rate_hz)


def _check_count(utterances: int | None) -> None:
    if utterances is None or (type(utterances) is int and utterances > 0):
        return
    raise UserError(f"utterances must be a positive integer, not {utterances!r}; leave it out to take all")


def _find_folder(corpus: str | Path) -> Path:
    """Return the folder of an embedded corpus or of the user's; `./en` means a folder, `en` does not."""
    if corpus in EMBEDDED:
        return Path(__file__).parent / "corpora" / str(corpus)
    folder = Path(corpus).expanduser().absolute()
    if folder.is_dir():
        return folder
    found = "it is not a folder" if folder.exists() else "there is no such folder"
    hint = suggest(corpus, [*EMBEDDED, "the path of an LJSpeech folder"])
    raise UserError(f"unknown corpus {str(corpus)!r}, {found}{hint}")


def _metadata_lines(folder: Path) -> list[tuple[int, bytes]]:
    """Return (line number, line) of `metadata.csv`, without byte-order mark, line ends and blank tail."""
    path = folder / "metadata.csv"
    if not path.is_file():
        raise UserError(f"{path}: no such file; a corpus folder holds metadata.csv (id|text) and wavs/")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    lines = [line.rstrip(b"\r") for line in content.removeprefix(_UTF8_BOM).split(b"\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    return list(enumerate(lines, start=1))


def _read_fields(lines: list[tuple[int, bytes]], folder: Path) -> tuple[dict[int, Utterance], dict[int, str]]:
    """Return the utterance of every good line and the problem of every bad one, by line number."""
    found: dict[int, Utterance] = {}
    problems: dict[int, str] = {}
    first_line: dict[str, int] = {}
    for number, raw in lines:
        try:
            fields = _decoded(raw).split("|")
        except UnicodeDecodeError as error:
            problems[number] = f"not UTF-8 (byte 0x{raw[error.start]:02X}); save the file as UTF-8"
            continue
        problem = _field_problem(fields, first_line)
        first_line.setdefault(fields[0], number)
        if problem is None:
            found[number] = Utterance(fields[0], fields[-1].strip(), folder / "wavs" / f"{fields[0]}.wav")
        else:
            problems[number] = problem
    return found, problems


def _decoded(raw: bytes) -> str:
    """Return a line's text; a NUL is what UTF-16 looks like to a reader of UTF-8, so it is refused."""
    if b"\0" in raw:
        raise UnicodeDecodeError("utf-8", raw, raw.index(b"\0"), raw.index(b"\0") + 1, "NUL")
    return raw.decode("utf-8")


def _field_problem(fields: list[str], first_line: dict[str, int]) -> str | None:
    if len(fields) not in (2, 3):
        count = f"{len(fields)} field" + "s" * (len(fields) != 1)
        return f"{count}, expected 2 or 3; write 'id|text' or 'id|text|normalised'"
    if not fields[0].strip():
        return "empty id; name the wav (without '.wav') in the first field"
    if fields[0] in first_line:
        return f"duplicate id {fields[0]!r}, first in line {first_line[fields[0]]}; rename one or remove it"
    if not all(field.strip() for field in fields[1:]):
        return f"empty text; write what {fields[0]!r} says or remove the line"
    return None


def _shortage(lines: int, utterances: int | None) -> str | None:
    """Return what to say when the corpus is too small for what was asked."""
    training = utterances or 1
    needed = training + EVALUATION_UTTERANCES
    if lines >= needed:
        return None
    split = f"{training} for training and the last {EVALUATION_UTTERANCES} for evaluation"
    if lines > EVALUATION_UTTERANCES:
        fix = f"set utterances to {lines - EVALUATION_UTTERANCES} or less, or add lines"
    else:
        fix = f"add at least {needed - lines} more"
    return f"metadata.csv: {lines} utterances found, {needed} needed ({split}); {fix}"


def _raise_problems(folder: Path, problems: dict[int, str], shortage: str | None) -> None:
    messages = [f"metadata.csv:{number}: {problems[number]}" for number in sorted(problems)]
    if shortage is not None:
        messages.append(shortage)
    if messages:
        raise UserError("\n".join([f"bad corpus {folder} ({len(messages)} to fix):", *messages]))


class _BadWav(Exception):
    """What is wrong with a wav, phrased to follow its name."""


@dataclass(frozen=True, slots=True)
class _Wav:
    """A wav's header and its audio bytes, not yet decoded."""

    rate_hz: int
    channels: int
    sample_type: np.dtype
    audio: memoryview

    @property
    def frames(self) -> int:
        return len(self.audio) // (self.channels * self.sample_type.itemsize)


def _checked_wav(path: Path) -> bytes:
    """Return a file's bytes once its header and its samples are fit to train on."""
    content = _read_bytes(path)
    wav = _parse_wav(content)
    if wav.frames == 0:
        raise _BadWav("has no samples; record again or remove the line")
    if wav.frames * SAMPLE_RATE_HZ < WINDOW_SAMPLES * wav.rate_hz:
        length = f"{wav.frames / wav.rate_hz:.3f} s"
        window = f"{WINDOW_SAMPLES / SAMPLE_RATE_HZ:.3f} s"
        raise _BadWav(f"lasts {length}, less than one analysis window ({window}); remove the line")
    samples = _samples(wav)
    # NaN and infinity compare as not silent: they are data that has to reach the training.
    if (float(samples.max()) - float(samples.min())) / 2 < SILENCE_LEVEL:
        raise _BadWav(f"is silent (within {SILENCE_LEVEL} of full scale); record again or remove its line")
    return content


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise _BadWav("does not exist; add the file or remove the line") from None
    except OSError as error:
        raise _BadWav(f"cannot be read ({error.strerror}); check the file and its permissions") from None


def _parse_wav(content: bytes) -> _Wav:
    """Return header and audio of a RIFF wav (Microsoft and IBM, Multimedia Programming Interface, 1991)."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise _BadWav("is not a wav (no RIFF header); convert it to PCM wav")
    chunks = _chunks(memoryview(content))
    layout = chunks.get(b"fmt ", memoryview(b""))
    if len(layout) < 16 or b"data" not in chunks:
        raise _BadWav("is truncated (no audio after its header); copy it again")
    tag, channels, rate_hz, bits = (_uint(layout[a:b]) for a, b in ((0, 2), (2, 4), (4, 8), (14, 16)))
    if tag == _EXTENSIBLE:
        tag = _uint(layout[24:26])
    if (tag, bits) not in _SAMPLE_TYPES or not channels or not rate_hz:
        given = f"format {tag}, {bits} bits, {channels} channels, {rate_hz} Hz"
        raise _BadWav(f"cannot be decoded ({given}); convert it to 8, 16, 24 or 32-bit PCM or to float")
    wav = _Wav(rate_hz, channels, _SAMPLE_TYPES[tag, bits], chunks[b"data"])
    if len(wav.audio) % (channels * wav.sample_type.itemsize):
        raise _BadWav("is truncated (it ends within a sample); copy it again")
    return wav


def _chunks(content: memoryview) -> dict[bytes, memoryview]:
    """Return the first RIFF chunk of each name; one that runs past the end of the file is an error."""
    chunks: dict[bytes, memoryview] = {}
    start = 12
    while start + 8 <= len(content):
        name, size = bytes(content[start : start + 4]), _uint(content[start + 4 : start + 8])
        body = content[start + 8 : start + 8 + size]
        if len(body) < size and name in (b"fmt ", b"data"):
            raise _BadWav(f"is truncated (header promises {size} bytes, {len(body)} there); copy it again")
        chunks.setdefault(name, body)
        start += 8 + size + size % 2
    return chunks


def _uint(field: memoryview) -> int:
    return int.from_bytes(field, "little")


def _samples(wav: _Wav) -> np.ndarray:
    """Return float32 [frames, channels]; integer PCM is scaled by its full range, float is kept as it is."""
    if wav.sample_type.itemsize == 3:
        padded = np.zeros((len(wav.audio) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(wav.audio, np.uint8).reshape(-1, 3)
        raw = padded.view("<i4")
    else:
        raw = np.frombuffer(wav.audio, wav.sample_type)
    with np.errstate(over="ignore"):  # a float64 sample beyond float32 is infinite, and stays in the data
        samples = raw.reshape(-1, wav.channels).astype(np.float32)
    if raw.dtype.kind == "u":
        samples = samples - 128.0
    if raw.dtype.kind in "ui":
        samples = samples / np.float32(2.0 ** (8 * raw.dtype.itemsize - 1))
    return samples


def _resample(audio: np.ndarray, rate_hz: int, target_hz: int) -> np.ndarray:
    if rate_hz == target_hz:
        return audio
    from scipy.signal import resample_poly  # 0.4 s to import: only for those who need it

    divisor = math.gcd(rate_hz, target_hz)
    return resample_poly(audio, target_hz // divisor, rate_hz // divisor).astype(np.float32, copy=False)
