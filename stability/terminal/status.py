"""What a study has done so far, and what to type next."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stability.evidence import independent
from stability.evidence.alike_failures import alike
from stability.evidence.wilson import wilson
from stability.plan import proposals
from stability.records import VerdictLabel
from stability.spec import AttributeStage, BoundaryStage, CompareStage, PlanEntry, StudySpec, from_document
from stability.terminal.rows import Row, print_rows

if TYPE_CHECKING:
    import pandas as pd

    from stability.store import Store


def imported(trials: pd.DataFrame) -> Iterator[str]:
    """One line a trial: its name, its verdict and the evidence."""
    for trial in trials.to_dict("records"):
        yield f"{trial['key']}: {trial['verdict']}, {trial['evidence']}"


def closing(spec: StudySpec, store: Store, report: Path, options: str) -> bool:
    """The end of a run: what there is now, what to do about failures and then, and where the report is.

    `options` is what further commands need to find the store: ` --storage …`, or nothing.
    False when no trial has a verdict on its training, so that nothing was learnt.
    """
    rows = status_rows(store, spec.name)
    _print_table(store, rows)
    _print_failed_alike(store, rows)
    done, failed, undecided = (sum(row[key] for row in rows) for key in ("done", "failed", "undecided"))
    if failed:
        first = next(row for row in rows if row["failed"])
        print(f"{failed} of {done} trials ended without evidence (crashed, hung, lost); look at one of stage")
        print(f"{first['stage']} with `stability show`{_what_then(spec)}")
    if undecided:
        print(f"{undecided} of {done} trials ended well, but their numbers do not suffice for a verdict")
    print("\n".join(_next_commands(spec, store, options)))
    print(f"report: {report}")
    return failed + undecided < done


def _what_then(spec: StudySpec) -> str:
    """Runs that are imported cannot be had again."""
    imported = isinstance(spec.trainer, dict) and "imported" in spec.trainer
    return "; they count in no rate" if imported else ", then run again with --retry-failed"


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


MARKS = {
    VerdictLabel.STABLE: "·",
    VerdictLabel.UNSTABLE: "~",
    VerdictLabel.STUCK: "–",
    VerdictLabel.DIVERGED: "×",
    VerdictLabel.INCONCLUSIVE: "!",
}
MOST_MARKS = 40
LEFT_OUT_IF_ZERO = ("undecided", "not_needed", "retries")
"""Columns that mostly say nothing; a person sees them when they do."""


def print_status(store: Store, study: str | None, format: str, options: str) -> None:
    """The rows of `status_rows`, and for a person what to type next, for which `options` names the store."""
    rows = status_rows(store, study)
    if format != "table":
        print_rows(rows, format)
        return
    _print_table(store, rows)
    _print_failed_alike(store, rows)
    for name in dict.fromkeys(row["study"] for row in rows):
        own = [row for row in rows if row["study"] == name]
        done = all(row["done"] + row["not_needed"] >= row["planned"] for row in own)
        told = "what they show" if done else "what they show so far; `stability run` goes on"
        print(f"stability report {name}{options}  # {told}")


def _print_table(store: Store, rows: Sequence[Row]) -> None:
    """For a person: with a rate where trials are paired, and a mark a trial."""
    endings = {name: store.endings(name) for name in dict.fromkeys(row["study"] for row in rows)}
    said = [key for key in LEFT_OUT_IF_ZERO if any(row[key] for row in rows)]
    print_rows([_for_a_person(row, said, endings[row["study"]]) for row in rows], "table")
    if rows:
        print("  ".join(f"{mark} {label.value.lower()}" for label, mark in MARKS.items()))
    for own in endings.values():
        print("".join(f"{sentence}\n" for sentence in _identical(own)), end="")


def _print_failed_alike(store: Store, rows: Sequence[Row]) -> None:
    """A line a study of which several trials failed for one reason, with what the first of them said."""
    for name in dict.fromkeys(row["study"] for row in rows):
        own = [row for row in rows if row["study"] == name]
        found = alike(store.failures(name)) if any(row["failed"] for row in own) else None
        if found is not None and found.count > 1:
            study = f"{name}: " if len(own) < len(rows) else ""
            done = sum(row["done"] for row in own)
            print(f"{study}{found.count} of {done} trials {found.verb} alike: {found.message}")


def _for_a_person(row: Row, said: Sequence[str], endings: Sequence[Row]) -> dict[str, Any]:
    arm = None if row["arm"] == "-" else row["arm"]
    own = [each for each in endings if (each["stage"], each["arm"]) == (row["stage"], arm)]
    marks = "".join(MARKS[VerdictLabel(each["verdict"])] for each in own[-MOST_MARKS:])
    shown = {key: value for key, value in row.items() if key not in LEFT_OUT_IF_ZERO or key in said}
    rate = _rate(own) if row["stage"] == "compare" else None
    return shown | {"rate [95%]": rate, "trials": ("…" if len(own) > MOST_MARKS else "") + marks}


def _rate(own: Sequence[Row]) -> str | None:
    """Of a fixed design alone: what a sampler chose has no rate. Identical trials count once.

    The interval's ends count trials without a verdict as calm and as diverged.
    """
    again = independent.repeated(own)
    pieces = [each["verdict"] for each in own if each["trial_id"] not in again]
    n = sum(verdict != VerdictLabel.INCONCLUSIVE for verdict in pieces)
    if not n:
        return None
    k = sum(verdict == VerdictLabel.DIVERGED for verdict in pieces)
    low, high = wilson(k, len(pieces))[0], wilson(k + len(pieces) - n, len(pieces))[1]
    return f"{k / n:.0%} [{low:.0%}, {high:.0%}]"


def _identical(endings: Sequence[Row]) -> Iterator[str]:
    """Where the seed made no difference, so that many trials are one piece of evidence."""
    for found in independent.identical(endings):
        where = f"{found.stage} of {found.arm}" if found.arm else found.stage
        yield (
            f"{where}: trials with different seeds came out identical in every recorded number, as if no seed"
            f" arrived in the training; {found.trials} trials count as {found.pieces}"
        )


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
                "undecided": found.get("undecided", 0),
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
    from stability.evidence.printed import is_printed

    return inert(store.trials(spec.name), exact=not is_printed(spec.trainer))


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
