"""`stability init` and then `stability run`, without an edit, on programs that know nothing of either.

The verdict has to be right at a learning rate that trains, at one far too high, and at one that ends in NaN.
"""

from __future__ import annotations

import importlib.util
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from cases import CASES, Case, prepare
from commanding import in_process_of_its_own

QUICK = "fire_cli", "subcommands"
"""They load no large library."""
RIGHT = {
    "sane": {"STABLE"},
    "too_high": {"DIVERGED", "STUCK"},
    "nan": {"DIVERGED"},
}
"""Lost at chance, where the losses end finite: it gave back all that it had, or never had any."""
RUNS = [(case, rate) for case in CASES for rate in RIGHT if getattr(case, rate) is not None]


def verdicts(case: Case, rate: str, folder: Path) -> list[str]:
    """Of two trials of the study that `init` writes for the program's usual command at this rate."""
    missing = [module for module in case.needs if importlib.util.find_spec(module) is None]
    if missing:
        pytest.skip(f"{case.name} needs {', '.join(missing)}")
    command = prepare(case, folder, getattr(case, rate))
    quiet = {"OMP_NUM_THREADS": "1", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for arguments in (
        ("init", "--", "python3", *command),
        ("run", "study.yaml", "plan=[{compare: {seeds: 2}}]", "--jobs", "2"),
    ):
        done = in_process_of_its_own(folder, *arguments, **quiet)
        assert done.returncode == 0 or arguments[0] == "run", done.stdout + done.stderr
    with closing(sqlite3.connect(folder / "stability.db")) as store:
        return [row[0] for row in store.execute("select verdict from stability_trials")]


@pytest.mark.slow
@pytest.mark.parametrize(("case", "rate"), RUNS, ids=lambda own: getattr(own, "name", own))
def test_a_program_is_judged_rightly_without_an_edit(case, rate, tmp_path):
    found = verdicts(case, rate, tmp_path)
    assert len(found) == 2 and set(found) <= RIGHT[rate], (tmp_path / "study.yaml").read_text()


@pytest.mark.parametrize("rate", ["sane", "nan"])
def test_a_quick_one_is_judged_rightly_without_an_edit(rate, tmp_path):
    [case] = [case for case in CASES if case.name == QUICK]
    assert set(verdicts(case, rate, tmp_path)) <= RIGHT[rate]
