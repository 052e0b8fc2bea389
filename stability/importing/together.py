"""Several files of one run: `train.csv` beside `val.csv`, or the same training in a log and in a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stability.importing.places import File, joined, place_of
from stability.logs.columns import is_column, title_of
from stability.logs.inspection import Kept
from stability.logs.kinds import first_lines
from stability.logs.rows import is_value
from stability.logs.tables import header
from stability.logs.vocabulary import split_of
from stability.logs.words import words_of
from stability.records import Step, UserError

if TYPE_CHECKING:
    from stability.importing.runs import Run

_KINDS = frozenset((
    "metrics", "metric", "log", "logs", "loss", "losses", "history", "results", "result", "stdout",
    "stderr", "progress", "output", "out", "err", "console", "trainer", "state", "scalars", "summary",
    "stats", "csv", "json", "txt", "trainlog", "record", "records", "perf", "performance", "report",
    "eval",
))  # fmt: skip
"""Words of file names that say what is in a file, not of which run it is."""
COLUMNS = "*columns*"
"""Stands for the names of all files in a folder that hold one number each time."""


def grouped(files: Sequence[File]) -> list[list[File]]:
    """The files of each run: those of one folder whose names differ only in words for what is in them.

    Files of one number each time are of one run where their names say what it is, as `lr.txt` does.
    Folders such as `train` and `epoch-3` say no more than such words.
    """
    found: dict[tuple[Path, str], list[File]] = {}
    for one in joined(files):
        found.setdefault(_key(one), []).append(one)
    return list(found.values())


def _key(own: File) -> tuple[Path, str]:
    """The run's folder, and what the files of one run have in common in their names."""
    path, kind, _ = own
    root = place_of(path, kind).root
    if kind in ("tensorboard", "wandb"):
        return (path.parent, path.name) if root in (path, path.parent) else (root, COLUMNS)
    if (title := title_of(path)) and _is_column(path, kind):
        return root, COLUMNS + _of_run(path.stem.removesuffix(title))
    return root, _of_run(path.stem)


def _of_run(name: str) -> str:
    """What of a name says which run it is."""
    words = [word for word in words_of(name) if word not in _KINDS and not split_of(word)]
    return " ".join((*words, *re.findall(r"\d+", name)))


def one_run(runs: list[Run], left_out: list[UserError]) -> list[Run]:
    """The run that several files tell of: that with most steps, with another's evaluations if it has none."""
    if len(runs) < 2 or any(run.series is not None for run in runs):
        return runs
    evaluating = [run for run in runs if _evaluates(run)]
    training = [run for run in runs if run not in evaluating] or runs
    main = max(training, key=lambda run: (run.problem is None, run.is_named, run.steps))
    for run in runs:
        if (
            run in evaluating
            and main.evaluations is None
            and not main.evaluated
            and run.steps
            and run is not main
        ):
            main.evaluations = run
            main.evaluated = set(run.trained)
        elif run in training and _is_component(run, main):
            main.components.append(run)
            main.trained |= run.trained
        elif run is not main:
            left_out.append(UserError(f"{run.path}: the same run is read from {main.path}"))
    return [main]


def called_losses(runs: list[Run], left_out: list[UserError]) -> list[Run]:
    """Without a run whose numbers only move, where another in its folder has what is called a loss."""
    named = {place_of(run.path, run.kind).root: run for run in runs if run.is_named and run.steps}
    found = []
    for run in runs:
        other = named.get(place_of(run.path, run.kind).root)
        if run.is_named or other is None:
            found.append(run)
        else:
            left_out.append(UserError(f"{run.path}: it names no loss, and {other.path} beside it does"))
    return found


def _evaluates(run: Run) -> bool:
    """Whether its name or its folder says that a file is of evaluations."""
    own = (split_of(word) for word in words_of(run.path.stem))
    return "evaluate" in (place_of(run.path, run.kind).part, *own)


def _is_column(path: Path, kind: str) -> bool:
    """Whether a file has one number each time that only its name names."""
    lines = first_lines(path) if kind in ("log", "csv") else []
    return any(map(is_value, header(lines))) if kind == "csv" else is_column(lines)


def _is_component(run: Run, main: Run) -> bool:
    """Whether a file of one column has another loss of the same steps."""
    are_columns = all(_is_column(one.path, one.kind) for one in (run, main))
    return are_columns and run is not main and run.steps == main.steps and not run.trained & main.trained


def read(run: Run) -> list[Step]:
    """What a file of its own has, one row a step."""
    kept = Kept()
    run.sources(kept, ()).finish()
    return kept.steps


class Joined:
    """A recorder of the training that adds to each step what other files of one column have there."""

    def __init__(self, recorder: Any, others: Sequence[Sequence[Step]]) -> None:
        self._recorder, self._others = recorder, others
        self._seen = 0

    def step(self, losses: Mapping[str, float], **numbers: Any) -> None:
        own = dict(losses)
        for steps in self._others:
            own |= steps[self._seen].losses if self._seen < len(steps) else {}
        self._seen += 1
        self._recorder.step(own, **numbers)

    def evaluate(self, losses: Mapping[str, float], epoch: int) -> None:
        self._recorder.evaluate(losses, epoch)


class Interleaved:
    """A recorder of the training that puts each evaluation behind the step it belongs to.

    Evaluations that name no step are taken to be equally far apart.
    """

    def __init__(self, recorder: Any, evaluations: Sequence[Step], steps: int) -> None:
        self._recorder, self._due = recorder, list(evaluations)
        self._each = max(1, steps // max(1, len(self._due)))
        self._are_steps = bool(self._due) and self._due[-1].step > 2 * len(self._due)
        self._seen = self._done = 0

    def step(self, losses: Mapping[str, float], *, step: int, **numbers: Any) -> None:
        self._recorder.step(losses, step=step, **numbers)
        self._seen += 1
        while self._due and self._is_past(step):
            self._evaluate(self._due.pop(0))

    def evaluate(self, losses: Mapping[str, float], epoch: int) -> None:
        self._recorder.evaluate(losses, epoch)

    def _is_past(self, step: int) -> bool:
        return step >= self._due[0].step if self._are_steps else self._seen >= self._each * (self._done + 1)

    def _evaluate(self, own: Step) -> None:
        self._done += 1
        self._recorder.evaluate(own.losses, self._done - 1)
