"""What an alarm is to every peer: a training's numbers go in, one after the other; the first alarm comes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from stability.records import Step

if TYPE_CHECKING:
    from cases import Case, Form


class Peer(Protocol):
    """Something that people watch trainings with today."""

    name: str

    def alarms(self, case: Case, form: Form) -> int | None:
        """The step, from 0, at which it first raises an alarm over `case.timeline(form)`; None for never."""


def totals(case: Case, form: Form) -> Iterator[tuple[int, float]]:
    """Every step with its loss, for those that watch nothing else."""
    for record in case.timeline(form):
        if isinstance(record, Step):
            yield record.step, record.total
