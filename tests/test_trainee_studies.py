"""Whole studies of the built-in trainee: both languages, a folder of one's own, divergence at high rates."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

DEFAULT = Path(__file__).parents[1] / "studies" / "basic_vs_enhanced.yaml"
SHORT = ("budget.epochs=2",)
PAIR = "plan=[{compare: {seeds: 1}}]"


@pytest.mark.slow
@pytest.mark.parametrize("corpus", ["en", "fa"])
def test_high_learning_rates_diverge_and_low_ones_do_not(run_study, corpus):
    plan = "plan=[{compare: {seeds: 1}}, {search: {sampler: grid, trials: 4, points: 4}}]"
    fixed = [f"params.{name}={{value: {value}}}" for name, value in FIXED.items()]
    arms = ("arms={low: {lr: 1e-4}, high: {lr: 0.5}}", "compare={baseline: low, treatment: high}")
    overrides = (*SHORT, plan, *fixed, *arms, f"data.corpus={corpus}")
    spec, store, _ = run_study(DEFAULT, *overrides)
    frames = store.frames(spec.name)
    verdicts = {row["key"]: row["verdict"] for row in frames.trials.to_dict("records")}
    assert verdicts["low/seed-0"] == "STABLE" and verdicts["high/seed-0"] == "DIVERGED"
    # The grid's learning rates are 1e-6, 1e-4, 1e-2 and 1.
    assert [verdicts[f"trial-{i}"] == "DIVERGED" for i in range(4)] == [False, False, False, True]
    assert not np.isfinite(frames.steps.value).all()  # what went wrong is in the store as it was
    assert set(frames.events.kind) & {"nan_loss", "inf_loss", "nan_grad"}


FIXED = {
    "mel_weight": 1.0, "kl_weight": 0.5, "clip": 1.0,
    "adaptive": "false", "label_smoothing": "false", "huber": "false",
}  # fmt: skip


@pytest.mark.slow
def test_a_folder_of_ones_own_at_another_rate(run_study, tmp_path):
    folder = tmp_path / "mine"
    (folder / "wavs").mkdir(parents=True)
    dice = np.random.default_rng(0)
    lines = []
    for i in range(14):
        tone = np.sin(2 * math.pi * (200 + 40 * i) * np.arange(22_050) / 22_050)
        stereo = (8000 * tone[:, None] + dice.normal(0, 500, (22_050, 2))).astype(np.int16)
        wavfile.write(folder / "wavs" / f"u{i}.wav", 22_050, stereo)
        lines.append(f"u{i}|Tone number {i}.")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    _, store, watcher = run_study(DEFAULT, *SHORT, PAIR, f"data={{corpus: {folder}, utterances: 6}}")
    compared = [row for row in watcher.rows if row["stage"] == "compare"]
    assert [row["outcome"] for row in compared] == ["FINISHED", "FINISHED"]
    assert {row["verdict"] for row in compared} == {"INCONCLUSIVE"}  # so few steps show nothing
    assert set(store.frames("basic_vs_enhanced").trials.steps) == {
        2
    }  # 2 epochs of 6 utterances in batches of 8


def test_pairs_start_from_the_same_weights_and_data(run_study):
    _, store, _ = run_study(DEFAULT, *SHORT, PAIR)
    trials = store.frames("basic_vs_enhanced").trials
    pair = trials[trials.stage == "compare"]
    assert pair.yardstick_initial.nunique() == 1 and pair.yardstick_final.nunique() == 2
