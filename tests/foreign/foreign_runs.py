"""`stability init` and then `stability run`, without an edit, on a foreign program."""

from __future__ import annotations

import importlib.util
import os
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from commanding import in_process_of_its_own
from foreign_cases import Case, prepare

RATES = ("sane", "too_high", "nan")
RIGHT = {
    "sane": {"STABLE"},
    "too_high": {"DIVERGED", "STUCK"},
    "nan": {"DIVERGED"},
}
"""Where the losses end finite and at chance, it gave back all that it had, or never had any."""
WARNED = {"UNSTABLE", "INCONCLUSIVE"}
"""Right too where a case says why: what is printed cannot show more. STABLE never is."""
TRIALS = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """What `init` said, the verdicts of the trials, and how many seconds both commands took."""

    said: tuple[str, ...]
    verdicts: tuple[str, ...]
    wall_s: float

    @property
    def not_done(self) -> list[str]:
        """What `init` could not do, a line each."""
        return [line.removeprefix("not done: ") for line in self.said if line.startswith("not done: ")]

    def is_right(self, case: Case, rate: str) -> bool:
        right = RIGHT[rate] | (WARNED if rate == "too_high" and case.warned else set())
        return len(self.verdicts) == TRIALS and set(self.verdicts) <= right


def missing(case: Case) -> list[str]:
    """The modules that the program needs and that are not installed."""
    return [module for module in case.needs if importlib.util.find_spec(module) is None]


def seen(case: Case, rate: str, folder: Path) -> Seen:
    """The program's usual command at this rate, and the study that `init` writes for it."""
    command = prepare(case, folder, getattr(case, rate))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    quiet = {"OMP_NUM_THREADS": "1", "PATH": path}
    start_s = time.monotonic()
    told = in_process_of_its_own(folder, "init", "--", "python3", *command, **quiet)
    assert (folder / "study.yaml").is_file(), told.stdout + told.stderr
    plan = f"plan=[{{compare: {{seeds: {TRIALS}}}}}]"
    in_process_of_its_own(folder, "run", "study.yaml", plan, "--jobs", str(TRIALS), **quiet)
    wall_s = time.monotonic() - start_s
    with closing(sqlite3.connect(folder / "stability.db")) as store:
        verdicts = tuple(row[0] for row in store.execute("select verdict from stability_trials"))
    return Seen(tuple(told.stdout.splitlines()), verdicts, wall_s)
