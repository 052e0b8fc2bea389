"""Recorded trainings read back and put through the rules. Trains nothing, prints nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainings import YARDSTICK

from stability import trialdir
from stability.judging.monitor import Monitor
from stability.judging.policy import Policy
from stability.judging.yardstick import yardstick
from stability.records import Event, Outcome, Records, TrialSpec


@dataclass(frozen=True, slots=True)
class Trained:
    """A recorded training."""

    spec: TrialSpec
    outcome: Outcome
    records: Records

    def learned(self, drop: float) -> bool:
        """Whether the yardstick ended lower than before training by `drop` of it."""
        before, *_, last = (yardstick(e.losses, YARDSTICK) for e in self.records.evaluations)
        return last <= (1.0 - drop) * before


@dataclass(frozen=True, slots=True)
class Noticed:
    """An event, and the step after which the rules spoke: some look back a few steps."""

    step: int
    event: Event


def trained(folder: Path, group: str) -> Iterator[Trained]:
    """All complete trainings of a group, by name."""
    for directory in sorted((folder / group).iterdir()):
        ending = trialdir.read_ending(directory)
        if ending is not None:
            yield Trained(trialdir.read_spec(directory), ending.outcome, trialdir.read_records(directory))


def points(folder: Path) -> dict[str, float]:
    """The divergence point of each recipe."""
    return json.loads((folder / "points.json").read_text())


def noticed(records: Records, policy: Policy, *, finished: bool, evaluated: bool = True) -> Iterator[Noticed]:
    """All events in the order in which a monitor would have told them while the training ran.

    Without `evaluated`, as in a loop of a user who has no yardstick.
    """
    monitor = Monitor(YARDSTICK if evaluated else {}, policy)
    evaluations = list(records.evaluations) if evaluated else []
    step = 0
    for step, record in enumerate(records.steps):
        while evaluations and evaluations[0].step <= step:
            yield from _told(max(0, step - 1), monitor.evaluation(evaluations.pop(0)))
        yield from _told(step, monitor.step(record))
    for evaluation in evaluations:
        yield from _told(step, monitor.evaluation(evaluation))
    if finished:
        yield from _told(step, monitor.finish())


def _told(step: int, events: list[Event]) -> Iterator[Noticed]:
    return (Noticed(step, event) for event in events)
