"""Replaying a trial whose trainer is a program: the operation is named in the program as it is."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from stability.explain import explain
from stability.records import Phase
from stability.terminal import find_trial

TORCH = """
import argparse, torch

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--seed", type=int)
args = parser.parse_args()
torch.manual_seed(args.seed)
weight = torch.nn.Parameter(torch.full((4,), 2.0))
optimizer = torch.optim.SGD([weight], args.lr)
for step in range(12):
    loss = torch.log(weight + 0.01 * torch.rand(4)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"step {step} loss {loss.item():.4f}", flush=True)
"""
NO_TORCH = """
for step in range(12):
    print(f"step {step} loss {1.0 / (step + 1) if step < 6 else float('nan'):.4f}", flush=True)
"""
STUDY = """\
name: program
trainer: {command: ["{python}", train.py, --lr, "{lr}", --seed, "{seed}"], parse: auto}
budget: {epochs: 1, batch_size: 1, timeout_s: 120}
params: {lr: {min: 1e-3, max: 100.0, log: true}}
arms: {steep: {lr: 10.0}}
plan: [compare: {seeds: 1}]
yardstick: {loss: 1.0}
"""


@pytest.fixture
def diverged(tmp_path, run_study):
    """Runs a study of one trial of a program, and returns the store and the trial."""

    def run(program: str):
        (tmp_path / "train.py").write_text(textwrap.dedent(program))
        (tmp_path / "study.yaml").write_text(STUDY)
        _, store, _ = run_study(tmp_path / "study.yaml")
        [study] = store.studies()
        return store, find_trial(store.frames(study).trials, "steep/seed-0")

    return run


@pytest.mark.slow
def test_a_program_is_explained_as_it_is(diverged):
    store, trial = diverged(TORCH)
    assert trial["verdict"] == "DIVERGED"
    found = explain(store, trial)
    born = found.provenance
    assert found.reproduced, found.difference
    assert (born.phase, born.op, Path(born.file).name, born.line) == (
        Phase.FORWARD, "aten.log.default", "train.py", 12,
    )  # fmt: skip


@pytest.mark.slow
def test_a_program_without_torch_says_why_it_is_not_explained(diverged):
    found = explain(*diverged(NO_TORCH))
    assert (found.provenance, found.reproduced) == (None, False)
    assert found.difference == "it imported no torch"
