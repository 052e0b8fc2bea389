"""One trial: its course, why it broke, how it is judged."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from stability import diagnosis, trialdir
from stability.judging.columns import roles
from stability.judging.monitor import not_run
from stability.judging.onset import began
from stability.records import Explanation, Records, UserError, VerdictLabel
from stability.store.restored import restored
from stability.suggest import suggest
from stability.terminal.rows import Row, plain, print_rows, sparkline, verdict_text

if TYPE_CHECKING:
    import pandas as pd

    from stability.rejudge import Rejudged
    from stability.spec import StudySpec
    from stability.store import Frames, Store

SPARKLINE_STEPS = 60


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


def print_trial(frames: Frames, name: str, format: str, options: str | None, spec: StudySpec) -> None:
    """Everything about one trial of the study `spec`. Raises `UserError` for a trial that is not there.

    `options` is what `stability explain` needs to find the store; None where it cannot replay the trial.
    """
    trial = find_trial(frames.trials, name)
    own = {key: frame[frame.trial_id == trial["trial_id"]] for key, frame in _tables(frames).items()}
    if format == "json":
        tables = {key: _records(frame) for key, frame in own.items()}
        records = _recorded(own, trial, spec)
        heard = {"signals": roles(records.steps, spec.directions), "not_run": _not_run(records, spec)}
        print(json.dumps(plain(trial) | heard | tables, indent=2, allow_nan=False))
    elif format == "csv":
        print_rows(_records(own["steps"]), "csv")
    else:
        _print_facts(trial)
        records = _recorded(own, trial, spec)
        _print_heard(roles(records.steps, spec.directions), _not_run(records, spec))
        _print_course(own["steps"], own["epochs"])
        if trial["event_step"] is not None:
            print(_first_bad(records, trial["event_step"]))
        if len(own["events"]):
            print_rows([_event_line(row) for row in own["events"].to_dict("records")], "table")
        _print_output(Path(trial["directory"]))
        if options is not None and trial["verdict"] == VerdictLabel.DIVERGED:
            place = f"{trial['study']} {trial['stage']}/{trial['number']}"
            print(f"the operation where it broke: stability explain {place}{options}")


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
        print(f"\nThe last {len(steps)} steps, 0 where it began:")
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


def _print_facts(trial: Row) -> None:
    print(f"{trial['study']}.{trial['stage']} trial {trial['number']}: {trial['key']}")
    verdict = Text.assemble("verdict   ", verdict_text(trial["verdict"]), f": {trial['evidence']}")
    Console(soft_wrap=True, highlight=False).print(verdict)
    print(f"outcome   {trial['outcome']}" + (f": {trial['error']}" if trial["error"] else ""))
    print(f"settings  {', '.join(f'{k}={v}' for k, v in trial['params'].items())}, seed={trial['seed']}")
    device = trial["device"] or "no device"
    print(f"cost      {trial['steps']} steps, {_seconds(trial['cpu_s'])} CPU-s on {device}")
    print(f"folder    {trial['directory']}")


def _recorded(own: Mapping[str, pd.DataFrame], trial: Row, spec: StudySpec) -> Records:
    return restored(own["steps"], own["epochs"], _weighed(spec), trial["definitions"])


def _weighed(spec: StudySpec) -> dict[str, float]:
    return {name: weight for name, weight in spec.yardstick.items() if weight}


def _not_run(records: Records, spec: StudySpec) -> dict[str, list[str]]:
    """What was not recorded -> the kinds of events that are found in it, and so could not be."""
    found: dict[str, list[str]] = {}
    for kind, needs in not_run(records, _weighed(spec)):
        found.setdefault(needs, []).append(kind)
    return found


def _print_heard(signals: Mapping[str, str], silent: Mapping[str, Sequence[str]]) -> None:
    """The roles of numbers that are no plain losses, and what could not be looked for."""
    if others := [f"{name} ({way})" for name, way in signals.items() if way != "down"]:
        print(f"signals   {', '.join(others)}; all others are losses")
    if silent:
        unseen = (f"without {needs}: {', '.join(kinds)}" for needs, kinds in silent.items())
        print(f"not run   {'; '.join(unseen)}")


def _seconds(value: float | None) -> str:
    return "unknown" if value is None or math.isnan(value) else f"{value:.2f}"


def _first_bad(records: Records, event_step: int) -> str:
    """The step at which the failure began, and the later one at which a rule fired."""
    first = began(records.steps, event_step)
    noticed = "" if first == event_step else f"; the rule fired at step {event_step}"
    return f"first bad step: {first} (counted from 0){noticed}"


def _print_course(steps: pd.DataFrame, epochs: pd.DataFrame) -> None:
    """A line per recorded quantity, by step, then one per yardstick component, by evaluation."""
    evaluated = epochs[epochs.source == "yardstick"].sort_values("epoch", kind="stable")
    courses = {name: rows.value.tolist() for name, rows in steps.groupby("quantity", sort=False)}
    by_component = evaluated.groupby("component", sort=False)
    courses |= {f"yardstick/{name}": rows.value.tolist() for name, rows in by_component}
    width = max(map(len, courses), default=0)
    lines = {name: _course_line(values) for name, values in courses.items()}
    line_width = max(map(len, lines.values()), default=0)
    for name, values in courses.items():
        print(f"{name:{width}}  {lines[name]:{line_width}}  {values[0]:.4g} to {values[-1]:.4g}")


def _course_line(values: list[float]) -> str:
    """The course of the last `SPARKLINE_STEPS` steps."""
    earlier = "… " if len(values) > SPARKLINE_STEPS else ""
    return earlier + sparkline(values[-SPARKLINE_STEPS:])


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
    return [plain(row) for row in frame.to_dict("records")]
