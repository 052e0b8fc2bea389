"""The tutorial's commands, run as they stand on the page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow
def test_it_leads_from_nan_to_a_training_that_works(tmp_path):
    shutil.copy(DOCS / "tutorial" / "train.py", tmp_path)
    commands = re.findall(r"```sh\n(.*?)```", (DOCS / "tutorial.md").read_text(), re.S)
    assert len(commands) == 6
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    printed = [
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True,
        ).stdout
        for command in commands
    ]  # fmt: skip
    assert "loss=nan" in (tmp_path / "old.log").read_text()
    assert printed[2].splitlines()[-1] == "report: reports/nan/report.md"
    report = (tmp_path / "reports/nan/report.md").read_text()
    assert "| `clip` | cannot be told: too few digits agree" in report
    assert "bit for bit" not in report and "decades outside `lr <= " in report
    bound = float(re.search(r"^    lr: (\S+)$", (tmp_path / "patch.yaml").read_text(), re.M)[1])
    assert 0.003 <= bound < 0.2
    last = printed[4].splitlines()[-1]
    assert last.startswith("step 59: loss=0.") and "nan" not in printed[4]
    assert printed[5].splitlines()[-1] == "not yet: usual still has its old learning rate"
