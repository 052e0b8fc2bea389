"""Corpora: the embedded ones are what was made, a user's folder is read the same way, bad input is named."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from stability.records import UserError
from stability.trainee import corpora
from stability.trainee.audio import read_audio
from stability.trainee.corpus import load_corpus

CORPORA = Path(corpora.__file__).parent
RATE_HZ = 16_000
RNG = np.random.default_rng


def listed_sha256s() -> dict[str, str]:
    lines = (CORPORA / "SHA256SUMS").read_text().splitlines()
    return {name: sha256 for sha256, name in (line.split() for line in lines)}


def noise(seconds: float = 0.2, seed: int = 0, rate_hz: int = RATE_HZ) -> np.ndarray:
    return RNG(seed).integers(-9000, 9000, int(seconds * rate_hz), dtype=np.int16)


def write_corpus(folder: Path, count: int = 12, columns: int = 3) -> Path:
    """A good user's corpus of `count` utterances."""
    (folder / "wavs").mkdir(parents=True)
    extra = "|spoken {}" if columns == 3 else ""
    lines = [f"u{n}|text {n}" + extra.format(n) for n in range(1, count + 1)]
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for n in range(1, count + 1):
        wavfile.write(folder / "wavs" / f"u{n}.wav", RATE_HZ, noise(seed=n))
    return folder


def replace_line(folder: Path, number: int, line: str) -> None:
    path = folder / "metadata.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[number - 1] = line
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def problems(folder: Path, utterances: int | None = None) -> list[str]:
    """The lines of the error that loading `folder` raises, after its heading."""
    with pytest.raises(UserError) as error:
        load_corpus(folder, utterances)
    heading, *lines = str(error.value).split("\n")
    assert heading == f"bad corpus {folder} ({len(lines)} to fix):"
    return lines


# The embedded corpora


@pytest.mark.parametrize("name", ["en", "fa"])
def test_embedded_corpus_is_the_one_that_was_made(name):
    corpus = load_corpus(name)
    assert (corpus.name, len(corpus.train), len(corpus.evaluation)) == (name, 30, 8)
    wavs = sorted((CORPORA / name / "wavs").glob("*.wav"))
    content = [(CORPORA / name / "metadata.csv").read_bytes(), *(wav.read_bytes() for wav in wavs)]
    assert len(wavs) == 38
    assert corpus.sha256 == hashlib.sha256(b"".join(content)).hexdigest() == listed_sha256s()[name]
    assert corpus.sha256 in (CORPORA / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["en", "fa"])
def test_embedded_audio_is_16_khz_speech_neither_silent_nor_clipped(name):
    corpus = load_corpus(name)
    for utterance in corpus.train + corpus.evaluation:
        rate_hz, samples = wavfile.read(utterance.wav)
        assert (rate_hz, samples.dtype, samples.ndim) == (RATE_HZ, np.int16, 1)
        assert 1.5 < len(samples) / rate_hz < 4.5
        assert 0.2 < np.abs(samples / 32768).max() < 0.95


def test_embedded_text_is_what_is_spoken():
    corpus = load_corpus("en")
    assert corpus.train[0].text == "The ferry leaves the harbour at seven every morning."
    assert corpus.evaluation[0].id == "en-31"
    texts = [utterance.text for name in ("en", "fa") for utterance in load_corpus(name).train]
    assert len(set(texts)) == 60
    assert not any(re.search(r"\d", text) for text in texts)
    assert any("\u067e" in text for text in texts)  # the Persian letter pe


@pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None,
    reason="needs eSpeak NG: pip install 'stability[audio]'",
)
def test_making_the_corpora_again_gives_the_same_sha256(tmp_path):
    command = [sys.executable, "-m", "stability.trainee.corpora.make", str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    made = {name: sha256 for sha256, name in (line.split() for line in printed.splitlines())}
    assert made == listed_sha256s()


# A user's folder


def test_users_folder_is_read_by_the_same_code(tmp_path):
    corpus = load_corpus(CORPORA / "en")
    assert corpus == load_corpus("en")
    mine = load_corpus(str(write_corpus(tmp_path / "mine")))
    assert mine.name == "mine"
    assert [utterance.id for utterance in mine.train] == ["u1", "u2", "u3", "u4"]
    assert [utterance.id for utterance in mine.evaluation] == [f"u{n}" for n in range(5, 13)]
    assert mine.train[0].text == "spoken 1"
    assert mine.train[0].wav == tmp_path / "mine" / "wavs" / "u1.wav"


def test_two_columns_give_the_text(tmp_path):
    assert load_corpus(write_corpus(tmp_path / "c", columns=2)).train[0].text == "text 1"


def test_utterances_are_taken_from_the_top_and_change_the_sha256(tmp_path):
    folder = write_corpus(tmp_path / "c")
    three, all_four = load_corpus(folder, 3), load_corpus(folder)
    assert [utterance.id for utterance in three.train] == ["u1", "u2", "u3"]
    assert three.evaluation == all_four.evaluation
    assert three.sha256 != all_four.sha256
    assert load_corpus(folder, 4) == all_four


def test_sha256_covers_selected_text_and_audio_only(tmp_path):
    folder = write_corpus(tmp_path / "c")
    before = load_corpus(folder, 2).sha256
    wavfile.write(folder / "wavs" / "u4.wav", RATE_HZ, noise(seed=99))
    replace_line(folder, 4, "u4|other|words")
    assert load_corpus(folder, 2).sha256 == before
    wavfile.write(folder / "wavs" / "u2.wav", RATE_HZ, noise(seed=99))
    other_audio = load_corpus(folder, 2).sha256
    replace_line(folder, 1, "u1|text 1|other words")
    assert len({before, other_audio, load_corpus(folder, 2).sha256}) == 3


def test_byte_order_mark_crlf_and_blank_tail_are_tolerated(tmp_path):
    folder = write_corpus(tmp_path / "c")
    plain = load_corpus(folder)
    content = (folder / "metadata.csv").read_bytes()
    (folder / "metadata.csv").write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n") + b"\r\n  \n\n")
    assert load_corpus(folder) == plain


def test_wavs_outside_the_selection_are_not_looked_at(tmp_path):
    folder = write_corpus(tmp_path / "c")
    (folder / "wavs" / "u3.wav").unlink()
    assert len(load_corpus(folder, 2).train) == 2
    assert problems(folder, 3) == [
        "metadata.csv:3: wavs/u3.wav does not exist; add the file or remove the line"
    ]


# What is wrong is named


@pytest.mark.parametrize("given", [0, -1, 2.0, "3", True])
def test_utterances_must_be_a_positive_integer(given):
    with pytest.raises(UserError) as error:
        load_corpus("en", given)
    said = f"utterances must be a positive integer, not {given!r}; leave it out to take all"
    assert str(error.value) == said


def test_unknown_corpus_is_suggested(tmp_path):
    with pytest.raises(
        UserError, match=r"^unknown corpus 'em', there is no such folder; did you mean 'en'\?"
    ):
        load_corpus("em")
    with pytest.raises(UserError) as error:
        load_corpus("/nowhere/LJSpeech")
    allowed = "(en, fa, the path of an LJSpeech folder)"
    assert str(error.value) == f"unknown corpus '/nowhere/LJSpeech', there is no such folder; {allowed}"
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="it is not a folder; "):
        load_corpus(tmp_path / "file")


def test_folder_without_metadata(tmp_path):
    with pytest.raises(UserError) as error:
        load_corpus(tmp_path)
    layout = "a corpus folder holds metadata.csv (id|text) and wavs/"
    assert str(error.value) == f"{tmp_path / 'metadata.csv'}: no such file; {layout}"


def test_too_few_utterances(tmp_path):
    folder = write_corpus(tmp_path / "c")
    assert problems(folder, 30) == [
        "metadata.csv: 12 utterances found, 38 needed (30 for training and the last 8 for evaluation);"
        " set utterances to 4 or less, or add lines"
    ]
    (folder / "metadata.csv").write_text("")
    assert problems(folder) == [
        "metadata.csv: 0 utterances found, 9 needed (1 for training and the last 8 for evaluation);"
        " add at least 9 more"
    ]


def test_bad_lines_are_listed_all_at_once(tmp_path):
    folder = write_corpus(tmp_path / "c", count=16)
    for number, line in {1: "u1", 2: "u2|a|b|c", 3: "|text", 4: "u5|x", 6: "u6| ", 7: "u7|x|", 8: ""}.items():
        replace_line(folder, number, line)
    content = (
        (folder / "metadata.csv").read_bytes().replace(b"text 9", b"caf\xe9").replace(b"text 10", b"a\0")
    )
    (folder / "metadata.csv").write_bytes(content)
    (folder / "wavs" / "u11.wav").unlink()
    (folder / "wavs" / "u16.wav").write_bytes(b"")
    fields = "expected 2 or 3; write 'id|text' or 'id|text|normalised'"
    assert problems(folder) == [
        f"metadata.csv:1: 1 field, {fields}",
        f"metadata.csv:2: 4 fields, {fields}",
        "metadata.csv:3: empty id; name the wav (without '.wav') in the first field",
        "metadata.csv:5: duplicate id 'u5', first in line 4; rename one or remove it",
        "metadata.csv:6: empty text; write what 'u6' says or remove the line",
        "metadata.csv:7: empty text; write what 'u7' says or remove the line",
        f"metadata.csv:8: 1 field, {fields}",
        "metadata.csv:9: not UTF-8 (byte 0xE9); save the file as UTF-8",
        "metadata.csv:10: not UTF-8 (byte 0x00); save the file as UTF-8",
        "metadata.csv:11: wavs/u11.wav does not exist; add the file or remove the line",
        "metadata.csv:16: wavs/u16.wav is truncated or no wav of PCM or floats (File format b'' not understood. Only 'RIFF', 'RIFX', and 'RF64' supported.); copy or convert it",
    ]


def wav_bytes(tmp_path: Path, samples: np.ndarray, rate_hz: int = RATE_HZ) -> bytes:
    wavfile.write(tmp_path / "sound.wav", rate_hz, samples)
    return (tmp_path / "sound.wav").read_bytes()


def mu_law(content: bytes) -> bytes:
    return content[:20] + b"\x07\x00" + content[22:]


BAD_WAVS = {
    "cut": (
        lambda t: wav_bytes(t, noise())[:-1000],
        r"is truncated or no wav of PCM or floats \(Reached EOF prematurely; .*\); copy or convert it",
    ),
    "cut in header": (
        lambda t: wav_bytes(t, noise())[:30],
        r"is truncated or no wav of PCM or floats \(.*\); copy or convert it",
    ),
    "no audio": (
        lambda t: wav_bytes(t, noise())[:36],
        r"is truncated or no wav of PCM or floats \(.*\); copy or convert it",
    ),
    "not a wav": (
        lambda t: b"ID3" + b"x" * 500,
        r"is truncated or no wav of PCM or floats \(File format b'ID3x' not understood.*\); copy or convert it",
    ),
    "mu-law": (
        lambda t: mu_law(wav_bytes(t, noise())),
        r"is truncated or no wav of PCM or floats \(Unknown wave file format: MULAW.*\); copy or convert it",
    ),
    "cut within a sample": (
        lambda t: wav_bytes(t, noise())[:-1001],
        r"is truncated or no wav of PCM or floats \(.*\); copy or convert it",
    ),
    "empty": (lambda t: wav_bytes(t, noise(0.0)), "has no samples; record again or remove the line"),
    "short": (
        lambda t: wav_bytes(t, noise(0.05)),
        r"lasts 0.050 s, less than one analysis window \(0.064 s\); remove the line",
    ),
    "zeros": (
        lambda t: wav_bytes(t, np.zeros(8000, np.int16)),
        r"is silent \(within 0.001 of full scale\)",
    ),
    "constant": (
        lambda t: wav_bytes(t, np.full(8000, 900, np.int16)),
        "is silent .*; record again or remove",
    ),
    "faint": (lambda t: wav_bytes(t, noise() // 1000), "is silent"),
    "8-bit silence": (lambda t: wav_bytes(t, np.full(8000, 128, np.uint8)), "is silent"),
}


@pytest.mark.parametrize("content, said", BAD_WAVS.values(), ids=BAD_WAVS)
def test_bad_wav_is_named(tmp_path, content, said):
    folder = write_corpus(tmp_path / "c")
    (folder / "wavs" / "u7.wav").write_bytes(content(tmp_path))
    (line,) = problems(folder)
    assert re.match(rf"metadata\.csv:7: wavs/u7\.wav {said}", line), line


def test_wav_that_is_a_folder(tmp_path):
    folder = write_corpus(tmp_path / "c")
    (folder / "wavs" / "u1.wav").unlink()
    (folder / "wavs" / "u1.wav").mkdir()
    said = "wavs/u1.wav cannot be read (Is a directory); check the file and its permissions"
    assert problems(folder) == [f"metadata.csv:1: {said}"]


def test_nonfinite_sample_is_kept_and_is_not_silence(tmp_path):
    folder = write_corpus(tmp_path / "c")
    for value, kept in ((np.nan, np.nan), (np.inf, np.inf), (-1e300, -np.inf), (1e38, np.float32(1e38))):
        samples = np.zeros(8000)
        samples[4000] = value
        wavfile.write(folder / "wavs" / "u1.wav", RATE_HZ, samples)
        read = read_audio(load_corpus(folder).train[0].wav)
        np.testing.assert_array_equal(read[4000], kept)
        assert np.count_nonzero(read) == 1


# Reading audio, against scipy's reader and known answers


def tone(rate_hz: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)


@pytest.mark.parametrize(
    "encode, tolerance",
    [
        (lambda x: np.round(x * 127 + 128).astype(np.uint8), 1 / 100),
        (lambda x: np.round(x * 32767).astype(np.int16), 1 / 30_000),
        (lambda x: np.round(x * (2**31 - 1)).astype(np.int32), 1e-6),
        (lambda x: x.astype(np.float32), 0),
        (lambda x: x.astype(np.float64), 1e-7),
    ],
    ids=["8-bit", "16-bit", "32-bit", "float32", "float64"],
)
def test_sample_formats(tmp_path, encode, tolerance):
    wavfile.write(tmp_path / "x.wav", RATE_HZ, encode(tone(RATE_HZ)))
    audio = read_audio(tmp_path / "x.wav")
    assert audio.dtype == np.float32
    np.testing.assert_allclose(audio, tone(RATE_HZ).astype(np.float32), atol=tolerance, rtol=0)


def test_24_bit_extensible_stereo_agrees_with_scipy(tmp_path):
    values = RNG(1).integers(-(2**23), 2**23, 4000)
    audio = b"".join(int(v).to_bytes(3, "little", signed=True) for v in values)
    guid_tail = b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    layout = struct.pack("<HHIIHHHHIH", 0xFFFE, 2, RATE_HZ, RATE_HZ * 6, 6, 24, 22, 24, 3, 1) + guid_tail
    chunks = b"LIST\x03\x00\x00\x00abc\x00" + b"fmt " + struct.pack("<I", len(layout)) + layout
    chunks += b"data" + struct.pack("<I", len(audio)) + audio
    (tmp_path / "x.wav").write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    left_aligned = wavfile.read(tmp_path / "x.wav")[1]
    np.testing.assert_array_equal(
        read_audio(tmp_path / "x.wav"), (left_aligned / 2**31).mean(axis=1).astype("f4")
    )


def test_stereo_is_averaged(tmp_path):
    left = tone(RATE_HZ).astype(np.float32)
    wavfile.write(tmp_path / "x.wav", RATE_HZ, np.stack([left, 0.5 * left], axis=1))
    np.testing.assert_allclose(read_audio(tmp_path / "x.wav"), 0.75 * left, atol=1e-7)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 48000])
def test_any_rate_is_resampled(tmp_path, rate_hz):
    wavfile.write(tmp_path / "x.wav", rate_hz, tone(rate_hz).astype(np.float32))
    audio = read_audio(tmp_path / "x.wav")
    assert (audio.dtype, len(audio)) == (np.float32, RATE_HZ)
    np.testing.assert_allclose(audio[500:-500], tone(RATE_HZ)[500:-500], atol=2e-3)


def test_read_audio_names_the_file(tmp_path):
    with pytest.raises(UserError) as error:
        read_audio(tmp_path / "gone.wav")
    assert str(error.value) == f"{tmp_path / 'gone.wav'} does not exist; add the file or remove the line"


def test_a_large_folder_costs_only_what_is_selected(tmp_path):
    folder = write_corpus(tmp_path / "c")
    lines = (folder / "metadata.csv").read_text().splitlines()
    lines[4:4] = [f"absent{n}|text|text" for n in range(50_000)]
    (folder / "metadata.csv").write_text("\n".join(lines))
    assert len(load_corpus(folder, 4).train) == 4
