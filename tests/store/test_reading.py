"""What is read of a study when not all of it is needed."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from test_store import PROJECT, RECORDS, a_trial

from stability.judging.verdict import judge
from stability.records import Ending, Outcome, Step
from stability.spec import load_study
from stability.store import Store
from stability.store.rows import trial_rows

ENDING = Ending(Outcome.FINISHED, wall_s=1.0, cpu_s=0.5, device="cpu")


def steps(mel_weight, count=3):
    return tuple(
        Step(i, {"mel": 1.0, "kl": 2.0}, total=3.0, epoch=0, loss_weights={"mel": mel_weight, "kl": 0.1})
        for i in range(count)
    )


def add(store, trial, records):
    rows = trial_rows(trial, records, ENDING, judge(records, ENDING, trial.yardstick), 1)
    with store.transaction() as connection:
        store.add(connection, trial.number, rows)


@pytest.fixture
def store(tmp_path):
    (tmp_path / "s.yaml").write_text("name: s\nparams: {lr: {min: 1e-5, max: 1.0}}\nplan: [search]\n")
    opened = Store(str(tmp_path / "s.db"))
    opened.add_environment(load_study(tmp_path / "s.yaml"), "0" * 64, PROJECT)
    return opened


@pytest.fixture
def filled(store, tmp_path):
    """Two arms of two seeds each; one trial of arm b has other weights; a search."""
    for number, (arm, mel_weight) in enumerate([("a", 1.0), ("a", 1.0), ("b", 1.0), ("b", math.inf)]):
        trial = a_trial(tmp_path, number, arm=arm)
        add(store, trial, replace(RECORDS, steps=steps(mel_weight), evaluations=(), events=()))
    add(store, a_trial(tmp_path, 4, stage="search", arm=None), RECORDS)
    return store


def test_an_outline_has_the_totals_of_its_stage(filled):
    whole, outline = filled.frames("s"), filled.outline("s", "compare")
    totals = whole.steps[(whole.steps.quantity == "total") & (whole.steps.trial_id < 4)]
    own = outline.steps[outline.steps.quantity == "total"]
    own = own.sort_values(["trial_id", "step"])[list(totals.columns)]
    own["epoch"] = own.epoch.astype(int)  # the rows of weights have none
    pd.testing.assert_frame_equal(own.reset_index(drop=True), totals.reset_index(drop=True))


def test_an_outline_has_a_row_for_each_weight_in_force_at_a_step(filled):
    steps = filled.outline("s", "compare").steps
    weights = steps[steps.quantity == "loss/mel"]
    found = sorted(zip(weights.trial_id, weights.step, weights.loss_weight, strict=True))
    # arm a once, with its first trial; arm b twice, since its trials differ
    expected = [
        (own, step, weight) for own, weight in ((0, 1.0), (2, 1.0), (3, math.inf)) for step in range(3)
    ]
    assert found == expected
    assert weights.value.isna().all()


def test_all_but_the_steps_of_an_outline_is_whole(filled):
    whole, outline = filled.frames("s"), filled.outline("s", "compare")
    for name in ("trials", "epochs", "events"):
        pd.testing.assert_frame_equal(getattr(outline, name), getattr(whole, name))


def test_frames_of_one_trial_have_nothing_of_the_others(filled):
    whole, own = filled.frames("s"), filled.frames("s", trial_id=4)
    assert len(own.trials) == len(whole.trials)
    for name in ("epochs", "steps", "events"):
        expected = getattr(whole, name).query("trial_id == 4").reset_index(drop=True)
        assert len(expected) > 0
        pd.testing.assert_frame_equal(getattr(own, name), expected)


def test_a_stage_without_trials_has_no_steps_in_an_outline(filled):
    outline = filled.outline("s", "unknown")
    assert outline.steps.empty and len(outline.trials) == 5


def test_numbers_are_floats_and_texts_are_objects_even_of_no_rows(store):
    frames = store.frames("s")
    assert frames.steps.value.dtype == "float64" and frames.steps.quantity.dtype == object
