"""Why a stored trial broke: replays it in a child process and keeps what was found beside the trial.

The child's work is in `replay`, the words are in `diagnosis`.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from stability import trialdir, worker
from stability.executors.local import LocalExecutor
from stability.records import Explanation, UserError, VerdictLabel
from stability.store import Store

TIMES_LONGER = 6
"""A replay may take this many times the time limit of a trial: two trainings, one step of them traced."""
EXPLAINED = (VerdictLabel.DIVERGED, VerdictLabel.UNSTABLE)
IN_EVALUATION = "yardstick/"


def explain(store: Store, trial: Mapping[str, Any]) -> Explanation:
    """Replay `trial` (a row of `stability_trials`) and store where its first bad number was born.

    Raises `UserError` for a trial with nothing to explain, or whose directory is gone.
    """
    directory = _checked_directory(trial)
    with contextlib.closing(LocalExecutor(["cpu"])) as executor, tempfile.TemporaryDirectory() as scratch:
        found = _replayed(executor, directory, Path(scratch), trial)
    trialdir.write_explanation(directory, found)
    if found.reproduced and found.provenance is not None:
        store.set_provenance(trial["trial_id"], trial["event_step"], trial["event_kind"], found.provenance)
    return found


def first_of_each_kind(trials: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The first diverged trial of each distinct way to diverge: the rule, and the quantity it fired on."""
    diverged = trials[trials.verdict == VerdictLabel.DIVERGED]
    yield from diverged.drop_duplicates(["event_kind", "event_where"]).to_dict("records")


def _replayed(
    executor: LocalExecutor, directory: Path, scratch: Path, trial: Mapping[str, Any]
) -> Explanation:
    limit_s = TIMES_LONGER * trialdir.read_spec(directory).timeout_s
    in_evaluation = trial["event_where"].startswith(IN_EVALUATION)
    arguments = (str(directory), str(scratch), int(trial["event_step"]), in_evaluation)
    if not executor.call(worker.explain, *arguments, timeout_s=limit_s):
        raise UserError(f"the replay of {trial['key']} had not ended after {limit_s:g} s; it was killed")
    found = trialdir.read_explanation(scratch)
    if found is None:
        printed = trialdir.captured(scratch, limit_bytes=1000).strip().splitlines()
        last = printed[-1] if printed else "it printed nothing"
        raise UserError(f"the replay of {trial['key']} died: {last}")
    return found


def _checked_directory(trial: Mapping[str, Any]) -> Path:
    name = f"{trial['stage']}/{trial['key']}"
    if trial["verdict"] not in EXPLAINED or trial["event_step"] is None or pd.isna(trial["event_step"]):
        raise UserError(f"{name} is {trial['verdict']}: {trial['evidence']}; there is no bad step to explain")
    directory = Path(trial["directory"])
    if not (directory / "trial.json").is_file():
        raise UserError(f"{name} cannot be replayed: {directory} is gone, and with it what the trial ran")
    return directory
