"""The notes of stages and trials, as they are stored for the dashboard."""

from __future__ import annotations

import optuna
import optuna_dashboard

from stability.dashboard import enrich


def note(storage, stage):
    """The Markdown of a stage's note."""
    return optuna_dashboard.get_note(optuna.load_study(study_name=stage, storage=storage))


def test_a_bar_in_an_arms_name_ends_no_cell(run_study, study_file):
    _, store, _ = run_study(study_file(("  rough:", '  "a|b":'), ("treatment: rough", 'treatment: "a|b"')))
    storage = store.optuna_storage()
    enrich(store, storage)
    assert "| `a\\|b` | 3 | 3 | 0 |" in note(storage, "toy.compare")
