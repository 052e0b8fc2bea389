"""The store in optuna-dashboard: notes with verdicts and reasons. Reads what was decided, never decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
import optuna_dashboard

from stability.records import UserError, VerdictLabel
from stability.store import Frames, Store

_NOTED = (VerdictLabel.DIVERGED, VerdictLabel.UNSTABLE, VerdictLabel.INCONCLUSIVE)


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

    Notes are study attributes, so those of finished trials can still be written; one that is already as it
    should be is left alone.
    """
    for name in store.studies():
        frames = store.frames(name)
        for stage in dict.fromkeys(frames.trials.stage):
            study = optuna.load_study(study_name=f"{name}.{stage}", storage=storage)
            _write(study, study, _stage_note(name, stage, frames))
            for row in frames.trials[frames.trials.stage == stage].to_dict("records"):
                if row["verdict"] in _NOTED:
                    _write(study, optuna.Trial(study, row["trial_id"]), _trial_note(row))


def _write(study: optuna.Study, target: optuna.Study | optuna.Trial, note: str) -> None:
    key = None if isinstance(target, optuna.Study) else target._trial_id
    written = optuna_dashboard._note.get_note_from_system_attrs(study.system_attrs, key)
    if written["body"] != note:
        optuna_dashboard.save_note(target, note)


def _stage_note(name: str, stage: str, frames: Frames) -> str:
    trials = frames.trials[frames.trials.stage == stage]
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
    lines.append(f"More: `stability show {row['study']} {row['stage']}/{row['number']}`")
    return "\n".join(lines)
