"""One object of what the processes of a program found: the contract of `stability trace --format json`."""

from __future__ import annotations

import dataclasses
import linecache
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stability import origins
from stability.commands.trace.explosion import Explosion, explosion
from stability.observing import findings
from stability.observing.findings import Cause, Process
from stability.records import Link, Provenance

NONFINITE, EXPLOSION = "nonfinite", "explosion"
WITHOUT_A_PLACE = {
    "phase": None, "op": None, "file": None, "line": None, "module": None, "component": None,
    "batch_index": None, "value": None, "max_abs_input": None, "source": None, "came_in": None, "chain": [],
    "setting": None, "library_file": None, "library_line": None, "says": None, "guard": None,
}  # fmt: skip


def unexplained(folder: Path) -> Process | None:
    """The process that broke first, if no copy of any has found out where."""
    process = findings.first_broken(folder)
    if process is None:
        return None
    causes = [findings.cause(folder, each.pid) for each in findings.processes(folder)]
    return None if any(cause is not None and cause.born is not None for cause in causes) else process


def answer(folder: Path, command: Sequence[str]) -> dict[str, Any]:
    """What became of the program; `broke` is None where it could not be observed, and `reason` says why."""
    trained = findings.processes(folder)
    if (process := findings.first_broken(folder)) is not None:
        return _broke(process, findings.cause(folder, process.pid)) | _notes(process)
    if not trained:
        reason, environment = findings.unobserved(folder), {"command": [*command]}
        return {"broke": None, "steps": None, "reason": reason, "environment": environment}
    process = max(trained, key=lambda each: each.steps)
    if (found := explosion(folder, process.pid)) is not None:
        return _exploded(process, found) | _notes(process)
    if not process.ended:
        reason = f"it was ended from outside; every number was finite in its {process.steps} steps"
        return {"broke": None, "steps": process.steps, "reason": reason, "environment": dict(process.facts)}
    return {"broke": False, "steps": process.steps, "environment": dict(process.facts)} | _notes(process)


def _broke(process: Process, cause: Cause | None) -> dict[str, Any]:
    found = cause is not None and cause.born is not None
    facts = {
        "broke": True,
        "kind": NONFINITE,
        "step": cause.step if found else process.broke.step,
        **(_place(cause.born) if found else WITHOUT_A_PLACE),
        "how": cause.how if found else None,
        "seen": f"{process.broke.what} at step {process.broke.step}",
        "reproduced": None if cause is None else cause.reproduced,
        "environment": dict(process.facts),
    }
    if cause is not None and cause.why:
        facts["reason"] = cause.why
    return facts | ({} if process.rank is None else {"rank": process.rank})


def _place(born: Provenance) -> dict[str, Any]:
    line = linecache.getline(born.file, born.line).strip() if born.file else ""
    return {
        "phase": str(born.phase),
        "op": born.op,
        "file": shown(born.file),
        "line": born.line,
        "module": born.module,
        "component": born.component,
        "batch_index": born.batch_index,
        "value": born.value,
        "max_abs_input": born.max_abs_input,
        "source": line or None,
        "came_in": born.source,
        "chain": [_link(link) for link in born.chain],
        "setting": born.setting,
        "library_file": shown(born.library_file),
        "library_line": born.library_line,
        "says": origins.event(born),
        "guard": origins.guard(born),
    }


def _link(link: Link) -> dict[str, Any]:
    return dataclasses.asdict(link) | {"phase": str(link.phase), "file": shown(link.file)}


def _exploded(process: Process, found: Explosion) -> dict[str, Any]:
    facts = {"broke": True, "kind": EXPLOSION, "step": found.step, **WITHOUT_A_PLACE}
    facts |= {"component": found.component, "module": found.module, "how": None, "seen": found.evidence}
    return facts | {"steps": process.steps, "environment": dict(process.facts)}


def _notes(process: Process) -> dict[str, Any]:
    return {"notes": list(process.notes)} if process.notes else {}


def shown(file: str | None) -> str | None:
    """A path as the user would write it: relative where it lies below the working directory."""
    if file is None:
        return None
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
