"""Features: an independent twin of the log-mel, the memory map, the race, and NaN that stays NaN."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import wavfile

from stability.records import UserError
from stability.trainee.audio import read_audio
from stability.trainee.corpus import Corpus, Utterance, load_corpus
from stability.trainee.features import load_features, log_mel, mel_filters, prepare

RATE_HZ, N_FFT, HOP = 16_000, 1024, 256


def small(corpus: str = "en", train: int = 3) -> Corpus:
    return load_corpus(corpus, train)


def twin_of_log_mel(audio: np.ndarray) -> np.ndarray:
    """The same definition, frame by frame in NumPy, the filterbank point by point."""
    padded = np.pad(audio.astype(np.float64), N_FFT // 2, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    starts = range(0, len(padded) - N_FFT + 1, HOP)
    spectra = np.abs(np.fft.rfft([padded[s : s + N_FFT] * window for s in starts]))
    return np.log(np.maximum(spectra @ twin_of_filters().T, 1e-5))


def twin_of_filters() -> np.ndarray:
    def hz(mel: float) -> float:
        return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

    top = 15 + 27 * np.log(8) / np.log(6.4)
    edges = [hz(top * n / 81) for n in range(82)]
    filters = np.zeros((80, N_FFT // 2 + 1))
    for m in range(80):
        points = edges[m : m + 3]
        area = np.array([0, 2 / (points[2] - points[0]), 0])
        filters[m] = np.interp(np.arange(N_FFT // 2 + 1) * RATE_HZ / N_FFT, points, area)
    return filters


def test_log_mel_agrees_with_its_twin():
    audio = read_audio(small().train[0].wav)
    mel_TM = log_mel(audio)
    assert (mel_TM.dtype, mel_TM.shape) == (np.float32, (1 + len(audio) // HOP, 80))
    np.testing.assert_allclose(mel_TM, twin_of_log_mel(audio), atol=1e-5)


def test_filters_have_unit_area_and_rise_in_frequency():
    filters_MF = mel_filters()
    assert filters_MF.shape == (80, 513)
    np.testing.assert_allclose(filters_MF[40:].sum(axis=1) * RATE_HZ / N_FFT, 1.0, atol=0.03)
    assert (np.diff(filters_MF.argmax(axis=1)) > 0).all()


def test_a_tone_lights_the_channel_around_it():
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ)
    bin_of_1_khz = mel_filters()[:, 64].argmax()
    assert (log_mel(tone)[2:-2].argmax(axis=1) == bin_of_1_khz).all()


def test_silence_is_the_floor_and_nan_is_nan():
    audio = np.zeros(4096)
    assert (log_mel(audio) == np.float32(np.log(1e-5))).all()
    audio[2048] = np.nan
    touched = np.isnan(log_mel(audio)).all(axis=1)
    np.testing.assert_array_equal(touched, [-512 <= 2048 - frame * HOP < 512 for frame in range(17)])


def test_features_are_mel_tokens_and_statistics(tmp_path):
    corpus = small()
    features = load_features(corpus, tmp_path)
    assert [clip.id for clip in features.train] == ["en-01", "en-02", "en-03"]
    assert [clip.id for clip in features.evaluation] == [f"en-{n}" for n in range(31, 39)]
    for clip, utterance in zip(features.train, corpus.train, strict=True):
        np.testing.assert_array_equal(clip.mel_TM, log_mel(read_audio(utterance.wav)))
    frames = np.concatenate([clip.mel_TM for clip in features.train]).astype(np.float64)
    assert features.mean == pytest.approx(frames.mean())
    assert features.std == pytest.approx(frames.std())


@pytest.mark.parametrize("name", ["en", "fa"])
def test_tokens_spell_the_text(tmp_path, name):
    corpus = small(name)
    features = load_features(corpus, tmp_path)
    alphabet = sorted(set("".join(u.text for u in corpus.train + corpus.evaluation)))
    assert features.vocabulary_size == len(alphabet) + 1
    for clip, utterance in zip(
        features.train + features.evaluation, corpus.train + corpus.evaluation, strict=True
    ):
        assert "".join(alphabet[token - 1] for token in clip.tokens) == utterance.text
        assert min(clip.tokens) >= 1


def test_mel_is_a_read_only_view_of_one_memory_map(tmp_path):
    features = load_features(small(), tmp_path)
    first, last = features.train[0].mel_TM, features.evaluation[-1].mel_TM
    assert isinstance(first, np.memmap) and isinstance(first.base, np.memmap)
    assert first.base is last.base
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 0.0


def test_ready_features_are_returned_without_computing(tmp_path):
    corpus = small()
    folder = prepare(corpus, tmp_path)
    before = (folder / "mel.npy").stat().st_mtime_ns
    gone = replace(corpus, train=tuple(replace(u, wav=Path("/nowhere")) for u in corpus.train))
    assert prepare(gone, tmp_path) == folder
    assert (folder / "mel.npy").stat().st_mtime_ns == before


def test_same_bytes_twice_and_whatever_the_threads(tmp_path):
    threads = torch.get_num_threads()
    digests = set()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            folder = prepare(small(), tmp_path / str(count))
            files = sorted(folder.iterdir())
            assert [file.name for file in files] == ["index.json", "mel.npy"]
            digests.add(hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest())
    finally:
        torch.set_num_threads(threads)
    assert len(digests) == 1


def test_other_selection_is_another_folder(tmp_path):
    assert prepare(small(train=2), tmp_path) != prepare(small(train=3), tmp_path)
    assert len(load_features(small(train=2), tmp_path).train) == 2


def test_two_processes_race_safely(tmp_path):
    code = (
        "import sys; from pathlib import Path; from stability.trainee.corpus import load_corpus;"
        "from stability.trainee.features import prepare;"
        "print('ready', flush=True); sys.stdin.read(1);"
        "print(prepare(load_corpus('fa'), Path(sys.argv[1])))"
    )
    start = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    racers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], **start) for _ in range(2)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("x")
        racer.stdin.flush()
    answers = [racer.communicate(timeout=240) for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0], answers
    (folder,) = (
        entry for entry in tmp_path.iterdir() if entry.is_dir()
    )  # one result, and no scratch folder left behind
    assert {out.strip() for out, _ in answers} == {str(folder)}
    assert len(load_features(load_corpus("fa"), tmp_path).train) == 30


def corpus_of(folder: Path, audios: list[np.ndarray]) -> Corpus:
    """A user's corpus of float wavs, the last eight held out."""
    (folder / "wavs").mkdir(parents=True)
    lines = "".join(f"u{n}|text\n" for n in range(len(audios)))
    (folder / "metadata.csv").write_text(lines)
    for n, audio in enumerate(audios):
        wavfile.write(folder / "wavs" / f"u{n}.wav", RATE_HZ, audio.astype(np.float32))
    return load_corpus(folder)


def test_nan_audio_reaches_the_features_but_not_the_statistics(tmp_path):
    audios = [np.random.default_rng(n).uniform(-0.5, 0.5, 8000) for n in range(10)]
    audios[0][4000] = np.nan
    features = load_features(corpus_of(tmp_path / "c", audios), tmp_path / "cache")
    bad = features.train[0].mel_TM
    assert np.isnan(bad).any() and not np.isnan(bad).all()
    assert np.isfinite([features.mean, features.std]).all()
    finite = np.concatenate([bad[np.isfinite(bad).all(axis=1)], features.train[1].mel_TM]).astype(np.float64)
    assert features.mean == pytest.approx(finite.mean())


def test_no_finite_frame_gives_nan_statistics(tmp_path):
    audios = [np.full(8000, np.nan)] + [np.random.default_rng(n).uniform(-0.5, 0.5, 8000) for n in range(8)]
    features = load_features(corpus_of(tmp_path / "c", audios), tmp_path / "cache")
    assert np.isnan([features.mean, features.std]).all()


def test_index_is_readable_json(tmp_path):
    index = json.loads((prepare(small("fa"), tmp_path) / "index.json").read_text(encoding="utf-8"))
    assert (index["corpus"], index["corpus_sha256"]) == ("fa", small("fa").sha256)
    assert index["settings"]["n_fft"] == N_FFT


def test_failed_preparation_leaves_nothing_behind(tmp_path):
    corpus = small()
    broken = replace(corpus, train=corpus.train + (Utterance("x", "x", tmp_path / "gone.wav"),))
    with pytest.raises(UserError, match=r"gone\.wav does not exist"):
        prepare(broken, tmp_path / "cache")
    assert [entry for entry in (tmp_path / "cache").iterdir() if entry.is_dir()] == []


def test_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError) as error:
        prepare(small(), tmp_path / "file" / "cache")
    reason = "Not a directory"
    assert str(error.value) == (
        f"cannot write features below {tmp_path / 'file' / 'cache'} ({reason}); free space or permit it"
    )
