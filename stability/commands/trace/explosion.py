"""A training that was lost although every number stayed finite: when that began, and where."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from stability.judging.monitor import scan
from stability.judging.onset import onset
from stability.judging.policy import Policy
from stability.judging.verdict import judge
from stability.observing import findings
from stability.records import Ending, Outcome, Records, Step, Verdict, VerdictLabel

GREW = 10.0
"""A gradient has grown once it is so many times its median before."""
PAST = 64


@dataclass(frozen=True, slots=True)
class Explosion:
    """The step at which it began, the loss and the module whose gradient grew first, and the evidence."""

    step: int
    component: str | None
    module: str | None
    evidence: str


def explosion(folder: Path, pid: int) -> Explosion | None:
    """What the iterations of a process show; None for a training that was not lost."""
    steps = findings.steps(folder, pid)
    verdict = _verdict(steps)
    if verdict.label is not VerdictLabel.DIVERGED or verdict.step is None:
        return None
    before = onset(steps, verdict.step)
    began = verdict.step if before is None else min(before.step, verdict.step)
    return Explosion(began, _component(verdict, steps), _first_grown(folder, pid, began), verdict.evidence)


def _component(verdict: Verdict, steps: Sequence[Step]) -> str | None:
    """The loss that was lost: the one that the verdict names, or the only one."""
    names = {name for step in steps for name in step.losses}
    named = (verdict.where or "").removeprefix("loss/")
    return named if named in names else min(names) if len(names) == 1 else None


def _verdict(steps: Sequence[Step]) -> Verdict:
    """Several optimizers may work against each other, and a loss that rises says nothing then.

    So of these only what ends any training counts, as if the rest of the course was not known.
    """
    against = any(len(step.losses) > 1 for step in steps)
    events = scan(Records(steps=tuple(steps)), {}, Policy(), finished=not against)
    ending = Ending(Outcome.LOST if against else Outcome.FINISHED)
    return judge(Records(steps=tuple(steps), events=tuple(events)), ending, {})


def _first_grown(folder: Path, pid: int, began: int) -> str | None:
    """The module of the weight whose gradient first left what it had been before."""
    path = folder / f"norms-{pid}.json"
    if not path.is_file():
        return None
    found = json.loads(path.read_text())
    grown = {name: _growth(found["steps"], course, began) for name, course in found["norms"].items()}
    grown = {name: at for name, at in grown.items() if at is not None}
    if not grown:
        return None
    first = min(grown, key=lambda name: (grown[name][0], -grown[name][1]))
    return first.rpartition(".")[0] or first


def _growth(steps: Sequence[int], course: Sequence[float | None], began: int) -> tuple[int, float] | None:
    """(step, factor) at which a gradient first was `GREW` times its median before; None if it never was."""
    past: list[float] = []
    for step, norm in zip(steps, course, strict=True):
        if norm is None or not math.isfinite(norm):
            return step, math.inf
        usual = median(past[-PAST:]) if past else 0.0
        if usual > 0.0 and step >= began - PAST and norm > GREW * usual:
            return step, norm / usual
        past.append(norm)
    return None
