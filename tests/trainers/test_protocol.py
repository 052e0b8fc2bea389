"""The page on the protocol is true: its C++ program is a trainer as it stands."""

import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"
STUDY = """\
name: cpp
trainer: {command: [./train, "{lr}"]}
budget: {epochs: 1, batch_size: 1, timeout_s: 60}
params: {lr: {min: 1.0e-3, max: 10.0, log: true}}
arms: {calm: {lr: 0.1}, hot: {lr: 2.0}}
plan: [{compare: {seeds: 1}}]
yardstick: {square: 1.0}
"""


@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler")
def test_the_program_on_the_page_compiles_and_is_judged(tmp_path, run_study):
    program = PAGE.read_text().partition("```cpp\n")[2].partition("```")[0]
    (tmp_path / "train.cpp").write_text(program)
    subprocess.run(["g++", "-o", tmp_path / "train", tmp_path / "train.cpp"], check=True)
    (tmp_path / "study.yaml").write_text(STUDY)
    spec, store, _ = run_study(tmp_path / "study.yaml")
    trials = store.trials(spec.name).set_index("arm")
    assert dict(trials["verdict"]) == {"calm": "STABLE", "hot": "DIVERGED"}
    assert trials.loc["calm", "steps"] == 200
