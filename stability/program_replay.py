"""Runs the program of a stored trial again, observed, and says where its first number broke.

It runs as in the trial, in a folder of its own, and what it recorded is compared with what the trial did.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stability import trainers, trialdir
from stability.judging.policy import Policy
from stability.observing import findings, launch
from stability.observing.findings import Cause
from stability.recorder import TrialRecorder
from stability.records import Explanation, StopTrial, TrialSpec


def explain(directory: Path, scratch: Path, step: int) -> None:
    """Run the trial in `directory` again and write what was found into `scratch`; `step` was its bad one."""
    stored, folder = trialdir.read_spec(directory), scratch / "observed"
    folder.mkdir()
    os.environ |= launch.environment(os.environ, launch.Observation(folder))
    error = _run(replace(stored, directory=scratch / "replay"), folder)
    difference = error or _difference(trialdir.read_records(directory), scratch / "replay", step)
    trialdir.write_explanation(scratch, _explained(folder, step, difference))


def _explained(folder: Path, step: int, difference: str | None) -> Explanation:
    cause = _cause(folder)
    if cause is None or cause.born is None:
        why = cause.why if cause is not None else findings.unobserved(folder) or "no number broke in it"
        return Explanation(step, step, False, difference or why, None, None)
    return Explanation(step, cause.step, difference is None, difference, cause.born, None)


def _cause(folder: Path) -> Cause | None:
    """Of the process that broke first."""
    if (first := findings.first_broken(folder)) is None:
        return None
    why = "; ".join(first.notes) or "no copy of the program was made before it broke"
    return findings.cause(folder, first.pid) or Cause(first.broke.step, "fork", None, None, why)


def _run(spec: TrialSpec, folder: Path) -> str | None:
    """Run the program until it has broken, or to its end; why it failed, if it did without breaking."""
    trialdir.create(spec)
    recorder = _Replay(spec, folder)
    try:
        trainers.load(spec.trainer)(spec, recorder)
    except StopTrial:
        return None
    except Exception as raised:
        return None if _cause(folder) else f"the replay raised {type(raised).__name__}: {raised}"
    finally:
        recorder.close()
    return None


def _difference(recorded: Any, replayed: Path, step: int) -> str | None:
    from stability.replay import first_difference  # imports torch

    again = trialdir.read_records(replayed)
    return first_difference([each for each in recorded.steps if each.step < step], again.steps, step)


class _Replay(TrialRecorder):
    """Records like any trial, and ends the program once its cause is known."""

    def __init__(self, spec: TrialSpec, folder: Path) -> None:
        super().__init__(spec, Policy())
        self._folder = folder

    def _note(self, events: Sequence[Any]) -> None:
        if events and _cause(self._folder) is not None:
            raise StopTrial("the replay has what it came for")
