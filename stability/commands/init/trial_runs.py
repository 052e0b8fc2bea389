"""Runs a draft's program as its trials will be run, each in a process of its own that ends in time."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stability import trainers, trialdir
from stability.logs.structural import has_loss
from stability.records import Ending, Records, TrialSpec
from stability.spec import StudySpec

CHILD = "import sys; from stability.worker import run_trial; run_trial(sys.argv[1])"
LOOK_S = 0.05
PACE_S = 0.2
"""Lines so far apart were not printed at once, at the end of a training."""
MOST_LINES = 2000
"""So many lines are looked through for the first loss."""


@dataclass(frozen=True, slots=True)
class Change:
    """How a run differs from the arm's own: another seed, other parameters."""

    seed: int = 0
    params: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """A run: how it ended (None: it still went on), how long it took, what was recorded.

    `printed` is what the program itself printed, on both streams. It began to train after `silent_s`, as far
    as what was printed shows; that is all of `wall_s` where it printed nothing. `has_pace`: losses came by
    and by from then on, so the rest of its time is that of the training.
    """

    ending: Ending | None
    wall_s: float
    silent_s: float
    printed: bytes
    records: Records
    folder: Path
    has_pace: bool = False

    @property
    def names(self) -> set[str]:
        """Of its losses; of evaluations where there are any."""
        rows = self.records.evaluations or self.records.steps
        return {name for row in rows for name in row.losses}

    @property
    def losses(self) -> list[tuple[float, ...]]:
        """Of each step, then of each evaluation."""
        rows = [*self.records.steps, *self.records.evaluations]
        return [tuple(row.losses.values()) for row in rows]


def run(
    spec: StudySpec, arm: str, changes: Sequence[Change], folder: Path, most_s: float, jobs: int
) -> list[Ran]:
    """One run for each change, at most `jobs` at a time, each at most `most_s` seconds long."""
    trials = [_trial(spec, arm, change, folder / str(i)) for i, change in enumerate(changes)]
    found: list[Ran] = []
    for i in range(0, len(trials), jobs):
        found += _together(trials[i : i + jobs], most_s)
    return found


def _trial(spec: StudySpec, arm: str, change: Change, folder: Path) -> TrialSpec:
    trainer, data = trainers.resolved(spec)
    budget = spec.budget
    return TrialSpec(
        study=spec.name, stage="first", number=0, key="first", arm=arm,
        params=spec.arm_params(arm) | dict(change.params or {}), seed=change.seed, epochs=budget.epochs,
        batch_size=budget.batch_size, max_steps=budget.max_steps, timeout_s=budget.timeout_s, device="cpu",
        trainer=trainer, data=data, model=spec.model, yardstick=spec.yardstick, directory=folder,
        cache=folder / "cache", directions=spec.directions,
    )  # fmt: skip


def _together(trials: Sequence[TrialSpec], most_s: float) -> list[Ran]:
    """Whatever happens, nothing that was started is left."""
    start_s, processes = time.monotonic(), []
    try:
        for trial in trials:
            trialdir.create(trial)
            processes.append(_start(trial))
        clocks = [_Clock(trial.directory, most_s) for trial in trials]
        while any(process.poll() is None for process in processes) and time.monotonic() - start_s < most_s:
            time.sleep(LOOK_S)
            now_s = time.monotonic() - start_s
            for clock, process in zip(clocks, processes, strict=True):
                clock.look(now_s, has_ended=process.poll() is not None)
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return [_ran(trial, clock) for trial, clock in zip(trials, clocks, strict=True)]


class _Clock:
    """When a run in `folder` began to train, as its output grew, and ended (after `most_s` at most)."""

    def __init__(self, folder: Path, most_s: float) -> None:
        self._log = folder / trialdir.STDOUT
        self._growth: list[tuple[float, int]] = []
        self.ended_s = most_s

    def look(self, now_s: float, *, has_ended: bool) -> None:
        """Note what there is now."""
        if has_ended:
            self.ended_s = min(self.ended_s, now_s)
        size = self._log.stat().st_size if self._log.exists() else 0
        if size > (self._growth[-1][1] if self._growth else 0):
            self._growth.append((now_s, size))

    def training(self) -> tuple[float, bool]:
        """When its first loss was there, or its first word, and whether more came after it by and by."""
        first = _offset_of_loss(self._log)
        since = [now_s for now_s, size in self._growth if size > first]
        if not since:
            return self.ended_s, False
        return min(since[0], self.ended_s), since[-1] - since[0] >= PACE_S


def _offset_of_loss(log: Path) -> int:
    """Where in a log the first line begins that has a loss by its name; 0 where none of many has."""
    offset = 0
    if log.exists():
        with log.open("rb") as file:
            for line in itertools.islice(file, MOST_LINES):
                if has_loss(line.decode("utf-8", errors="replace")):
                    return offset
                offset += len(line)
    return 0


def _start(trial: TrialSpec) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(trial.directory)],
        env={"OMP_NUM_THREADS": "1"} | os.environ,  # as trials side by side have it
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _ran(trial: TrialSpec, clock: _Clock) -> Ran:
    folder = trial.directory
    log, ending = folder / trialdir.STDOUT, trialdir.read_ending(folder)
    ours = b"" if ending is None else (ending.traceback or "").encode()
    lines = log.read_bytes().removesuffix(ours).split(b"\n") if log.exists() else []
    printed = b"\n".join(line for line in lines if not line.startswith(b"stability: "))
    records = trialdir.read_records(folder)
    silent_s, has_pace = clock.training()
    return Ran(ending, clock.ended_s, silent_s, printed, records, folder, has_pace)
