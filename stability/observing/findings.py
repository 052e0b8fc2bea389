"""What an observed process tells the command that started it: files in one folder. No torch.

`python-PID.json`: a Python that was started. `process-PID.json`: a process that trained. `steps-PID.jsonl`:
its iterations. `norms-PID.json`: how the gradient of each weight grew. `cause-PID.json`: where its first
number broke.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stability.records import Phase, Provenance, Step
from stability.trialdir import provenance_from

UNOBSERVED = {
    "no python": "no Python was started by it that looks into PYTHONPATH (python -I, -E and -S do not)",
    "no torch": "it imported no torch",
    "no training": "it called no backward pass",
}
NONFINITE = ("nan", "inf", "-inf")


@dataclass(frozen=True, slots=True)
class Broke:
    """The first number of a process that was not finite: its iteration, and what it is."""

    step: int
    what: str
    since_s: float = 0.0  # seconds since 1970, to tell ranks apart


@dataclass(frozen=True, slots=True)
class Cause:
    """Where it broke: the iteration, the operation, and how that was found (fork or rerun).

    `reproduced`: every loss of the copy was that of the program, to the last bit. `why` says how it differed,
    or without `born`, why nothing was found.
    """

    step: int
    how: str
    born: Provenance | None
    reproduced: bool | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that trained."""

    pid: int
    steps: int = 0
    rank: int | None = None
    broke: Broke | None = None
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    ended: bool = False


def write(path: Path, record: Any) -> None:
    """Write a record as JSON, whole or not at all."""
    draft = path.with_suffix(f".{os.getpid()}.draft")
    draft.write_text(json.dumps(_plain(record)))
    draft.replace(path)


def processes(folder: Path) -> list[Process]:
    """All processes that imported torch, in order of their numbers."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("process-*.json"))]
    return [_process(each) for each in found]


def first_broken(folder: Path) -> Process | None:
    """The process that broke first; of several in one step that whose number did not come from another."""

    def order(process: Process) -> tuple[int, bool, float]:
        found = cause(folder, process.pid)
        born = found.born if found is not None else None
        step = found.step if born is not None else process.broke.step
        return step, born is None or born.phase is Phase.EXTERNAL, process.broke.since_s

    broken = [process for process in processes(folder) if process.broke is not None]
    return min(broken, key=order, default=None)


def cause(folder: Path, pid: int) -> Cause | None:
    """What a copy of process `pid` found out."""
    path = folder / f"cause-{pid}.json"
    return read_cause(path) if path.is_file() else None


def read_cause(path: Path) -> Cause:
    """A cause from its file."""
    found = json.loads(path.read_text())
    born = found["born"]
    return Cause(**{**found, "born": provenance_from(born)})


def states(folder: Path) -> Iterator[tuple[list[str], str]]:
    """The arguments of each Python that was started, and what became of its observation."""
    for path in sorted(folder.glob("python-*.json")):
        with contextlib.suppress(ValueError):
            told = json.loads(path.read_text())
            yield told["argv"], told["state"]


def unobserved(folder: Path) -> str | None:
    """Why no process was seen to train; None where one was."""
    if processes(folder):
        return None
    found = [state for _, state in states(folder)]
    failure = next((state for state in found if state not in UNOBSERVED), None)
    return failure or UNOBSERVED[found[-1] if found else "no python"]


def append_steps(path: Path, steps: Iterable[Step]) -> None:
    """Add iterations to the file of a process."""
    with path.open("a") as file:
        file.writelines(json.dumps(_plain(step)) + "\n" for step in steps)


def steps(folder: Path, pid: int) -> list[Step]:
    """The iterations of a process; a last line that was cut off is left out."""
    path = folder / f"steps-{pid}.jsonl"
    found = []
    for line in path.read_text().splitlines() if path.is_file() else ():
        with contextlib.suppress(ValueError):
            row = json.loads(line)
            row = {name: _numbers(value) for name, value in row.items()}
            found.append(Step(**row))
    return found


def _process(found: Mapping[str, Any]) -> Process:
    broke = found["broke"]
    return Process(
        **{**found, "broke": None if broke is None else Broke(**broke), "notes": tuple(found["notes"])}
    )


def _plain(value: Any) -> Any:
    """JSON has no word for numbers that are not finite; they become text."""
    if dataclasses.is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _numbers(each) for name, each in value.items()}
    return float(value) if isinstance(value, str) and value in NONFINITE else value
