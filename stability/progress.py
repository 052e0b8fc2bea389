"""A run as it goes: a live table in a terminal, a line a trial where output is piped."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from stability.records import Outcome, VerdictLabel
from stability.spec import StudySpec
from stability.terminal import verdict_text

RECENT_TRIALS = 8
Row = Mapping[str, Any]


class LineProgress:
    """A line per finished trial: for pipes, logs and CI."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()
        self._stage, self._planned, self._done = "", 0, 0

    def stage(self, name: str, planned: int, done: int) -> None:
        self._planned, self._done = planned, done
        if name == self._stage:
            return
        self._stage = name
        resumed = f", {done} stored already" if done else ""
        print(f"stage {name}: {planned} trials{resumed}", flush=True)

    def note(self, sentence: str) -> None:
        print(sentence, flush=True)

    def finished(self, trial: Row) -> None:
        self._done += 1
        elapsed_s = time.monotonic() - self._start_s
        place = f"[{elapsed_s:6.1f} s] {self._done}/{self._planned}"
        print(f"{place} {trial['key']}: {trial['verdict']}, {trial['evidence']}", flush=True)


class LiveProgress:
    """A table that is drawn anew as trials finish."""

    def __init__(self, spec: StudySpec, live: Live) -> None:
        self._spec, self._live = spec, live
        self._start_s = time.monotonic()
        self._stages: dict[str, list[int]] = {}  # name -> [planned, done, diverged, failed]
        self._recent: list[Row] = []

    def stage(self, name: str, planned: int, done: int) -> None:
        _, _, diverged, failed = self._stages.get(name, [0, 0, 0, 0])
        self._stages[name] = [planned, done, diverged, failed]
        self._draw()

    def finished(self, trial: Row) -> None:
        counts = self._stages[trial["stage"]]
        counts[1] += 1
        counts[2] += trial["verdict"] == VerdictLabel.DIVERGED
        unknown = trial["verdict"] == VerdictLabel.INCONCLUSIVE
        counts[3] += unknown and trial["outcome"] != Outcome.FINISHED
        self._recent = [*self._recent, trial][-RECENT_TRIALS:]
        self._draw()

    def note(self, sentence: str) -> None:
        self._live.console.print(Text(sentence))

    def _draw(self) -> None:
        elapsed_s = time.monotonic() - self._start_s
        stages = Table("stage", "done", "diverged", "failed", title=f"{self._spec.name}  {elapsed_s:.0f} s")
        for name, (planned, done, diverged, failed) in self._stages.items():
            stages.add_row(name, f"{done}/{planned}", str(diverged), str(failed))
        recent = Table("trial", "verdict", "evidence", box=None)
        for trial in self._recent:
            recent.add_row(trial["key"], verdict_text(trial["verdict"]), Text(trial["evidence"]))
        self._live.update(Group(stages, recent))


@contextmanager
def live(spec: StudySpec) -> Iterator[LineProgress | LiveProgress]:
    """Watch a run: a live table in a terminal, a line a trial elsewhere."""
    console = Console()
    if not console.is_terminal:
        yield LineProgress()
        return
    with Live(console=console, refresh_per_second=4) as drawn:
        yield LiveProgress(spec, drawn)
