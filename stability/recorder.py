"""The `Recorder` of a trial: writes what a trainer tells it, and stops the trial once it is lost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from stability import trialdir
from stability.judging.monitor import Monitor
from stability.judging.policy import Policy
from stability.judging.verdict import describe
from stability.records import Evaluation, Event, Severity, Step, StopTrial, TrialSpec


class TrialRecorder:
    """Implements `stability.records.Recorder` on a trial directory; `events` is what the rules found."""

    def __init__(self, spec: TrialSpec, policy: Policy) -> None:
        self._writer = trialdir.Writer(spec.directory)
        self._monitor = Monitor(spec.yardstick, policy, spec.directions)
        self._yardstick = spec.yardstick
        self._steps = 0
        self.events: list[Event] = []
        self._lost: str | None = None

    def define(self, **definitions: str) -> None:
        """See `Recorder.define`. Raises `TypeError` for a definition that is no text."""
        for name, text in definitions.items():
            if not isinstance(text, str):
                raise TypeError(f"define({name}=...) takes a text, got {text!r}")
        self._writer.definitions(definitions)

    def effective(self, **settings: Any) -> None:
        """See `Recorder.effective`; values are kept as text."""
        self._writer.effective({name: str(value) for name, value in settings.items()})

    def step(
        self,
        losses: Mapping[str, float],
        total: float | None = None,
        lr: float | None = None,
        grad_norm: float | None = None,
        epoch: int | None = None,
        *,
        weight_norm: float | None = None,
        loss_weights: Mapping[str, float] | None = None,
        grad_scale: float | None = None,
        skipped: bool = False,
        measures: Mapping[str, float] | None = None,
        batch: Sequence[str] | None = None,
        step: int | None = None,
    ) -> None:
        """See `Recorder.step`. Tensors with one element count as numbers."""
        number = self._steps if step is None else int(step)
        if number < self._steps:
            raise ValueError(f"step {number} comes after step {self._steps - 1}; step numbers go up")
        scalars = {"total": total, "lr": lr, "grad_norm": grad_norm, "weight_norm": weight_norm}
        scalars["grad_scale"] = grad_scale
        recorded = Step(
            step=number,
            losses=_floats(losses),
            epoch=epoch,
            loss_weights=None if loss_weights is None else _floats(loss_weights),
            skipped=bool(skipped),
            measures=None if measures is None else _floats(measures),
            batch=None if batch is None else tuple(map(str, batch)),
            **{name: None if value is None else float(value) for name, value in scalars.items()},
        )
        self._steps = number + 1
        self._writer.step(recorded)
        self._note(self._monitor.step(recorded))

    def evaluate(self, losses: Mapping[str, float], epoch: int) -> None:
        """See `Recorder.evaluate`. Raises `ValueError` when a component of a finite yardstick is missing."""
        weighed = [float(losses[name]) for name in self._yardstick if name in losses]
        missing = self._yardstick.keys() - losses.keys()
        if missing and all(map(math.isfinite, weighed)):
            given, needed = ", ".join(losses), ", ".join(sorted(missing))
            raise ValueError(f"evaluate() got {given}; the study's yardstick also weighs {needed}")
        evaluation = Evaluation(self._steps, int(epoch), _floats(losses))
        self._writer.evaluation(evaluation)
        self._note(self._monitor.evaluation(evaluation))

    def finish(self) -> None:
        """The trainer came to its end: note what only a whole training shows.

        Raises `StopTrial` once more for a trainer that caught it and returned all the same.
        """
        if self._lost is not None:
            raise StopTrial(self._lost)
        self._keep(self._monitor.finish())

    def close(self) -> None:
        self._writer.close()

    def _note(self, events: list[Event]) -> None:
        self._keep(events)
        lost = [event for event in events if event.severity is Severity.LOST]
        if lost:
            self._lost = describe(lost[0])
            raise StopTrial(self._lost)

    def _keep(self, events: list[Event]) -> None:
        self.events += events
        for event in events:
            self._writer.event(event)


def _floats(values: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(values, Mapping):
        raise TypeError(f"losses map each component's name to a number, got {values!r}")
    return {name: float(value) for name, value in values.items()}
