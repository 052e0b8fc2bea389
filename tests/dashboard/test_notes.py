"""The notes of stages and trials, as they are stored for the dashboard."""

from __future__ import annotations

import json
import sqlite3

import optuna
import optuna_dashboard
import pytest

from stability.dashboard import enrich


def note(storage, stage):
    """The Markdown of a stage's note."""
    return optuna_dashboard.get_note(optuna.load_study(study_name=stage, storage=storage))


def test_a_bar_in_an_arms_name_ends_no_cell(run_study, study_file):
    _, store, _ = run_study(study_file(("  rough:", '  "a|b":'), ("treatment: rough", 'treatment: "a|b"')))
    storage = store.optuna_storage()
    enrich(store, storage)
    assert "| `a\\|b` | 3 | 3 | 0 |" in note(storage, "toy.compare")


def make_unreadable(database, study):
    """Give the stored file of a study a key that this version does not know."""
    with sqlite3.connect(database) as connection:
        [(spec,)] = connection.execute("select spec from stability_environment where study = ?", (study,))
        spec = json.dumps(json.loads(spec) | {"from_the_future": 1})
        connection.execute("update stability_environment set spec = ? where study = ?", (spec, study))


@pytest.mark.parametrize(("lang", "told"), [("en", "can no longer be read"), ("fa", "دیگر خوانده نمی‌شود")])
def test_a_study_that_can_no_longer_be_read_says_why_and_hides_no_other(
    run_study, study_file, tmp_path, lang, told
):
    run_study(study_file(("name: toy", "name: old")), "plan=[{compare: {seeds: 1}}]")
    _, store, _ = run_study(study_file(), "plan=[{compare: {seeds: 1}}]")
    make_unreadable(tmp_path / "s.db", "old")
    storage = store.optuna_storage()
    enrich(store, storage, lang)
    assert told in note(storage, "old.compare") and "from\\_the\\_future" in note(storage, "old.compare")
    assert "`rough`" in note(storage, "toy.compare")
    old = optuna.load_study(study_name="old.compare", storage=storage)
    optuna_dashboard.save_note(old, "a person's own words")
    enrich(store, storage, lang)
    assert note(storage, "old.compare") == "a person's own words"
