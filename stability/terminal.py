"""What a person reads in the terminal: status, a trial, why it broke, how it is judged; or JSON, or CSV."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stability import diagnosis, trialdir
from stability.plan import proposals
from stability.records import Explanation, Records, UserError, VerdictLabel
from stability.spec import AttributeStage, BoundaryStage, CompareStage, PlanEntry, StudySpec, from_document
from stability.suggest import suggest

if TYPE_CHECKING:
    import pandas as pd

    from stability.rejudge import Rejudged
    from stability.store import Frames, Store

BARS = "▁▂▃▄▅▆▇█"
NONFINITE_MARK = "×"
PIPED_WIDTH = 400
SPARKLINE_STEPS = 60
Row = Mapping[str, Any]


def imported(trials: pd.DataFrame) -> Iterator[str]:
    """One line a trial: its name, its verdict and the evidence."""
    for trial in trials.to_dict("records"):
        yield f"{trial['key']}: {trial['verdict']}, {trial['evidence']}"


def closing(spec: StudySpec, store: Store, report: Path, options: str) -> bool:
    """The end of a run: what there is now, what to do about failures and then, and where the report is.

    `options` is what further commands need to find the store: ` --storage …`, or nothing.
    False when every trial crashed, hung or lost its machine without diverging, so that nothing was learnt.
    """
    rows = status_rows(store, spec.name)
    print_rows(rows, "table")
    done, failed = (sum(row[key] for row in rows) for key in ("done", "failed"))
    if failed:
        first = next(row for row in rows if row["failed"])
        print(f"{failed} of {done} trials ended without evidence (crashed, hung, lost); look at one of stage")
        print(f"{first['stage']} with `stability show`, then run again with --retry-failed")
    print("\n".join(_next_commands(spec, store, options)))
    print(f"report: {report}")
    return failed < done


def _next_commands(spec: StudySpec, store: Store, options: str) -> Iterator[str]:
    """What to type next, each with what it tells as a comment: a line is pasted whole."""
    commands = {}
    trials = store.trials(spec.name)
    lost = trials[trials.verdict == VerdictLabel.DIVERGED]
    if len(lost):
        first = lost.iloc[0]
        commands[f"show {spec.name} {first.stage}/{first.number}"] = "a trial that diverged, step by step"
    if any(isinstance(entry.stage, BoundaryStage) for entry in spec.plan):
        commands[f"recommend {spec.name}"] = "the bounds to stay within, as a patch"
    commands["dashboard"] = "every trial, in a browser"
    width = max(map(len, commands))
    for command, tells in commands.items():
        yield f"stability {command + options:{width + len(options)}}  # {tells}"


def status_rows(store: Store, study: str | None) -> list[dict[str, Any]]:
    """One row a stage and arm: planned, done, diverged, failed, further attempts, CPU seconds spent, saved.

    `not_needed` are the trials left out because a look ended the stage. Raises `UserError` for a study that
    never ran in this store.
    """
    return [row for name in ([study] if study else store.studies()) for row in _study_rows(store, name)]


def _study_rows(store: Store, name: str) -> Iterator[dict[str, Any]]:
    spec = from_document(store.environment(name)["spec"])
    counts = store.counts(name)
    counted = {(row["stage"], row["arm"]): row for row in counts}
    for entry in spec.plan:
        planned = proposals(spec, entry, _inert(spec, entry, store))
        ended_early = _ended_early(spec, entry, store)
        for arm in dict.fromkeys(proposal.arm for proposal in planned):
            found = counted.get((entry.name, arm), {})
            asked, done = sum(proposal.arm == arm for proposal in planned), found.get("trials", 0)
            asked = max(asked, done)  # what confirms a finding was not planned from the start
            yield {
                "study": name,
                "stage": entry.name,
                "arm": arm or "-",
                "planned": asked,
                "done": done,
                "diverged": found.get("diverged", 0),
                "failed": found.get("failed", 0),
                "not_needed": max(asked - done, 0) if ended_early else 0,
                "retries": found.get("retries", 0),
                "cpu_s": round(found.get("cpu_s") or 0.0, 1),
                "saved_s": _saved_s(found, [row for row in counts if row["stage"] == entry.name]),
            }


def _inert(spec: StudySpec, entry: PlanEntry, store: Store) -> Collection[str]:
    """What stage `liveness` has shown to change nothing, for the stage that leaves it out."""
    if not isinstance(entry.stage, AttributeStage):
        return ()
    from stability.evidence.liveness import inert  # here: pandas and scipy, for this stage alone

    return inert(store.trials(spec.name))


def _ended_early(spec: StudySpec, entry: PlanEntry, store: Store) -> bool:
    """Whether a look that the plan allows ended the stage, so that it lacks nothing."""
    if not isinstance(entry.stage, CompareStage) or entry.stage.early is None:
        return False
    from stability.evidence import sequential  # here: pandas and scipy, for a stage with looks alone

    design = sequential.design_of(spec)
    return design is not None and sequential.follow(store.trials(spec.name), design).ended_early


def _saved_s(arm: Row, stage: Sequence[Row]) -> float | None:
    """CPU seconds not spent because lost trials end at once, had they cost as much as finished ones did.

    None where no trial of the stage has finished, so that nobody knows what one costs.
    """
    known = [row for row in stage if row["finished_cpu_s"] is not None]  # of an imported run nobody knows it
    of = arm if arm.get("finished") else None
    finished = of["finished"] if of else sum(row["finished"] for row in known)
    cpu_s = of["finished_cpu_s"] if of else sum(row["finished_cpu_s"] for row in known)
    if not finished or cpu_s is None:
        return None
    stopped, stopped_cpu_s = arm.get("stopped", 0), arm.get("stopped_cpu_s", 0.0)
    return round(max(0.0, stopped * cpu_s / finished - stopped_cpu_s), 1)


def print_rows(rows: Sequence[Row], format: str, columns: Sequence[str] = ()) -> None:
    """Print rows as a table, JSON or CSV; all rows have the same keys: `columns`, if there may be no row."""
    if format == "json":
        print(json.dumps(list(rows), indent=2, allow_nan=False))
    elif format == "csv":
        names = list(rows[0]) if rows else columns
        writer = csv.DictWriter(sys.stdout, fieldnames=names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif not rows:
        print("none")
    else:
        table = Table(*rows[0], box=None, pad_edge=False)
        for row in rows:
            table.add_row(*(verdict_text("-" if value is None else str(value)) for value in row.values()))
        console = Console()
        if not console.is_terminal:
            console = Console(width=PIPED_WIDTH)  # a name cut short is no name
        console.print(table)


def print_rejudged(found: Rejudged, format: str) -> None:
    """Verdicts that changed, counts per stage and arm, what cannot be known; as csv the first alone."""
    from stability.rejudge import Change

    columns = [field.name for field in fields(Change)]
    changes, counts = ([asdict(row) for row in rows] for rows in (found.changes, found.counts))
    agree = found.trials - len(changes)
    if format == "json":
        whole = {"trials": found.trials, "agree": agree, "cut_short": list(found.cut_short)}
        print(json.dumps(whole | {"changes": changes, "counts": counts}, indent=2, allow_nan=False))
    elif format == "csv":
        print_rows(changes, "csv", columns)
    else:
        if changes:
            print_rows(changes, "table")
            print()
        print_rows(counts, "table")
        print(f"{agree} of {found.trials} stored verdicts are the same")
        if found.cut_short:
            print(_unknown_end(found.cut_short))


def _unknown_end(steps: Sequence[int]) -> str:
    span = str(min(steps)) if min(steps) == max(steps) else f"{min(steps)} to {max(steps)}"
    trials = "1 trial was" if len(steps) == 1 else f"{len(steps)} trials were"
    return f"{trials} stopped after {span} steps under the policy of the run; what would follow is unknown"


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


def print_explanation(trial: Row, found: Explanation, records: Records, format: str) -> None:
    """Why a trial broke, and its last steps up to there; CSV has the steps alone."""
    steps = diagnosis.last_steps(records, found.step)
    if format == "json":
        blame = None if found.blame is None else diagnosis.conclusion(found.blame)
        facts = {key: trial[key] for key in ("study", "stage", "number", "key", "verdict", "evidence")}
        print(json.dumps(facts | asdict(found) | {"conclusion": blame, "last_steps": steps}, indent=2))
        return
    if format == "table":
        print("\n".join(diagnosis.lines(trial, found, records)))
        print(f"\nThe last {len(steps)} steps, 0 the first bad one:")
    print_rows(steps, format)


def explain_each_kind(store: Store, study: str) -> None:
    """Explain the first diverged trial of each distinct way to diverge; one that cannot be is named."""
    from stability import explain

    for trial in explain.first_of_each_kind(store.trials(study)):
        try:
            found = explain.explain(store, trial)
        except UserError as error:
            print(error)
            continue
        print_explanation(trial, found, trialdir.read_records(Path(trial["directory"])), "table")
        print()


def find_trial(trials: pd.DataFrame, name: str) -> dict[str, Any]:
    """The trial called `name`: its key, STAGE/NUMBER, STAGE/KEY, or its number where one stage ran."""
    matches, one_stage = [], trials.stage.nunique() == 1
    for row in trials.to_dict("records"):
        names = {row["key"], f"{row['stage']}/{row['key']}", f"{row['stage']}/{row['number']}"}
        if one_stage:
            names.add(str(row["number"]))
        if name in names:
            matches.append(row)
    if not matches:
        named = f"no trial {name!r}; name it STAGE/NUMBER or by its key"
        suggestion = suggest(name, list(trials.key)[:12]).replace("; (", " (")  # where none is like it
        raise UserError(f"{named}{suggestion}")
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
    shown |= {"value": f"{row['value']:.4g}", "limit": limit, "severity": row["severity"]}
    return shown | {"born": diagnosis.born_at(row["provenance"])}


def _print_output(directory: Path) -> None:
    """What the program printed last, without what it would do to this terminal beyond colours."""
    if text := trialdir.captured(directory, limit_bytes=2000).strip():
        print(f"--- the end of {trialdir.STDOUT}")
        Console(soft_wrap=True).print(Text.from_ansi(text))


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


def verdict_text(word: str) -> Text:
    colours = {VerdictLabel.DIVERGED: "red", VerdictLabel.STABLE: "green"}
    colours |= dict.fromkeys((VerdictLabel.UNSTABLE, VerdictLabel.STUCK), "yellow")
    return Text(word, style=colours.get(word, ""))
