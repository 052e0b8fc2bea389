"""What several test files need: a study of toy trials, and a way to run it."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is loaded

import pytest
import torch
from commanding import copy_study, in_this_process
from warm import Warm
from watching import Watcher

from stability import trainers
from stability.executors.local import LocalExecutor
from stability.report import build, write
from stability.report.figures import FIGURES
from stability.report.markdown import render
from stability.report.sections import compose
from stability.report.stored import stored
from stability.spec import StudySpec, load_study
from stability.store import Store
from stability.study import Run, drive

torch.set_num_threads(1)
"""On small arrays several threads mostly wait for each other. Trials are told so by the driver, not from here."""

TOYS = Path(__file__).parent / "toys.py"

STUDY = """\
name: toy
trainer: {{call: "{toys}:{function}"}}
budget: {{epochs: 2, batch_size: 1, timeout_s: {timeout_s}}}
params:
  lr: {{min: 1e-3, max: 10.0, log: true}}
arms:
  gentle: {{lr: 0.1}}
  rough: {{lr: 2.0}}
compare: {{baseline: gentle, treatment: rough}}
plan:
  - compare: {{seeds: 3}}
  - search: {{sampler: random, trials: 4}}
yardstick: {{square: 1.0}}
"""


class _Cut(Exception):
    """The end of a driver in the middle of its run."""


class _CuttingWatcher(Watcher):
    """Ends the driver when its `after`-th trial is stored."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def finished(self, trial):
        super().finished(trial)
        if len(self.rows) == self.after:
            raise _Cut


@pytest.fixture(scope="session")
def write_study():
    """Writes the toy study, with replacements, to a path, and returns that."""

    def write(
        path: Path, *replacements: tuple[str, str], function: str = "quadratic", timeout_s: float = 60
    ) -> Path:
        text = STUDY.format(toys=TOYS, function=function, timeout_s=timeout_s)
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """Runs programs, traced or not, in processes of their own that need not import torch."""
    made = Warm(tmp_path_factory.mktemp("programs"))
    yield made
    made.close()


@pytest.fixture
def study_file(write_study, tmp_path):
    """Writes the toy study, with replacements, and returns its path."""
    return functools.partial(write_study, tmp_path / "study.yaml")


@pytest.fixture
def stability(tmp_path):
    """Runs the command in an empty folder, in this process; returns its exit status and what it printed."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return in_this_process(tmp_path, *arguments, **environment)

    return run


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory, write_study):
    """The toy study, run and reported by the command into `s.db`: its folder, and what was printed."""
    folder = tmp_path_factory.mktemp("finished")
    write_study(folder / "study.yaml")
    done = in_this_process(folder, "run", "study.yaml", "--storage", "s.db")
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.fixture
def finished(finished_once, tmp_path):
    """A copy of the finished toy study in tmp_path; returns what the command that ran it printed."""
    folder, done = finished_once
    copy_study(folder, tmp_path)
    return done


@pytest.fixture
def run_study(tmp_path):
    """Runs a study on a database in tmp_path, two trials at a time; returns (spec, store, watcher)."""

    def run(
        path: Path, *overrides: str, jobs: int = 2, database: str = "s.db", **options
    ) -> tuple[StudySpec, Store, Watcher]:
        spec = load_study(path, overrides)
        trainers.check(spec)
        store, watcher = Store(str(tmp_path / database)), Watcher()
        drive(Run(spec, store, LocalExecutor(["cpu"] * jobs), watcher, "cpu", **options))
        return spec, store, watcher

    return run


@pytest.fixture
def reported(tmp_path, run_study):
    """Runs a study of a trainer, both as text; returns its trials, the report's twin and its Markdown, undrawn."""

    def run(trainer: str, study: str, *overrides: str):
        (tmp_path / "train.py").write_text(trainer)
        (tmp_path / "study.yaml").write_text(study)
        spec, store, _ = run_study(tmp_path / "study.yaml", *overrides)
        known = stored(store, spec.name)
        twin = json.loads(write(*known, format="json", lang="en", out=tmp_path).read_text())
        text = render(compose(build(*known), "en"), "en", {name: f"{name}.png" for name in FIGURES})
        return store.trials(spec.name), twin, text

    return run


@pytest.fixture
def cut_short(tmp_path):
    """Runs a study whose driver dies once so many trials are stored; returns (spec, store)."""

    def run(path: Path, trials: int) -> tuple[StudySpec, Store]:
        spec, store = load_study(path), Store(str(tmp_path / "s.db"))
        with pytest.raises(_Cut):
            drive(Run(spec, store, LocalExecutor(["cpu"] * 2), _CuttingWatcher(trials), "cpu"))
        return spec, store

    return run


@pytest.fixture
def watcher():
    return Watcher()
