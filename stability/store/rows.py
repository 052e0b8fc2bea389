"""One trial's records -> rows of our tables. Pure: no SQL is run here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from stability.judging.yardstick import yardstick
from stability.records import (
    BEFORE_TRAINING,
    NOT_EVALUATED,
    YARDSTICK,
    Ending,
    Evaluation,
    Event,
    Outcome,
    Provenance,
    Records,
    Step,
    TrialSpec,
    Verdict,
)
from stability.store.tables import with_marker
from stability.store.trajectory import effective, printed_sha256, trajectory_sha256

Row = dict[str, Any]
SCALARS = ("total", "lr", "grad_norm", "weight_norm", "grad_scale")


@dataclass(frozen=True, slots=True)
class TrialRows:
    """One trial as rows, without its `trial_id`."""

    trial: Row
    epochs: list[Row]
    steps: list[Row]
    events: list[Row]


def trial_rows(
    trial: TrialSpec,
    records: Records,
    ending: Ending,
    verdict: Verdict,
    environment_id: int,
    attempts: int = 1,
) -> TrialRows:
    """Everything that is stored of one ended trial."""
    named = {key: getattr(trial, key) for key in ("study", "stage", "number", "key", "arm", "seed")}
    cost = {key: getattr(ending, key) for key in ("wall_s", "cpu_s", "max_rss_bytes", "device", "error")}
    cost["error"] = None if ending.error is None else _storable(ending.error)
    initial, final = yardstick_course(records.evaluations, trial.yardstick)
    definitions = dict(records.definitions)
    if ending.outcome is Outcome.FINISHED and not records.evaluations:
        initial, final = _training_course(records.steps, trial.yardstick, trial.epochs)
        definitions |= {} if initial is None else {YARDSTICK: NOT_EVALUATED}
    row = {
        **named,
        **cost,
        "params": json.dumps(dict(trial.params)),
        "outcome": ending.outcome.value,
        "verdict": verdict.label.value,
        "event_step": verdict.step,
        "event_kind": None if verdict.kind is None else verdict.kind.value,
        "event_where": verdict.where,
        "evidence": _storable(verdict.evidence),
        **with_marker("yardstick_initial", initial),
        **with_marker("yardstick_final", final),
        "steps": len(records.steps),
        "attempts": attempts,
        "definitions": json.dumps(definitions),
        "effective": json.dumps(effective(records)),
        "trajectory_sha256": trajectory_sha256(records),
        "printed_sha256": printed_sha256(records),
        "directory": str(trial.directory),
        "environment_id": environment_id,
    }
    epochs = [*_training_epochs(records.steps), *_evaluations(records.evaluations, trial.yardstick)]
    steps = [row for step in records.steps for row in _quantities(step)]
    return TrialRows(row, epochs, steps, [_event(event) for event in records.events])


def yardstick_course(
    evaluations: Iterable[Evaluation], weights: Mapping[str, float]
) -> tuple[float | None, float | None]:
    """The yardstick before training and at the last evaluation after it; None where there was none."""
    evaluations = list(evaluations)
    before = [e for e in evaluations if e.epoch == BEFORE_TRAINING]
    after = [e for e in evaluations if e.epoch != BEFORE_TRAINING]
    initial = yardstick(before[0].losses, weights) if before else None
    return initial, yardstick(after[-1].losses, weights) if after else None


def _training_course(
    steps: Iterable[Step], weights: Mapping[str, float], epochs: int
) -> tuple[float | None, float | None]:
    """The weighed training losses, of steps that have them all: the first, and the last epoch's mean.

    Where steps name no epoch, that is the last of `epochs` equal parts.
    """
    whole = [step for step in steps if weights.keys() <= step.losses.keys()]
    if not whole:
        return None, None
    last = [step for step in whole if step.epoch == whole[-1].epoch]
    if whole[-1].epoch is None:
        last = whole[-max(1, len(whole) // epochs) :]
    values = [yardstick(step.losses, weights) for step in last]
    return yardstick(whole[0].losses, weights), sum(values) / len(values)


def _storable(text: str) -> str:
    """`text` as every database holds it: PostgreSQL refuses NUL, which a trainer's error may contain."""
    return text.replace("\x00", "\ufffd")


def _training_epochs(steps: Iterable[Step]) -> Iterator[Row]:
    """The mean of every loss and of its weight over an epoch's steps; one NaN makes it NaN, as it should."""
    epochs: dict[int, dict[str, list[tuple[float, float | None]]]] = {}
    for step in steps:
        values = epochs.setdefault(step.epoch or 0, {})
        total = {} if step.total is None else {"total": step.total}
        for name, value in {**step.losses, **total}.items():
            values.setdefault(name, []).append((value, (step.loss_weights or {}).get(name)))
    for epoch, components in epochs.items():
        for name, pairs in components.items():
            values, weights = zip(*pairs, strict=True)
            place = {"epoch": epoch, "steps_done": None, "source": "train", "component": name}
            mean = with_marker("value", sum(values) / len(values))
            weight = None if None in weights else sum(weights) / len(weights)
            yield place | mean | with_marker("loss_weight", weight) | {"n": len(values)}


def _evaluations(evaluations: Iterable[Evaluation], weights: Mapping[str, float]) -> Iterator[Row]:
    for evaluation in evaluations:
        values = {**evaluation.losses, "total": yardstick(evaluation.losses, weights)}
        for name, value in values.items():
            place = {"epoch": evaluation.epoch, "steps_done": evaluation.step, "source": "yardstick"}
            numbers = with_marker("value", value) | with_marker("loss_weight", None)
            yield place | {"component": name, **numbers, "n": 1}


def _quantities(step: Step) -> Iterator[Row]:
    """A step as one row a number: `loss/<component>` with its weight, the scalars that were given, then
    `skipped` where the step was, and `measure/<name>`.
    """
    place = {"step": step.step, "epoch": step.epoch}
    weights = step.loss_weights or {}
    for name, value in step.losses.items():
        quantity = {"quantity": f"loss/{name}", **with_marker("loss_weight", weights.get(name))}
        yield place | quantity | with_marker("value", value)
    scalars = {name: getattr(step, name) for name in SCALARS}
    scalars |= {"skipped": 1.0} if step.skipped else {}
    scalars |= {f"measure/{name}": value for name, value in (step.measures or {}).items()}
    for name, value in scalars.items():
        if value is not None:
            quantity = {"quantity": name, **with_marker("loss_weight", None)}
            yield place | quantity | with_marker("value", value)


def _event(event: Event) -> Row:
    born = event.provenance
    return {
        "step": event.step,
        "kind": event.kind.value,
        "where": event.where,
        **with_marker("value", event.value),
        "threshold": event.threshold,
        "severity": event.severity.value,
        "provenance": None if born is None else provenance_text(born),
    }


def provenance_text(born: Provenance) -> str:
    """Its form in the database; every number in it is finite."""
    return json.dumps(asdict(born), allow_nan=False)
