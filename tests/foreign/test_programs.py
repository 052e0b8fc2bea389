"""Each foreign program does at its three learning rates what its case says, when it is started directly."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys

import pytest
from cases import CASES, Case, prepare

NON_FINITE = re.compile(r"\b(nan|inf|infinity)\b", re.IGNORECASE)


def started(case: Case, folder, rate: float) -> tuple[int, str]:
    """The exit status, and all that the program said."""
    missing = [module for module in case.needs if importlib.util.find_spec(module) is None]
    if missing:
        pytest.skip(f"{case.name} needs {', '.join(missing)}")
    command = (sys.executable, *prepare(case, folder, rate))
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("rate", ["sane", "too_high"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_finite_end_is_said_to_be_one(case, rate, tmp_path) -> None:
    status, said = started(case, tmp_path, getattr(case, rate))
    assert status == 0, said[-2000:]
    assert not NON_FINITE.search(said)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_loss_that_is_not_finite_is_shown(case, tmp_path) -> None:
    _, said = started(case, tmp_path, case.nan)
    assert NON_FINITE.search(said)


def test_a_command_holds_the_rate_that_is_asked_for(tmp_path) -> None:
    for case in CASES:
        argv = prepare(case, tmp_path / case.name, 0.375)
        text = (tmp_path / case.name / case.lr_file).read_text() if case.lr_file else " ".join(argv)
        assert text.count("0.375") == 1, case.name
