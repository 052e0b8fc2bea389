"""What a person sees in the terminal: the live table, status, a trial. Plain lines where output is piped."""

from __future__ import annotations

import csv
import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from stability.plan import proposals
from stability.records import UserError, VerdictLabel
from stability.spec import StudySpec, from_document
from stability.suggest import suggest

if TYPE_CHECKING:
    import pandas as pd

    from stability.store import Frames, Store

BARS = "▁▂▃▄▅▆▇█"
NONFINITE_MARK = "×"
RECENT_TRIALS = 8
PIPED_WIDTH = 400
SPARKLINE_STEPS = 60
Row = Mapping[str, Any]


class LineProgress:
    """A line per finished trial: for pipes, logs and CI."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()
        self._planned, self._done = 0, 0

    def stage(self, name: str, planned: int, done: int) -> None:
        self._planned, self._done = planned, done
        resumed = f", {done} stored already" if done else ""
        print(f"stage {name}: {planned} trials{resumed}", flush=True)

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
        self._stages[name] = [planned, done, 0, 0]
        self._draw()

    def finished(self, trial: Row) -> None:
        counts = self._stages[trial["stage"]]
        counts[1] += 1
        counts[2] += trial["verdict"] == VerdictLabel.DIVERGED
        counts[3] += trial["verdict"] == VerdictLabel.INCONCLUSIVE
        self._recent = [*self._recent, trial][-RECENT_TRIALS:]
        self._draw()

    def _draw(self) -> None:
        elapsed_s = time.monotonic() - self._start_s
        stages = Table("stage", "done", "diverged", "failed", title=f"{self._spec.name}  {elapsed_s:.0f} s")
        for name, (planned, done, diverged, failed) in self._stages.items():
            stages.add_row(name, f"{done}/{planned}", str(diverged), str(failed))
        recent = Table("trial", "verdict", "evidence", box=None)
        for trial in self._recent:
            recent.add_row(trial["key"], _verdict_text(trial["verdict"]), Text(trial["evidence"]))
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


def closing(spec: StudySpec, store: Store, report: Path) -> bool:
    """The end of a run: what there is now, what to do about failures, and where the report is.

    False when every trial failed for no fault of the training, so that nothing was learnt.
    """
    rows = status_rows(store, spec.name)
    print_rows(rows, "table")
    done, failed = (sum(row[key] for row in rows) for key in ("done", "failed"))
    if failed:
        first = next(row for row in rows if row["failed"])
        print(f"{failed} of {done} trials failed for no fault of the training; look at one of stage")
        print(f"{first['stage']} with `stability show`, then run again with --retry-failed")
    print(f"report: {report}")
    return failed < done


def status_rows(store: Store, study: str | None) -> list[dict[str, Any]]:
    """One row a stage and arm: planned, done, diverged, failed, CPU seconds.

    Raises `UserError` for a study that never ran in this store.
    """
    return [row for name in ([study] if study else store.studies()) for row in _study_rows(store, name)]


def _study_rows(store: Store, name: str) -> Iterator[dict[str, Any]]:
    spec = from_document(store.environment(name)["spec"])
    counted = {(row["stage"], row["arm"]): row for row in store.counts(name)}
    for entry in spec.plan:
        planned = proposals(spec, entry)
        for arm in dict.fromkeys(proposal.arm for proposal in planned):
            found = counted.get((entry.name, arm), {})
            yield {
                "study": name,
                "stage": entry.name,
                "arm": arm or "-",
                "planned": sum(proposal.arm == arm for proposal in planned),
                "done": found.get("trials", 0),
                "diverged": found.get("diverged", 0),
                "failed": found.get("failed", 0),
                "cpu_s": round(found.get("cpu_s") or 0.0, 1),
            }


def print_rows(rows: Sequence[Row], format: str) -> None:
    """Print rows as a table, JSON or CSV; all rows have the same keys."""
    if format == "json":
        print(json.dumps(list(rows), indent=2, allow_nan=False))
    elif format == "csv":
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif not rows:
        print("none")
    else:
        table = Table(*rows[0], box=None, pad_edge=False)
        for row in rows:
            table.add_row(*(_verdict_text("-" if value is None else str(value)) for value in row.values()))
        console = Console()
        if not console.is_terminal:
            console = Console(width=PIPED_WIDTH)  # a name cut short is no name
        console.print(table)


def print_trial(frames: Frames, name: str, format: str) -> None:
    """Everything about one trial. Raises `UserError` for a trial that is not there."""
    trial = find_trial(frames.trials, name)
    own = {key: frame[frame.trial_id == trial["trial_id"]] for key, frame in _tables(frames).items()}
    if format == "json":
        tables = {key: _records(frame) for key, frame in own.items()}
        print(json.dumps(_plain(trial) | tables, indent=2, allow_nan=False))
    elif format == "csv":
        print_rows(_records(own["steps"]), "csv")
    else:
        _print_facts(trial)
        _print_course(own["steps"], own["epochs"], trial["event_step"])
        if len(own["events"]):
            print_rows([_event_line(row) for row in own["events"].to_dict("records")], "table")
        _print_output(Path(trial["directory"]))


def find_trial(trials: pd.DataFrame, name: str) -> dict[str, Any]:
    """The trial called `name`: its key, STAGE/NUMBER, STAGE/KEY, or its number where one stage ran."""
    matches = []
    for row in trials.to_dict("records"):
        names = {row["key"], f"{row['stage']}/{row['key']}", f"{row['stage']}/{row['number']}"}
        if trials.stage.nunique() == 1:
            names.add(str(row["number"]))
        if name in names:
            matches.append(row)
    if not matches:
        named = f"no trial {name!r}; name it STAGE/NUMBER or by its key"
        raise UserError(f"{named}{suggest(name, list(trials.key)[:12])}")
    [found] = matches[-1:]  # a key may stand in two stages: the later one
    step = found["event_step"]
    return found | {"event_step": int(step) if step is not None and math.isfinite(step) else None}


def sparkline(values: Sequence[float]) -> str:
    """One character a value, scaled between the finite ones; × where a value is not finite."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    height = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        BARS[round((value - low) * height)] if math.isfinite(value) else NONFINITE_MARK for value in values
    )


def _print_facts(trial: Row) -> None:
    print(f"{trial['study']}.{trial['stage']} trial {trial['number']}: {trial['key']}")
    print(f"verdict   {trial['verdict']}: {trial['evidence']}")
    print(f"outcome   {trial['outcome']}" + (f": {trial['error']}" if trial["error"] else ""))
    print(f"settings  {', '.join(f'{k}={v}' for k, v in trial['params'].items())}, seed={trial['seed']}")
    device = trial["device"] or "no device"
    print(f"cost      {trial['steps']} steps, {_seconds(trial['cpu_s'])} CPU-s on {device}")
    print(f"folder    {trial['directory']}")


def _seconds(value: float | None) -> str:
    return "unknown" if value is None or math.isnan(value) else f"{value:.2f}"


def _print_course(steps: pd.DataFrame, epochs: pd.DataFrame, event_step: int | None) -> None:
    """A line per recorded quantity, by step, then one per yardstick component, by evaluation."""
    for quantity, rows in steps.groupby("quantity", sort=False):
        _print_line(quantity, rows.value.tolist())
    evaluated = epochs[epochs.source == "yardstick"].sort_values("epoch", kind="stable")
    for component, rows in evaluated.groupby("component", sort=False):
        _print_line(f"yardstick/{component}", rows.value.tolist())
    if event_step is not None:
        print(f"first bad step: {event_step} (counted from 0)")


def _print_line(quantity: str, values: list[float]) -> None:
    """First and last value, and between them the course of the last `SPARKLINE_STEPS` steps."""
    earlier = "… " if len(values) > SPARKLINE_STEPS else ""
    line = sparkline(values[-SPARKLINE_STEPS:])
    print(f"{quantity:16} {earlier}{line}  {values[0]:.4g} to {values[-1]:.4g}")


def _event_line(row: Row) -> dict[str, Any]:
    limit = "" if row["threshold"] is None or math.isnan(row["threshold"]) else f"{row['threshold']:g}"
    shown = {key: row[key] for key in ("step", "kind", "where")}
    return shown | {"value": f"{row['value']:.4g}", "limit": limit, "severity": row["severity"]}


def _print_output(directory: Path) -> None:
    from stability import trialdir

    if text := trialdir.captured(directory, limit_bytes=2000).strip():
        print(f"--- the end of {trialdir.STDOUT}\n{text}")


def _tables(frames: Frames) -> dict[str, pd.DataFrame]:
    return {"epochs": frames.epochs, "steps": frames.steps, "events": frames.events}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [_plain(row) for row in frame.to_dict("records")]


def _plain(row: Row) -> dict[str, Any]:
    """A row that JSON can hold: missing and non-finite numbers become null, the marker column tells which."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row.items()
    }


def _verdict_text(word: str) -> Text:
    colours = {VerdictLabel.DIVERGED: "red", VerdictLabel.UNSTABLE: "yellow", VerdictLabel.STABLE: "green"}
    return Text(word, style=colours.get(word, ""))
