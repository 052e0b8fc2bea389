"""A study whose trials only record a few numbers, and a run of it that something watches."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stability.executors.local import LocalExecutor
from stability.spec import StudySpec, load_study
from stability.store import Store
from stability.study import Progress, Run, drive

SLOTS = ["cpu", "cpu"]
STUDY = """
name: noop
trainer: {{call: "train.py:train"}}
budget: {{epochs: 4, batch_size: 1, timeout_s: 60}}
params: {{lr: {{min: 0.001, max: 1.0, log: true}}}}
plan:
  - search: {{sampler: random, trials: {trials}}}
yardstick: {{mel: 1.0}}
"""
TRAINER = """
def train(trial, recorder):
    recorder.evaluate({"mel": 1.0}, -1)
    for epoch in range(4):
        loss = 1.0 - 0.1 * epoch
        recorder.step({"mel": loss}, total=loss, epoch=epoch)
        recorder.evaluate({"mel": loss}, epoch)
"""


class Watch:
    """Counts the trials that are stored."""

    def __init__(self) -> None:
        self.done = 0

    def stage(self, name: str, planned: int, done: int) -> None:
        """A stage begins."""

    def finished(self, trial: Mapping[str, Any]) -> None:
        self.done += 1

    def note(self, sentence: str) -> None:
        raise SystemExit(sentence)  # a trial was tried again: the figures would not be those of a calm run


def run(folder: Path, trials: int, watch: Progress, *, persistent: bool | None = None) -> Path:
    """Run so many trials, two at a time, in a folder of their own; returns the database."""
    folder.mkdir()
    (folder / "train.py").write_text(TRAINER)
    (folder / "noop.yaml").write_text(STUDY.format(trials=trials))
    spec: StudySpec = load_study(folder / "noop.yaml")
    store, executor = Store(str(folder / "s.db")), LocalExecutor(SLOTS, persistent=persistent)
    ended = drive(Run(spec, store, executor, watch, "cpu"))
    counts = store.counts(spec.name)
    store.close()
    if ended is not None or sum(row["trials"] - row["failed"] for row in counts) != trials:
        raise SystemExit(f"not all of {trials} trials ended well: {ended or counts}")
    return folder / "s.db"


def numbers_per_trial(database: Path) -> int:
    """How many recorded numbers of a trial are in the database."""
    with sqlite3.connect(database) as raw:
        count = "SELECT (SELECT COUNT(*) FROM stability_steps) + (SELECT COUNT(*) FROM stability_epochs)"
        stored = raw.execute(count).fetchone()[0]
        return stored // raw.execute("SELECT COUNT(*) FROM stability_trials").fetchone()[0]
