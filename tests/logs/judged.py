"""Texts of a finished run -> its verdict, as `stability import` has it, without a database."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stability import trialdir
from stability.importing import Options
from stability.importing.runs import Run, find
from stability.importing.stored import replay
from stability.importing.study import document
from stability.judging.verdict import judge
from stability.records import TrialSpec, UserError
from stability.spec import StudySpec, from_document

ENDING = "healthy"


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict of one run; `losses` are the first values of what was taken for its losses."""

    label: str
    evidence: str
    losses: dict[str, list[float]]

    def kind(self, ends: str) -> str:
        """What is right or wrong with it, for a run that ended as `ends`."""
        if self.label == "":
            return "not read"
        if ends == ENDING:
            right = self.label in ("STABLE", "UNSTABLE", "STUCK")
            return "right" if right else "healthy DIVERGED" if self.label == "DIVERGED" else "undecided"
        wrong = "lost STABLE" if self.label in ("STABLE", "UNSTABLE", "STUCK") else "undecided"
        return "right" if self.label == "DIVERGED" else wrong


def judged(files: Mapping[str, str], lr: float) -> Judged:
    """One file is named after its learning rate, several lie in a folder of that name."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if len(files) == 1:
            ((name, text),) = files.items()
            paths = {place / f"lr{lr}{Path(name).suffix or '.log'}": text}
            log = next(iter(paths))
        else:
            log = place / f"lr{lr}"
            paths = {log / name: text for name, text in files.items()}
        for path, text in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, newline="")
        try:
            return _judged(log, place / "trial")
        except UserError as error:
            return Judged("", str(error), {})


def _judged(log: Path, directory: Path) -> Judged:
    chosen = Options("x")
    runs = find([str(log)], chosen).runs
    spec = from_document(document(runs, chosen))
    trial = _trial(spec, runs[0], directory)
    replay(runs[0], trial)
    records, ending = trialdir.read_records(directory), trialdir.read_ending(directory)
    verdict = judge(records, ending, spec.yardstick)
    losses: dict[str, list[float]] = {}
    for step in records.steps:
        for name, value in step.losses.items():
            losses.setdefault(name, []).append(value)
    return Judged(verdict.label.value, verdict.evidence, losses)


def _trial(spec: StudySpec, run: Run, directory: Path) -> TrialSpec:
    return TrialSpec(
        study="x", stage="search", number=0, key="trial-0", arm=None, params={}, seed=0, epochs=max(1, run.epochs),
        batch_size=1, max_steps=None, timeout_s=60.0, device="cpu", trainer={"imported": str(run.path)}, data={},
        model={}, yardstick=spec.yardstick, directory=directory, cache=directory.parent / "cache",
    )  # fmt: skip
