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
FORK, RERUN = "fork", "rerun"
EARLIER = "a number was bad in an earlier step"
COPIES = 8
"""How many copies a copy makes on its way."""


class Search:
    """The work of one copy, or of a rerun. It ends its process with the answer.

    `order`: `until`, the iteration whose number was bad; `losses` by iteration, as the program recorded them;
    `cause`, the file for the answer; `how`: fork or rerun.
    """

    def __init__(self, order: Mapping[str, Any], first: int) -> None:
        """`first` is the iteration that begins here."""
        self._order = order
        self._until: int = order["until"]
        self._differs: str | None = order.get("differs")
        self._tracer: Tracer | None = None
        self._broken_before: str | None = None
        self._asked: list[Tensor] = []
        self.every = max(1, (self._until - first) // COPIES)
        self._begin()
        if self._until - first <= (TRACED_AT_MOST if self.copies else 0):
            self._trace()

    @property
    def copies(self) -> bool:
        """Whether it may copy itself; a rerun has no need to."""
        return self._order["how"] == FORK

    @property
    def is_tracing(self) -> bool:
        return self._tracer is not None

    @property
    def tracer(self) -> Tracer | None:
        return self._tracer

    def deeper(self, until: int) -> dict[str, Any]:
        """The order for a copy of this copy."""
        return {**self._order, "until": until, "deeper": True, "differs": self._differs}

    def compare(self, number: int, loss: float | None) -> None:
        """Whether the copy's loss is that of the program."""
        recorded = self._order["losses"].get(str(number))
        recorded = float(recorded) if recorded is not None else None
        if self._differs is None and repr(recorded) != repr(loss) and recorded is not None:
            self._differs = f"the loss of step {number} was {recorded!r}, and {loss!r} when it ran again"

    @property
    def awaits_forward(self) -> bool:
        """Whether no module was called yet in the traced iteration."""
        return self._tracer is not None and self._awaits_forward

    def forward_begins(self, broken: str | None) -> None:
        """What of the optimizers' state is already broken before the iteration computes anything."""
        self._awaits_forward, self._broken_before = False, broken

    def iteration_ended(self, number: int, *, overlaps: bool) -> None:
        """All was finite; on to the next, or give up.

        `overlaps`: the next one has begun before this one ended, so one trace has to see both.
        """
        if number > self._until:
            self.give_up(f"every number was finite up to step {number}")
        if self._tracer is not None and not overlaps:
            self._tracer.stop()
            self._trace()
        elif self._tracer is None and not self.copies and number + 1 + overlaps >= self._until:
            self._trace()

    def broke_earlier(self, step: int) -> None:
        """A number is bad in an iteration that is not traced: another rerun has to trace that one."""
        self._write(Cause(step, self._order["how"], None, None, EARLIER))

    def conclude(self, step: int, losses: Sequence[Tensor] = ()) -> None:
        """A number is bad in the traced iteration: say where it was born."""
        tracer = self._tracer
        tracer.stop()
        born = tracer.provenance(tuple(losses)) or tracer.hidden()
        if born is None:
            self.give_up("the bad number was made by no operation of torch that could be seen")
        if self._broken_before is not None and born.phase is not Phase.EXTERNAL:
            born = replace(born, phase=Phase.EXTERNAL, source=self._broken_before)
        self._answer(step, born)

    def ended(self, step: int, badly: str | None) -> None:
        """The copy has come to the end of the program, which may be a bad one."""
        how = "" if badly is None else f": {badly}"
        if self._tracer is None:
            self.give_up(f"the copy ended before step {self._until}{how}")
        self._tracer.stop()
        born = self._tracer.provenance([math.nan, *self._asked])
        if born is None and badly is not None:
            born = self._tracer.hidden()
        if born is None:
            self.give_up(f"every number was finite up to the end{how}")
        self._answer(step, born)

    def give_up(self, why: str) -> None:
        self._write(Cause(self._until, self._order["how"], None, False, self._differs or why))

    def _answer(self, step: int, born: Provenance) -> None:
        self._write(Cause(step, self._order["how"], born, self._differs is None, self._differs or ""))

    def _write(self, cause: Cause) -> None:
        findings.write(Path(self._order["cause"]), cause)
        os._exit(0)

    def _begin(self) -> None:
        """Leave no mark; a copy computes on one thread, as those of the program are not copied."""
        if self._order.get("deeper"):
            return
        if self.copies:
            torch.set_num_threads(1)
            torch_hooks.runs_eagerly()
        quarantine.begin(Path(self._order["own"]), alone=self.copies)

    def _trace(self) -> None:
        torch_hooks.runs_eagerly()
        torch_hooks.notices_questions(self._asked.append)
        self._awaits_forward, self._broken_before = True, None
        self._tracer = Tracer()
        self._tracer.start()
