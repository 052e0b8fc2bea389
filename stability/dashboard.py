"""The store in optuna-dashboard: notes with verdicts and reasons. Reads what was decided, never decides."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
import optuna_dashboard
import pandas as pd

from stability.records import UserError, VerdictLabel
from stability.store import Store

_WRITTEN = "stability:notes_sha256"
_NOTED = (VerdictLabel.DIVERGED, VerdictLabel.UNSTABLE, VerdictLabel.STUCK, VerdictLabel.INCONCLUSIVE)


def serve(
    store: Store, host: str, port: int, artifact_dir: Path | None, announce: Callable[[str], None]
) -> None:
    """Write the notes, then serve optuna-dashboard until interrupted; `announce` is told the address.

    Raises `UserError` when the port is taken.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = store.optuna_storage()
    write_notes(store, storage)
    artifacts = None
    if artifact_dir is not None:
        artifacts = optuna.artifacts.FileSystemArtifactStore(artifact_dir)
    announce(f"optuna-dashboard on http://{host}:{port}/ (Ctrl-C ends it)")
    try:
        optuna_dashboard.run_server(storage, host=host, port=port, artifact_store=artifacts)
    except OSError as error:
        raise UserError(f"{host}:{port}: error: {error.strerror}; give another --port") from None


def write_notes(store: Store, storage: optuna.storages.RDBStorage) -> None:
    """Give every stage a note with its counts, and every trial that did not end well one with its reason.

    Notes are study attributes, so those of finished trials can still be written. A stage whose notes would
    be the same as last time is left alone, and so is what a person has edited there since.
    """
    once = _ReadOnce(storage)
    there = set(optuna.get_all_study_names(storage))  # a stage may have been deleted in the dashboard
    for name in store.studies():
        trials = store.trials(name)
        for stage, rows in trials.groupby("stage", sort=False):
            if f"{name}.{stage}" not in there:
                continue
            # A note needs a trial object, and that a sampler; this one costs nothing and is never asked.
            sampler = optuna.samplers.RandomSampler()
            study = optuna.load_study(study_name=f"{name}.{stage}", storage=once, sampler=sampler)
            _write_stage(study, once, rows, (name, stage))


class _ReadOnce:
    """An Optuna storage that reads a study's attributes once: `save_note` asks for all of them every time."""

    def __init__(self, storage: optuna.storages.RDBStorage) -> None:
        self._storage = storage
        self._known: dict[int, dict[str, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        if study_id not in self._known:
            self._known[study_id] = self._storage.get_study_system_attrs(study_id)
        return self._known[study_id]

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        known = self.get_study_system_attrs(study_id)
        self._storage.set_study_system_attr(study_id, key, value)
        known[key] = value


def _write_stage(
    study: optuna.Study, storage: _ReadOnce, trials: pd.DataFrame, place: tuple[str, str]
) -> None:
    rows = trials.to_dict("records")
    of_trials = {row["trial_id"]: _trial_note(row) for row in rows if row["verdict"] in _NOTED}
    of_stage = _stage_note(*place, trials)
    digest = hashlib.sha256(repr((of_stage, of_trials)).encode()).hexdigest()
    if storage.get_study_system_attrs(study._study_id).get(_WRITTEN) == digest:
        return
    optuna_dashboard.save_note(study, of_stage)
    for trial_id, note in of_trials.items():
        optuna_dashboard.save_note(optuna.Trial(study, trial_id), note)
    storage.set_study_system_attr(study._study_id, _WRITTEN, digest)


def _stage_note(name: str, stage: str, trials: pd.DataFrame) -> str:
    lines = [f"# {name}: {stage}", "", "| arm | trials | diverged | failed |", "|---|---|---|---|"]
    for arm, rows in trials.groupby("arm", dropna=False, sort=False):
        diverged = int((rows.verdict == VerdictLabel.DIVERGED).sum())
        failed = int((rows.verdict == VerdictLabel.INCONCLUSIVE).sum())
        shown = arm if isinstance(arm, str) else "-"
        lines.append(f"| {shown} | {len(rows)} | {diverged} | {failed} |")
    lines += [
        "",
        "Diverged trials are the infeasible ones: their objective is capped at the yardstick before",
    ]
    lines += [f"training. The comparison with intervals: `stability report {name}`."]
    return "\n".join(lines)


def _trial_note(row: Mapping[str, Any]) -> str:
    lines = [f"# {row['verdict']}", "", row["evidence"], ""]
    lines.append(f"The process ended {row['outcome']} after {row['steps']} steps; seed {row['seed']}.")
    name = f"{row['study']} {row['stage']}/{row['number']}"
    lines.append(f"More: `stability show {name}`")
    if row["verdict"] != VerdictLabel.INCONCLUSIVE:
        lines += ["", f"The operation where it broke: `stability explain {name}`"]
    return "\n".join(lines)
