"""Counts training iterations from what torch tells: backward passes and optimizer steps. Pure Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ended:
    """An iteration that has ended: its number, and the losses that each of its optimizers was stepped on."""

    number: int
    losses: tuple[tuple[float, ...], ...]


@dataclass(slots=True)
class Iterations:
    """An iteration ends with its optimizer step; several optimizers, or micro-batches, share one.

    An optimizer that steps a second time begins the next iteration; those that it did not wait for sit out
    until they step again. Without optimizers an iteration begins with each backward pass after another.
    """

    number: int = 0
    """Of the iteration that is going on."""
    _stepped: list[int] = field(default_factory=list)
    _losses: list[tuple[float, ...]] = field(default_factory=list)
    _idle: set[int] = field(default_factory=set)
    _open: list[float] = field(default_factory=list)

    def differentiated(self, loss: float) -> None:
        """A backward pass begins."""
        self._open.append(loss)

    def stepped(self, optimizer: int, optimizers: Iterable[int]) -> list[Ended]:
        """An optimizer has stepped, of those there are; the iterations that are known now to have ended."""
        known, ended = {*optimizers, optimizer}, []
        if optimizer in self._stepped:
            self._idle |= known - {*self._stepped}
            ended.append(self._end())
        self._idle.discard(optimizer)
        self._stepped.append(optimizer)
        self._losses.append(tuple(self._open))
        self._open = []
        if known - self._idle <= {*self._stepped}:
            ended.append(self._end())
        return ended

    def ended_without_step(self) -> Ended:
        """It has ended, and no optimizer stepped: skipped by a scaler, or weights updated by hand."""
        self._losses.append(tuple(self._open))
        self._open = []
        return self._end()

    @property
    def losses(self) -> Sequence[float]:
        """What was differentiated since the last optimizer step."""
        return tuple(self._open)

    @property
    def is_between_optimizers(self) -> bool:
        """Whether some, but not all optimizers of this iteration have stepped."""
        return bool(self._stepped)

    def _end(self) -> Ended:
        ended = Ended(self.number, tuple(self._losses))
        self.number += 1
        self._stepped, self._losses = [], []
        return ended
