"""A training whose verdict is known: its recorded numbers and its label. No rule is read here.

A label comes from the training's own evaluation, or from the shape that a curve was drawn with, never from
what a rule says of it.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from stability.records import BEFORE_TRAINING, Evaluation, Step


class Label(StrEnum):
    """What became of a training.

    `LOST`: it never learned, or gave back what it had learned, and its numbers show that it broke.
    `FINE`: it learned and kept it. `SLOW`: it was never broken, and learned next to nothing.
    `GREY`: people would not agree; such a case is not scored.
    """

    LOST = "lost"
    FINE = "fine"
    SLOW = "slow"
    GREY = "grey"


class Form(StrEnum):
    """How much of a training is shown to the judge."""

    TOTAL = "total"  # the total alone, as its only component
    GRADIENT = "gradient"  # and the gradient norm before clipping, with the steps that a scaler skipped
    EVALUATED = "evaluated"  # and every component, the learning rate, the loss scale and the evaluations


YARDSTICK = {"val": 1.0}


@dataclass(frozen=True, slots=True)
class Case:
    """One training. Every sequence has one number a step; `evaluations` are (steps done, value, lower is better).

    `recovers`: it was broken for a while and learned again, so nobody may have ended it.
    """

    name: str
    label: Label
    why: str
    total: Sequence[float]
    grad_norm: Sequence[float] | None = None
    components: Mapping[str, Sequence[float]] = field(default_factory=dict)
    lr: Sequence[float] | None = None
    loss_weights: Mapping[str, Sequence[float]] | None = None
    grad_scale: Sequence[float] | None = None
    skipped: frozenset[int] = frozenset()
    evaluations: Sequence[tuple[int, float]] = ()
    recovers: bool = False

    @property
    def kind(self) -> str:
        """The kind of training: what its name begins with, up to the first slash."""
        return self.name.partition("/")[0]

    def timeline(self, form: Form) -> Iterator[Step | Evaluation]:
        """The numbers in the order in which a recorder would get them."""
        values = dict(self.evaluations) if form is Form.EVALUATED else {}
        epochs = {step: number + BEFORE_TRAINING for number, step in enumerate(sorted(values))}
        if 0 in values:
            yield Evaluation(0, epochs[0], {"val": values[0]})
        for step in range(len(self.total)):
            yield self._step(step, form)
            if step + 1 in values:
                yield Evaluation(step + 1, max(0, epochs[step + 1]), {"val": values[step + 1]})

    def _step(self, step: int, form: Form) -> Step:
        total, norm = self.total[step], None if self.grad_norm is None else self.grad_norm[step]
        if form is Form.TOTAL:
            return Step(step, {"loss": total}, total=total)
        if form is Form.GRADIENT:
            return Step(step, {"loss": total}, total=total, grad_norm=norm, skipped=step in self.skipped)
        components = {name: values[step] for name, values in self.components.items()} or {"loss": total}
        return Step(
            step,
            components,
            total=total,
            lr=None if self.lr is None else self.lr[step],
            grad_norm=norm,
            loss_weights=None
            if self.loss_weights is None
            else {name: values[step] for name, values in self.loss_weights.items()},
            grad_scale=None if self.grad_scale is None else self.grad_scale[step],
            skipped=step in self.skipped,
        )


def save(cases: Iterable[Case], path: Path) -> None:
    """Write cases as gzipped JSON lines, numbers to six digits, the same bytes for the same cases."""
    lines = "".join(json.dumps(_document(case), separators=(",", ":")) + "\n" for case in cases)
    path.write_bytes(gzip.compress(lines.encode(), mtime=0))


def load(path: Path) -> list[Case]:
    """The cases of a file that `save` wrote."""
    return [_case(json.loads(line)) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]


def _document(case: Case) -> dict[str, Any]:
    return {
        "name": case.name,
        "label": case.label.value,
        "why": case.why,
        "recovers": case.recovers,
        "skipped": sorted(case.skipped),
        "evaluations": [[step, _short(value)] for step, value in case.evaluations],
        **{name: _numbers(getattr(case, name)) for name in _SEQUENCES},
        "components": {name: _numbers(values) for name, values in case.components.items()},
        "loss_weights": None
        if case.loss_weights is None
        else {name: _numbers(values) for name, values in case.loss_weights.items()},
    }


def _case(document: dict[str, Any]) -> Case:
    weights = document["loss_weights"]
    return Case(
        name=document["name"],
        label=Label(document["label"]),
        why=document["why"],
        recovers=document["recovers"],
        skipped=frozenset(document["skipped"]),
        evaluations=[(step, float(value)) for step, value in document["evaluations"]],
        **{name: _floats(document[name]) for name in _SEQUENCES},
        components={name: _floats(values) for name, values in document["components"].items()},
        loss_weights=None if weights is None else {name: _floats(values) for name, values in weights.items()},
    )


_SEQUENCES = ("total", "grad_norm", "lr", "grad_scale")


def _numbers(values: Sequence[float] | None) -> Any:
    """One number for a constant sequence with its length, else all of them; non-finite ones as text."""
    if values is None:
        return None
    short = [_short(value) for value in values]
    return {"always": short[0], "steps": len(short)} if len(set(short)) == 1 and len(short) > 1 else short


def _floats(values: Any) -> list[float] | None:
    if values is None:
        return None
    if isinstance(values, dict):
        return [float(values["always"])] * values["steps"]
    return [float(value) for value in values]


def _short(value: float) -> float | str:
    return float(f"{value:.6g}") if math.isfinite(value) else str(value)
