"""Steps and epochs as one program counts them -> steps of the whole training, epochs from 0."""

from __future__ import annotations

import math

from stability.logs.observation import Observation

BEFORE_STEPS = -1
"""The place of what comes before the first step."""


class Numbering:
    """Follows one source.

    A step number that goes back, or stays while the epoch goes on, starts again with each epoch: the steps
    are counted on from the last one. As long as a source names no step it counts by itself, from 0: a new
    step begins with a name that it has had already, or with another epoch. The first epoch that is named is
    0; where none is, every restart of the steps begins one.
    """

    def __init__(self) -> None:
        self.counts = True  # by itself: no step was named so far
        self.step = BEFORE_STEPS
        self.base: int | None = None  # how the program calls the first epoch
        self._raw: int | None = None
        self._offset = 0
        self.epoch: int | None = None  # that the training is in; None where nothing says so
        self._epoch: int | None = None  # as the program counts
        self._is_later = False  # the epoch went on since the last step
        self._restarts = 0
        self._had: set[str] = set()

    def place(self, observation: Observation) -> int:
        """The step that these numbers of the training belong to."""
        if observation.epoch is not None and self.note_epoch(observation.epoch):
            self._is_later = True
        if observation.step is not None:
            self._count_on(observation.step, self._is_later)
            self._is_later = False
        elif self.counts and observation.values:
            if self._is_later or not self._had or self._had & observation.values.keys():
                self.step += 1
                self._had = set()
                self._is_later = False
            self._had |= observation.values.keys()
        return self.step

    def note_epoch(self, epoch: float) -> bool:
        """The source is in this epoch, as it counts. Whether that is a later one than before."""
        number = whole_epoch(epoch)
        later = self._epoch is not None and number > self._epoch
        self.base = number if self.base is None else self.base
        self._epoch = number
        self.epoch = max(0, number - self.base)
        return later

    def _count_on(self, raw: int, later: bool) -> None:
        if self._raw is not None and (raw < self._raw or (raw == self._raw and later)):
            self._offset = self.step + 1 - raw
            self._restarts += 1
            if self._epoch is None:
                self.epoch = self._restarts
        elif self.counts and raw <= self.step:  # after some that it counted by itself
            self._offset = self.step + 1 - raw
        self.counts = False
        self._raw = raw
        self.step = max(0, raw + self._offset)


def whole_epoch(epoch: float) -> int:
    """The epoch that a fraction of them lies in: 0.5 and 1.0 are in the first, 1.5 is in the second.

    A whole number may also name the epoch itself; since the first one that is named counts as 0, both agree.
    """
    return int(epoch) if epoch == int(epoch) else math.floor(epoch) + 1
