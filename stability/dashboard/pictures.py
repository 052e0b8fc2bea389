"""Pictures of diverged trials' last steps, as artifacts that are drawn when somebody looks at them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
from optuna.artifacts import FileSystemArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound

from stability.records import VerdictLabel
from stability.report.blocks import Code
from stability.report.plots import anatomy
from stability.store import Store

MOST = 500
"""Pictures a stage: each is an attribute of its Optuna study, and all are read for every page."""
_OURS = "57ab1e-"
"""Begins our artifacts' names, which the dashboard allows to be hexadecimal only."""


def announce(study_id: int, storage: Any, rows: pd.DataFrame) -> None:
    """Tell the dashboard of a picture for each diverged trial of a stage.

    Finished trials take no attributes any more; the dashboard also reads those of the study, under the name
    that it used itself before it had artifacts of trials.
    """
    lost = rows[(rows["verdict"] == VerdictLabel.DIVERGED) & rows["event_step"].notna()]
    for trial_id in lost["trial_id"].iloc[:MOST]:
        name = f"{_OURS}{trial_id:x}"
        told = {"artifact_id": name, "filename": "last_steps.png", "mimetype": "image/png", "encoding": None}
        key = f"dashboard:artifacts:{trial_id}:{name}"
        storage.set_study_system_attr(study_id, key, json.dumps(told))


class Artifacts:
    """An artifact store for Optuna: our pictures, drawn when asked for, and the files of a folder."""

    def __init__(self, store: Store, lang: str, folder: Path | None) -> None:
        self._store, self._lang = store, lang
        self._files = None if folder is None else FileSystemArtifactStore(folder)

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """The artifact's bytes. Raises Optuna's `ArtifactNotFound`."""
        if artifact_id.startswith(_OURS):
            return io.BytesIO(self._picture(int(artifact_id.removeprefix(_OURS), 16)))
        return self._folder().open_reader(artifact_id)

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        self._folder().write(artifact_id, content_body)

    def remove(self, artifact_id: str) -> None:
        self._folder().remove(artifact_id)

    def _folder(self) -> FileSystemArtifactStore:
        if self._files is None:
            raise ArtifactNotFound("no folder of artifacts was given: stability dashboard --artifact-dir DIR")
        return self._files

    def _picture(self, trial_id: int) -> bytes:
        from stability.report import figures  # here: matplotlib takes half a second to import

        study = self._store.study_of(trial_id)
        if study is None:
            raise ArtifactNotFound(f"no trial {trial_id}")
        frames = self._store.frames(study, trial_id)
        part = anatomy(frames, trial_id)
        if part is None:
            return figures.draw_reason("fig_no_course", self._lang, **_named(frames.trials, trial_id))
        return figures.draw("failure", {"plots": {"failure": part}}, self._lang)


def _named(trials: pd.DataFrame, trial_id: int) -> dict[str, Any]:
    """What a trial is called."""
    trial = trials[trials["trial_id"] == trial_id].iloc[0]
    return {"stage": Code(str(trial["stage"])), "number": int(trial["number"])}
