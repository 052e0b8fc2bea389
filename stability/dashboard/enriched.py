"""What optuna-dashboard shows of our studies beyond Optuna's own: written into the store, once per change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import optuna
import optuna_dashboard
import pandas as pd

from stability.dashboard import notes, pictures, plots
from stability.records import UserError
from stability.report import build
from stability.report.stored import stored
from stability.report.words import Words
from stability.store import Store

_WRITTEN = "stability:enriched_sha256"
_EDITION = "5"
"""Changes with what is written, so that older stores get it too."""


def enrich(store: Store, storage: optuna.storages.RDBStorage, lang: str = "en") -> None:
    """Give every stage its headline, counts and plots, and every trial that did not end well its diagnosis.

    Notes and plots are study attributes, so those of finished trials can still be written. A stage in which
    nothing changed since last time is left alone, and so is what a person has edited there. A study whose
    stored file this version cannot read gets a note that says why.
    """
    once, words = _ReadOnce(storage), Words(lang)
    there = set(optuna.get_all_study_names(storage))  # a stage may have been deleted in the dashboard
    for name in store.studies():
        trials = store.trials(name)
        rows_of = {f"{name}.{stage}": rows for stage, rows in trials.groupby("stage", sort=False)}
        stages = [
            _Stage(_study(full, once), rows, _digest(rows, trials, lang))
            for full, rows in rows_of.items()
            if full in there
        ]
        if changed := [stage for stage in stages if _written(stage.study, once) != stage.digest]:
            _write(store, name, changed, once, words)


@dataclass(frozen=True, slots=True)
class _Stage:
    """A stage with its trials, and what tells whether they have changed."""

    study: optuna.Study
    rows: pd.DataFrame
    digest: str


def _write(store: Store, name: str, stages: list[_Stage], storage: Any, words: Words) -> None:
    try:
        spec, frames, environment = stored(store, name)
    except UserError as error:  # of one study: the others are there to be read
        _write_reason(stages, storage, error, words)
        return
    twin = build(spec, frames, environment)
    for stage in stages:
        _write_stage(stage.study, storage, stage.rows, frames.events, twin, words)
        storage.set_study_system_attr(stage.study._study_id, _WRITTEN, stage.digest)


def _write_reason(stages: list[_Stage], storage: Any, reason: UserError, words: Words) -> None:
    """Once for each reason, and again only when that or the trials have changed."""
    for stage in stages:
        digest = hashlib.sha256(f"{stage.digest} {reason}".encode()).hexdigest()
        if _written(stage.study, storage) != digest:
            note = notes.unreadable_note(stage.study.study_name, reason, words)
            optuna_dashboard.save_note(stage.study, note)
            storage.set_study_system_attr(stage.study._study_id, _WRITTEN, digest)


def _written(study: optuna.Study, storage: Any) -> str | None:
    return storage.get_study_system_attrs(study._study_id).get(_WRITTEN)


def _study(name: str, storage: Any) -> optuna.Study:
    # A note needs a trial object, and that a sampler; this one costs nothing and is never asked.
    sampler = optuna.samplers.RandomSampler()
    return optuna.load_study(study_name=name, storage=storage, sampler=sampler)


def _digest(rows: pd.DataFrame, trials: pd.DataFrame, lang: str) -> str:
    """Of a stage's evidence, and of all verdicts of the study, on which its headline rests."""
    told = rows["evidence"].tolist(), trials[["trial_id", "verdict"]].to_numpy().tolist()
    return hashlib.sha256(repr((_EDITION, lang, told)).encode()).hexdigest()


def _write_stage(
    study: optuna.Study, storage: Any, rows: pd.DataFrame, events: pd.DataFrame, twin: Any, words: Words
) -> None:
    optuna_dashboard.save_note(study, notes.stage_note(rows, twin, words))
    for trial_id, note in notes.trial_notes(rows, events, twin["limits"]["trainer"], words):
        optuna_dashboard.save_note(optuna.Trial(study, trial_id), note)
    for name, figure in plots.of_stage(rows["stage"].iloc[0], twin, words).items():
        optuna_dashboard.save_plotly_graph_object(study, figure, graph_object_id=name)
    pictures.announce(study._study_id, storage, rows)


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
        if known.get(key) != value:
            self._storage.set_study_system_attr(study_id, key, value)
            known[key] = value
