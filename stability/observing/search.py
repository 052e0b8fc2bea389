"""What a copy of the program does when it is woken: it runs on to the iteration that broke, and traces it.

A copy that is far away from there copies itself on its way, and wakes the copy that is nearest.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stability.numerics.trace import Tracer
from stability.observing import findings, quarantine, torch_hooks
from stability.observing.findings import Cause
from stability.records import Phase, Provenance

TRACED_AT_MOST = 3
"""So many iterations are traced one after the other, rather than copied again."""
COPIES = 8
"""How many copies a copy makes on its way."""


class Search:
    """The work of one copy, which ends its process.

    `order`: `until`, the iteration whose number was bad; `losses` by iteration, as the program recorded them;
    `tail`: no number was bad, but the program ended in that iteration; `cause`, the file for the answer.
    """

    def __init__(self, order: Mapping[str, Any], first: int, *, whole: bool) -> None:
        """`first` is the iteration that begins here; `whole`: one trace for all, as iterations overlap."""
        self._order, self._first, self._whole = order, first, whole
        self._until: int = order["until"]
        self._differs: str | None = None
        self._tracer: Tracer | None = None
        self._state_at_forward: str | None = None
        self.every = max(1, (self._until - first) // COPIES)
        self.is_near = self._until - first <= TRACED_AT_MOST
        if order.get("depth", 0) == 0:
            self._begin()
        if self.is_near:
            self._trace()

    @property
    def is_tracing(self) -> bool:
        return self._tracer is not None

    @property
    def tracer(self) -> Tracer | None:
        return self._tracer

    def deeper(self, until: int) -> dict[str, Any]:
        """The order for a copy of this copy."""
        depth = self._order.get("depth", 0) + 1
        return {**self._order, "until": until, "depth": depth, "differs": self._differs}

    def compare(self, number: int, loss: float | None) -> None:
        """Whether the copy's loss is that of the program."""
        recorded = self._order["losses"].get(str(number))
        recorded = float(recorded) if recorded is not None else None
        if self._differs is None and repr(recorded) != repr(loss) and recorded is not None:
            self._differs = f"loss of step {number} was {recorded!r}, in the copy {loss!r}"

    def forward_begins(self, broken: str | None) -> None:
        """What is already broken before the iteration computes anything."""
        self._state_at_forward = self._state_at_forward or broken

    def iteration_ended(self, number: int) -> None:
        """All was finite; on to the next, or give up."""
        if number > self._until:
            self.give_up(f"all numbers were finite up to step {number}")
        if self._tracer is not None and not self._whole:
            self._tracer.stop()
            self._trace()

    def conclude(self, step: int, losses: Sequence[Tensor] = ()) -> None:
        """A number is bad in the traced iteration: say where it was born."""
        tracer = self._tracer
        tracer.stop()
        born = tracer.provenance(tuple(losses)) or tracer.hidden()
        if born is None:
            self.give_up("the bad number was made by no operation of torch that could be seen")
        if self._state_at_forward is not None and born.phase is not Phase.EXTERNAL:
            born = _from_outside(born, self._state_at_forward)
        self._answer(step, born)

    def ended(self, step: int, *, badly: bool) -> None:
        """The copy has come to the end of the program."""
        if self._tracer is None:
            self.give_up("the copy ended before")
        self._tracer.stop()
        born = self._tracer.provenance(math.nan)
        if born is None and badly:
            born = self._tracer.hidden()
        if born is None:
            self.give_up("all numbers were finite up to the end")
        self._answer(step, born)

    def give_up(self, why: str) -> None:
        self._write(Cause(self._until, self._order["how"], None, False, self._differs or why))

    def _answer(self, step: int, born: Provenance) -> None:
        differs = self._order.get("differs") or self._differs
        self._write(Cause(step, self._order["how"], born, differs is None, differs or ""))

    def _write(self, cause: Cause) -> None:
        findings.write(Path(self._order["cause"]), cause)
        os._exit(0)

    def _begin(self) -> None:
        """Quietly, on one thread: those of the program are not copied."""
        torch.set_num_threads(1)
        torch_hooks.runs_eagerly()
        quarantine.begin(Path(self._order["own"]))

    def _trace(self) -> None:
        self._state_at_forward = None
        self._tracer = Tracer()
        self._tracer.start()


def _from_outside(born: Provenance, state: str) -> Provenance:
    """What was broken before the iteration computed anything came in, whatever operation wrote it there."""
    return replace(born, phase=Phase.EXTERNAL, source=state)
