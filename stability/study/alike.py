"""When a study, or a stage of it, is not worth going on with: all its trials fail, and many of them alike.

Asked of what is stored, so that it means the same to every driver, and to one that resumes.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stability import trainers, trialdir
from stability.evidence.alike_failures import Alike, alike, settings
from stability.plan import proposals
from stability.spec import StudySpec
from stability.store import Store

SHOWN_LINES = 8
_NOT_READ = ("recorded no step", "wrote no step", "matched parse", "had no number", "but never after it")
"""In the words of a trial that ran, and whose numbers could not be read."""
_AROUND = "what the program needs (other trials gave evidence, so program and study must stay as they are)"


class FailedAlike(Exception):
    """No trial of the study gave evidence, and too many failed alike; the message says what to mend."""


def failing(spec: StudySpec, store: Store, stage: str | None = None) -> Alike | None:
    """The trials that failed alike, where that ends the study, or the `stage`; else None.

    It does where no trial gave evidence, at least `limits.max_alike_failures` failed for one reason, and more
    than one setting was tried, if there are more.
    """
    enough = spec.limits.max_alike_failures
    if enough is None:
        return None
    failed = store.failures(spec.name, stage)
    found = alike(failed)
    if found is None or found.count < enough:
        return None
    ended = sum(row["trials"] for row in store.counts(spec.name) if stage in (None, row["stage"]))
    if len(failed) < ended:
        return None
    return found if settings(failed) > 1 or not _has_several_settings(spec, stage) else None


def to_run_again(spec: StudySpec, store: Store, *, mended: bool) -> set[int]:
    """The failed trials that a run begins with: where they ended a study, or a stage, or it was mended."""
    if mended or failing(spec, store) is not None:
        return {row["trial_id"] for row in store.failures(spec.name)}
    ended = [entry.name for entry in spec.plan if failing(spec, store, entry.name) is not None]
    return {row["trial_id"] for stage in ended for row in store.failures(spec.name, stage)}


def explained(spec: StudySpec, store: Store, found: Alike, stage: str | None = None) -> str:
    """What failed, how often, what the program printed last, the command, and what to do."""
    ended = sum(row["trials"] for row in store.counts(spec.name) if stage in (None, row["stage"]))
    what = "stopped" if stage is None else f"stage {stage} stopped"
    lines = [f"{what}: {counted(found, ended)}"]
    directory = Path(found.first["directory"])
    if printed := last_printed(directory):
        where = f"{found.first['stage']}/{found.first['number']} ({found.first['key']})"
        lines += [f"the last lines that trial {where} printed:", *(f"    {line}" for line in printed)]
    if command := _command(directory):
        lines.append(f"its command: {command}")
    lines.append(f"its directory: {directory}")
    if any(words in found.first["evidence"] for words in _NOT_READ):
        lines.append(_how_numbers_are_read(spec.trainer))
    what = "that" if stage is None else _AROUND
    lines.append(f"mend {what}, then run the same command: it runs these trials again")
    lines.append("to go on whatever fails, add limits.max_alike_failures=null to the command")
    return "\n".join(lines)


def counted(found: Alike, ended: int) -> str:
    """`4 of 4 trials crashed alike: MESSAGE`."""
    return f"{found.count} of {ended} trials {found.verb} alike: {found.message}"


def last_printed(directory: Path) -> list[str]:
    """The last lines that the program of a trial printed, without what was added about its end."""
    text = trialdir.captured(directory).replace("\r", "\n")
    before, marker, after = text.rpartition("Traceback (most recent call last):")
    if marker and "\nstability.trainers.command." in after:
        text = before
    return [line.rstrip() for line in text.splitlines() if line.strip()][-SHOWN_LINES:]


def _has_several_settings(spec: StudySpec, stage: str | None) -> bool:
    """Whether the plan, or the stage, tries more than one setting; what a sampler chooses counts as many."""
    entries = [entry for entry in spec.plan if stage in (None, entry.name)]
    tried = [proposal.params for entry in entries for proposal in proposals(spec, entry)]
    return None in tried or len({json.dumps(dict(params), sort_keys=True) for params in tried}) > 1


def _command(directory: Path) -> str | None:
    """The command line of a trial; None where it was no program, or its directory is gone."""
    try:
        argv = trainers.command_line_of(trialdir.read_spec(directory))
    except OSError:
        return None
    return None if argv is None else shlex.join(argv)


def _how_numbers_are_read(trainer: Any) -> str:
    """Where the numbers of a trial are looked for."""
    if not trainers.is_command(trainer):
        return "numbers are read from recorder.step(...), called once a step, and recorder.evaluate(...)"
    if not isinstance(trainer, Mapping) or trainer.get("parse") is None:
        return (
            "numbers are read from JSON lines that the program appends to $STABILITY_TRIAL_DIR/steps.jsonl, "
            "since trainer has no `parse`; docs/command.md shows both"
        )
    return (
        f"numbers are read by trainer.parse: {json.dumps(trainer['parse'], ensure_ascii=False)}; it must "
        "match what the program prints or writes, docs/command.md says how"
    )
