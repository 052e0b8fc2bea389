"""The ready studies of other people's trainers: each loads, and runs where its trainer is installed."""

import importlib.util
from pathlib import Path

import pytest

from stability import trainers
from stability.spec import load_study

ROOT = Path(__file__).parents[1]
STUDIES = ROOT / "studies"
INSTALLED = {
    "lightning": importlib.util.find_spec("lightning") is not None,
    "hf_speecht5": importlib.util.find_spec("transformers") is not None,
    "coqui_glowtts": (ROOT / ".coqui").exists(),
    "piper_vits": (ROOT / ".piper").exists(),
}
SHORT = ("plan=[{compare: {seeds: 1}}]", "budget.epochs=2")
TRAIN_MAIN = """\
import argparse
p = argparse.ArgumentParser()
for name in ("--model-size", "--optimization-level"):
    p.add_argument(name)
p.add_argument("--learning-rate", type=float)
for name in ("--epochs", "--batch-size", "--seed"):
    p.add_argument(name, type=int)
args = p.parse_args()
stop = 7.597 + 0.01 * args.seed if args.optimization_level == "enhanced" else 1.4
for epoch in range(1, args.epochs + 1):
    mel = float("nan") if args.learning_rate > 1e-2 and epoch > 1 else 0.69 / epoch
    for step in range(1, 9):
        print(f"\\r{step}/8 [====>...] - loss={mel + stop:.4f}, mel={mel:.2f}, stop={stop:.3f}", end="")
        stop *= 0.9
    print(f"\\nEpoch {epoch}: loss={mel + stop:.4f}, mel={mel:.2f}, stop={stop:.3f}")
    print(f"Validation: loss={mel + stop:.3f}, mel={mel:.3f}, stop={stop:.3f}")
"""


@pytest.mark.parametrize("study", sorted(path.stem for path in STUDIES.glob("*.yaml")))
def test_every_study_loads(study):
    assert load_study(STUDIES / f"{study}.yaml").name == study


@pytest.mark.slow
@pytest.mark.parametrize("study", INSTALLED)
def test_a_real_trainer_is_stable_as_shipped_and_diverges_when_hot(study, run_study):
    if not INSTALLED[study]:
        pytest.skip(f"the trainer of studies/{study}.yaml is not installed")
    spec, store, _ = run_study(STUDIES / f"{study}.yaml", *SHORT)
    trials = store.trials(spec.name).set_index("arm")
    usual = spec.compare.baseline
    assert trials.loc[usual, "outcome"] == "FINISHED", trials["error"]
    assert trials.loc[usual, "verdict"] in ("STABLE", "INCONCLUSIVE")  # so short a run may show too little
    assert trials.loc["hot", "verdict"] == "DIVERGED", trials["error"]
    assert trials.loc[usual, "steps"] >= 4


def test_the_command_line_of_the_first_report(tmp_path, run_study):
    (tmp_path / "train_main.py").write_text(TRAIN_MAIN)
    (tmp_path / "train_main.yaml").write_text((STUDIES / "train_main.yaml").read_text())
    plan = "plan=[{compare: {seeds: 2}}]"
    spec, store, _ = run_study(tmp_path / "train_main.yaml", plan)
    assert not any("lr" in sentence for sentence in trainers.advice(spec))
    trials = store.trials(spec.name)
    assert set(trials["verdict"]) == {"STABLE"}, trials[["error", "evidence"]].to_dict("records")
    assert set(trials["steps"]) == {18}  # 8 states of the bar and a summary, twice
    frames = store.frames(spec.name)
    evaluated = frames.epochs[frames.epochs["source"] != "train"]
    assert set(frames.steps["epoch"].dropna()) == set(evaluated["epoch"]) == {0, 1}
    hot = ("name=hot", "arms.basic.lr=0.05", plan)
    spec, store, _ = run_study(tmp_path / "train_main.yaml", *hot)
    verdicts = store.trials("hot").groupby("arm")["verdict"].agg(set)
    assert dict(verdicts) == {"basic": {"DIVERGED"}, "enhanced": {"STABLE"}}
