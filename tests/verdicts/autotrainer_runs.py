"""Recorded trainings of small classifiers, most built to show a known problem. No rule is read here.

They are rebuilt after the benchmark of AUTOTRAINER (Zhang et al., ICSE 2021), by `recording/autotrainer.py`.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from stability.records import BEFORE_TRAINING, Evaluation, Measure, Step

FILE = Path(__file__).with_name("autotrainer.jsonl.gz")
BAD_BELOW, FINE_FROM = 0.6, 0.8
DIGITS = {"total": 6, "val": 6}
OTHER_DIGITS = 4


class Bug(StrEnum):
    """The problem that a network was built to show. Whether it does is for its accuracy to say."""

    NONE = "none"
    EXPLODING = "exploding gradient"
    VANISHING = "vanishing gradient"
    DYING = "dying ReLU"
    OSCILLATING = "oscillating loss"
    SLOW = "slow convergence"


class Outcome(StrEnum):
    """`BAD`: its final accuracy is under 0.6, or a number is not finite. `FINE`: it is 0.8 or more."""

    BAD = "bad"
    GREY = "grey"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Run:
    """One training: all its steps, an evaluation an epoch, and the share of new points it gets right."""

    name: str
    bug: Bug
    source: str
    classes: int
    steps: Sequence[Step]
    evaluations: Sequence[Evaluation]
    accuracy: float
    best_accuracy: float

    @property
    def outcome(self) -> Outcome:
        numbers = [value for e in self.evaluations for value in e.losses.values()]
        numbers += [value for step in self.steps for value in (step.total, step.grad_norm)]
        if self.accuracy < BAD_BELOW or not all(map(math.isfinite, numbers)):
            return Outcome.BAD
        return Outcome.FINE if self.accuracy >= FINE_FROM else Outcome.GREY

    @property
    def buggy(self) -> bool:
        return self.outcome is Outcome.BAD


def load_autotrainer(path: Path = FILE) -> list[Run]:
    return [_run(json.loads(line)) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]


def save(runs: Iterable[Run], elements: Mapping[str, int], path: Path = FILE) -> None:
    """Write runs as gzipped JSON lines; `elements` is how many weights each has, by its name."""
    lines = "".join(json.dumps(_document(run, elements[run.name]), separators=(",", ":")) + "\n" for run in runs)
    path.write_bytes(gzip.compress(lines.encode(), mtime=0))


SCALARS = ("total", "lr", "grad_norm", "weight_norm")
MEASURES = (
    Measure.GRAD_RMS_FIRST,
    Measure.GRAD_RMS_LAST,
    Measure.ZERO_GRAD_SHARE,
    Measure.UPDATE_RATIO,
)
"""The root mean square of all gradients is not among them: it is their norm by the root of their number."""


def _document(run: Run, elements: int) -> dict[str, Any]:
    columns = {name: [getattr(step, name) for step in run.steps] for name in SCALARS}
    columns |= {name: [(step.measures or {}).get(name) for step in run.steps] for name in MEASURES}
    return {
        "name": run.name,
        "bug": run.bug.value,
        "source": run.source,
        "classes": run.classes,
        "accuracy": run.accuracy,
        "best_accuracy": run.best_accuracy,
        "elements": elements,
        "steps": len(run.steps),
        "steps_an_epoch": run.evaluations[1].step,
        "val": [_short(e.losses["val"], DIGITS["val"]) for e in run.evaluations],
        **{name: _column(values, DIGITS.get(name, OTHER_DIGITS)) for name, values in columns.items()},
    }


def _run(document: Mapping[str, Any]) -> Run:
    count = document["steps"]
    columns = {name: _values(document[name], count) for name in (*SCALARS, *MEASURES)}
    per_epoch, root = document["steps_an_epoch"], math.sqrt(document["elements"])
    steps = []
    for i in range(count):
        scalars = {name: columns[name][i] for name in SCALARS}
        measures = {name.value: columns[name][i] for name in MEASURES if columns[name][i] is not None}
        measures[Measure.GRAD_RMS.value] = scalars["grad_norm"] / root
        steps.append(Step(i, {"loss": scalars["total"]}, epoch=i // per_epoch, measures=measures, **scalars))
    evaluations = [
        Evaluation(number * per_epoch, number + BEFORE_TRAINING, {"val": float(value)})
        for number, value in enumerate(document["val"])
    ]
    return Run(
        name=document["name"],
        bug=Bug(document["bug"]),
        source=document["source"],
        classes=document["classes"],
        steps=steps,
        evaluations=evaluations,
        accuracy=document["accuracy"],
        best_accuracy=document["best_accuracy"],
    )


def _column(values: Sequence[float | None], digits: int) -> Any:
    """One number for a constant column, the present ones with their places where some are missing, else all."""
    present = {i: _short(value, digits) for i, value in enumerate(values) if value is not None}
    if len(present) < len(values):
        return {"at": _gaps(list(present)), "values": list(present.values())}
    return {"always": present[0]} if len(set(present.values())) == 1 else list(present.values())


def _values(column: Any, count: int) -> list[float | None]:
    if isinstance(column, list):
        return [float(value) for value in column]
    if "always" in column:
        return [float(column["always"])] * count
    values: list[float | None] = [None] * count
    place = 0
    for gap, value in zip(column["at"], column["values"], strict=True):
        place += gap
        values[place] = float(value)
    return values


def _gaps(places: Sequence[int]) -> list[int]:
    """The first place, then how far each is from the one before."""
    return [b - a for a, b in zip([0, *places], places, strict=False)]


def _short(value: float, digits: int) -> float | str:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else str(value)
