"""Observations of several sources, in any order -> steps and evaluations in the order of the training."""

from __future__ import annotations

import functools
import heapq
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from stability.logs.observation import SCALARS, Observation
from stability.logs.step_counter import BEFORE_STEPS, Numbering, whole_epoch
from stability.records import BEFORE_TRAINING, Measure

HELD = 10_000
"""Steps that wait for slower sources at most; then the earliest goes without them."""
COARSE_DIGITS = 6
"""Losses printed with fewer significant digits may stay equal by rounding."""
_SCALARS = frozenset(SCALARS)
Place = tuple[int, bool]
"""A step, or the evaluation that follows it; they sort in the order of the training."""


class Recording(Protocol):
    """The part of `stability.records.Recorder` that is needed here."""

    step: Callable[..., None]
    evaluate: Callable[..., None]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a source has: numbers of the training, and steps to put them at."""

    trains: bool = True
    names_steps: bool | None = True  # None: its first number will show it
    is_stream: bool = False  # read as it is written, so nobody waits for what it has not said


@dataclass(slots=True)
class _Entry:
    """What is known so far of a place."""

    values: Mapping[str, float]
    epoch: int | None = None


class Timeline:
    """Puts together what belongs to one step, and records it once no more can come.

    The last number printed for a step wins, so a step is recorded when every source that names the
    training's steps has gone on to a later one, or at the end; one with a loss that is not finite at once,
    since nobody knows whether anything will follow. What a source without step numbers says beside one that
    has them belongs to the newest step, but a NaN that would replace a finite number to the next. Of several
    sources without step numbers each counts its own, and the one that is furthest leads the others. An
    evaluation follows the step that its source is at; in a source without training, the step that it names,
    and before training if that is 0 or nothing was trained yet. Where no epoch is named, the first one ends
    with the first evaluation, and so on; a step that says no epoch is in that of the step before it.
    """

    def __init__(self, recorder: Recording, sources: Mapping[str, Kind], weighed: Collection[str]) -> None:
        """`weighed` are the components that an evaluation must have."""
        self._recorder, self._weighed = recorder, tuple(weighed)
        self._kinds = sources
        self._numberings = {name: Numbering() for name in sources}
        leading = [name for name, kind in sources.items() if kind.trains and kind.names_steps is not False]
        self._newest = dict.fromkeys(leading, BEFORE_STEPS)
        self._silent = {name for name in leading if sources[name].is_stream}  # nobody waits for these
        self._counted = BEFORE_STEPS  # the newest step of sources that name none
        self._entries: dict[Place, _Entry] = {}
        self._order: list[Place] = []
        self._recorded = BEFORE_STEPS
        self._epoch: int | None = None
        self._names_epochs = False  # in its evaluations
        self._carried: Mapping[str, float] = {}
        self._digits = 0
        self._rounding: dict[str, float] | None = None
        self.steps = self.evaluations = self.late = self.incomplete = self.replaced = 0
        self.skipped = 0
        """Batches that were announced as skipped since the last step that was recorded."""

    def add(self, source: str, observation: Observation) -> None:
        """Take in what a source says.

        Raises what the recorder raises, such as `StopTrial` for a lost trial.
        """
        if observation.is_evaluation:
            self._add_evaluation(source, observation)
        else:
            self._add_training(source, observation)

    def finish(self) -> None:
        """Record what is left: nothing more will come."""
        self._record_before(math.inf)

    def _add_training(self, source: str, observation: Observation) -> None:
        numbering = self._numberings[source]
        step = numbering.place(observation)
        if numbering.counts:
            step = self._place_counted(source, step)
        elif step > (newest := self._newest.get(source, BEFORE_STEPS)):
            if newest == BEFORE_STEPS:
                self._silent.discard(source)
            self._newest[source] = step
            alone = len(self._newest) - len(self._silent) == 1
            self._record_before(step if alone else self._all_are_past())
        if not observation.values:
            return
        if observation.step is None and self._replaces_a_finite_one(step, observation):
            step += 1
        if step <= self._recorded:
            self.late += 1
            return
        self._merge((step, False), numbering.epoch, observation)
        if observation.is_lost:
            self._record_before(step + 1)

    def _place_counted(self, source: str, step: int) -> int:
        """The step for a source that counts its own, and is at `step`.

        It follows one that names steps, or may do so and is waited for; else it leads where it is furthest.
        """
        self._newest.pop(source, None)
        self._silent.discard(source)
        if self._newest and any(self._is_awaited(name) for name in self._newest):
            return max(0, self._front())
        if step > self._counted:
            self._counted = step
            self._record_before(step)
        return self._counted

    def _is_awaited(self, source: str) -> bool:
        """Whether a leading source has named a step, or is a file, of which nobody knows how far it is."""
        return self._newest[source] != BEFORE_STEPS or not self._kinds[source].is_stream

    def _front(self) -> int:
        """The newest step of all."""
        return max([self._counted, *self._newest.values()])

    def _all_are_past(self) -> int:
        """The first step that some leading source may still speak of."""
        return min(step for name, step in self._newest.items() if self._is_awaited(name))

    def _replaces_a_finite_one(self, step: int, observation: Observation) -> bool:
        """Whether a number that is not finite is there for the step already, and finite."""
        had = self._entries[step, False].values if (step, False) in self._entries else {}
        return observation.is_lost and any(
            name in had and math.isfinite(had[name]) and not math.isfinite(value)
            for name, value in observation.values.items()
        )

    def _add_evaluation(self, source: str, observation: Observation) -> None:
        if not observation.values:
            if observation.epoch is not None:
                self._numberings[source].note_epoch(observation.epoch)
            return
        place = self._evaluated_after(source, observation), True
        self._merge(place, self._evaluated_epoch(source, observation.epoch), observation)
        if observation.is_lost and self._weighed_in(place):
            self._record_before(place[0] + 1)

    def _evaluated_after(self, source: str, observation: Observation) -> int:
        if self._kinds[source].trains:
            own = self._numberings[source]
            return self._front() if own.counts and own.step != BEFORE_STEPS else own.step
        if observation.step is not None and self._recorded == BEFORE_STEPS:
            return observation.step if observation.step > 0 else BEFORE_STEPS
        return max([self._recorded if observation.step is None else observation.step, self._front()])

    def _evaluated_epoch(self, source: str, epoch: float | None) -> int | None:
        own = self._numberings[source]
        if epoch is None:
            return own.epoch
        self._names_epochs = True
        bases = [n.base for n in (own, *self._numberings.values()) if n.base is not None]
        return max(0, whole_epoch(epoch) - (bases[0] if bases else 0))

    def _merge(self, place: Place, epoch: int | None, observation: Observation) -> None:
        entry = self._entries.get(place)
        if entry is None:
            entry = self._entries[place] = _Entry(observation.values)
            heapq.heappush(self._order, place)
            if len(self._order) > HELD:
                self._record_before(self._order[0][0] + 1)
        else:
            self.replaced += sum(
                entry.values[name] != observation.values[name]
                for name in entry.values.keys() & observation.values.keys()
            )
            entry.values = {**entry.values, **observation.values}
        entry.epoch = entry.epoch if epoch is None else epoch

    def _record_before(self, step: float) -> None:
        """Record everything up to `step`, which is not included."""
        while self._order and self._order[0][0] < step:
            place = heapq.heappop(self._order)
            record = self._record_evaluation if place[1] else self._record_step
            record(place[0], self._entries.pop(place))

    def _record_step(self, step: int, entry: _Entry) -> None:
        """Numbers that come without a loss go to the next step that has one, unless they are not finite."""
        values = {**self._carried, **entry.values} if self._carried else entry.values
        losses, scalars = {}, {}
        for name, value in values.items():
            (scalars if name in _SCALARS else losses)[name] = value
        if entry.epoch is not None:
            self._epoch = self._epoch_of(entry.epoch)
        if not losses and "total" not in scalars and all(map(math.isfinite, values.values())):
            self._carried = values
            return
        self._carried = {}
        self._recorded = step
        self.steps += 1
        if self._digits < COARSE_DIGITS:
            self._note_digits(losses)
        measures = self._rounding
        if self.skipped:
            measures = {**(measures or {}), Measure.SKIPPED_BATCHES: float(self.skipped)}
            self.skipped = 0
        self._recorder.step(losses, epoch=self._epoch, step=step, measures=measures, **scalars)

    def _record_evaluation(self, step: int, entry: _Entry) -> None:
        losses = {name: value for name, value in entry.values.items() if name not in _SCALARS}
        missing = [name for name in self._weighed if name not in losses]
        if missing and all(math.isfinite(losses[name]) for name in self._weighed if name in losses):
            self.incomplete += 1
            return
        self.evaluations += 1
        before = step == BEFORE_STEPS or self._recorded == BEFORE_STEPS
        epoch = self._epoch if entry.epoch is None else self._epoch_of(entry.epoch)
        self._recorder.evaluate(losses, BEFORE_TRAINING if before else epoch or 0)
        if not before and not self._epochs_are_named():
            self._epoch = (epoch or 0) + 1

    def _epoch_of(self, epoch: int) -> int:
        """Epochs that only restarts of the steps tell do not fall behind those that evaluations count."""
        if self._epoch is None or epoch >= self._epoch or self._epochs_are_named():
            return epoch
        return self._epoch

    def _epochs_are_named(self) -> bool:
        return self._names_epochs or any(own.base is not None for own in self._numberings.values())

    def _weighed_in(self, place: Place) -> bool:
        return all(name in self._entries[place].values for name in self._weighed)

    def _note_digits(self, losses: Mapping[str, float]) -> None:
        """The most significant digits that any loss had so far are a measure, where these are few."""
        digits = max(map(_digits, losses.values()), default=0)
        if digits > self._digits:
            self._digits = digits
            self._rounding = {Measure.PRINTED_DIGITS: float(digits)} if digits < COARSE_DIGITS else None


@functools.lru_cache(maxsize=4096)  # rounded losses are few
def _digits(value: float) -> int:
    """Significant digits; 0 for what is not finite, which has none."""
    if not math.isfinite(value):
        return 0
    mantissa = repr(value).partition("e")[0].replace(".", "").lstrip("-0")
    return max(1, len(mantissa.rstrip("0")))
