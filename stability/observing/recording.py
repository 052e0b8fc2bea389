"""Notes the numbers of each iteration, and hands them on to a file now and then."""

from __future__ import annotations

import json
import math
import os
import time
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path

from stability.observing import findings
from stability.records import Step

WRITE_S = 5.0
KEPT_NUMBERS = 4_000_000
"""Of the gradient norms of single weights: 16 MB. Beyond that, every other iteration is forgotten."""


class Recording:
    """What one process recorded of its iterations."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"steps-{os.getpid()}.jsonl"
        self._norms_path = folder / f"norms-{os.getpid()}.json"
        self._unwritten: list[Step] = []
        self._written_s = time.monotonic()
        self.totals: dict[int, float] = {}
        """The loss of each of the last iterations, for a copy to compare with."""
        self.names: dict[int, str] = {}
        """The name of each weight, by its identity."""
        self._weights: tuple[int, ...] = ()
        self._growth: list[tuple[int, array]] = []
        self._every = 1

    def add(self, step: Step) -> None:
        self._unwritten.append(step)
        if step.total is not None:
            self.totals[step.step] = step.total
        if time.monotonic() - self._written_s > WRITE_S:
            self.write()

    def grew(self, step: int, weights: Sequence[int], norms: Sequence[float]) -> None:
        """The gradient norm of each weight, before clipping."""
        if step % self._every:
            return
        if tuple(weights) != self._weights:
            self._weights, self._growth = tuple(weights), []
        self._growth.append((step, array("f", norms)))
        if len(self._growth) * len(weights) > KEPT_NUMBERS:
            self._every *= 2
            self._growth = [row for row in self._growth if row[0] % self._every == 0]

    def forget_before(self, step: int) -> None:
        """No copy will ask for the losses of iterations before this one."""
        self.totals = {number: loss for number, loss in self.totals.items() if number >= step}

    def write(self) -> None:
        findings.append_steps(self._path, self._unwritten)
        self._unwritten, self._written_s = [], time.monotonic()

    def write_growth(self) -> None:
        """The course of every weight's gradient: one list a weight, in the order of the iterations."""
        steps = [step for step, _ in self._growth]
        courses = {
            self.names.get(weight, f"weight {number}"): [_number(norms[number]) for _, norms in self._growth]
            for number, weight in enumerate(self._weights)
        }
        self._norms_path.write_text(json.dumps({"steps": steps, "norms": courses}))


def _number(norm: float) -> float | None:
    return norm if math.isfinite(norm) else None


def joined(losses: Sequence[Sequence[float]]) -> tuple[Mapping[str, float], float | None]:
    """The losses of an iteration by name, and their sum.

    Micro-batches before one optimizer step are averaged; each of several optimizers has a loss of its own.
    """
    means = [sum(each) / len(each) for each in losses if each]
    if not means:
        return {}, None
    names = ["loss"] if len(means) == 1 else [f"loss_{number}" for number in range(len(means))]
    return dict(zip(names, means, strict=True)), sum(means)
