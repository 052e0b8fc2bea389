"""Runs the program a second time, where no copy of it could find out where its number broke.

The same command draws the same random numbers again, and the step that broke is traced. It leaves no mark:
what it prints is thrown away, what it writes goes to a folder that is deleted.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stability.observing import findings, launch, quarantine
from stability.observing.findings import Cause, Process
from stability.observing.launch import Observation

TRIES = 3
"""A rerun may find out that an earlier step broke, which the next one traces."""
LEAST_S, TIMES_LONGER = 120.0, 4.0
"""How long a rerun may take: at least, and in times of the first run."""
LOOK_S = 0.05


def rerun(command: Sequence[str], first: Path, process: Process, took_s: float) -> Cause:
    """Where `process` of an earlier run, whose findings lie in the folder `first`, broke."""
    until = process.broke.step
    for _ in range(TRIES):
        cause = _traced(command, _order(first, process, until), LEAST_S + TIMES_LONGER * took_s)
        if cause.born is not None or cause.step >= until:
            break
        until = cause.step
    return cause


def _traced(command: Sequence[str], order: Mapping[str, Any], limit_s: float) -> Cause:
    with tempfile.TemporaryDirectory(prefix="stability-rerun-", ignore_cleanup_errors=True) as folder:
        place = Path(folder, "cause.json")
        observation = Observation(Path(folder), rerun={**order, "cause": str(place)})
        ended = _run(command, observation, place, limit_s)
        quarantine.take_away(Path(folder).resolve())
        if place.is_file():
            return findings.read_cause(place)
    why = "the program ended before" if ended else f"it had not ended after {limit_s:.0f} s"
    why = f"not reproduced in a second run: {why}"
    return Cause(order["until"], "rerun", None, False, why)


def _run(command: Sequence[str], observation: Observation, place: Path, limit_s: float) -> bool:
    """Run until the answer is there, or the program has ended; False if it took too long."""
    hashes = observation.rerun["hashes"]
    environment = launch.environment(os.environ | {"PYTHONHASHSEED": hashes}, observation)
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    program = subprocess.Popen(list(command), env=environment, start_new_session=True, **quiet)
    deadline_s = time.monotonic() + limit_s
    try:
        while time.monotonic() < deadline_s:
            if program.poll() is not None or place.is_file():
                return True
            time.sleep(LOOK_S)
        return False
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()


def _order(first: Path, process: Process, until: int) -> dict[str, Any]:
    told = {path.name: json.loads(path.read_text()) for path in sorted(first.glob("seeds-*.json"))}
    steps = [step for step in findings.steps(first, process.pid) if step.total is not None]
    return {
        "until": until,
        "who": told[f"seeds-{process.pid}.json"]["who"],
        "seeds": list(told.values()),
        "losses": {str(step.step): str(step.total) for step in steps},
        "hashes": str(process.facts["hashes"]),
    }
