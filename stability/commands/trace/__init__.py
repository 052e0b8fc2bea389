"""`stability trace`: runs a program unchanged and says where its first number broke.

Rooms: `running` runs it, `rerunning` does so once more where that did not say enough, `answer` makes one
object of what its processes found, `explosion` says whether it was lost all the same, `words` tells a person.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stability.commands.trace import words
from stability.commands.trace.answer import answer, unexplained
from stability.commands.trace.rerunning import rerun
from stability.commands.trace.running import run
from stability.observing import findings, launch
from stability.records import UserError


@dataclass(frozen=True, slots=True)
class Wishes:
    """How to trace: the answer as JSON, a copy every so many iterations, the folder to keep records in."""

    as_json: bool = False
    every: int | None = None
    out: Path | None = None


def trace(command: Sequence[str], wishes: Wishes) -> int:
    """Run `command`, say where its first number broke, and return its own exit status.

    Raises `UserError` for a program that cannot be started.
    """
    with _folder(wishes.out) as folder:
        began_s = time.monotonic()
        status = run(command, launch.Observation(folder, every=wishes.every))
        if (process := unexplained(folder)) is not None:
            cause = rerun(command, folder, process, time.monotonic() - began_s)
            findings.write(folder / f"cause-{process.pid}.json", cause)
        found = answer(folder, command)
    if wishes.as_json:
        sys.stdout.write(json.dumps(found, allow_nan=False) + "\n")
        sys.stdout.flush()
    else:
        print("\n".join(words.told(found)), file=sys.stderr)
    return status


@contextlib.contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    """Where the processes write what they find: a new folder, or one that is kept."""
    if out is None:
        with tempfile.TemporaryDirectory(prefix="stability-trace-") as folder:
            yield Path(folder)
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is there already and not empty; choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    yield out
