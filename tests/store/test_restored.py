"""Records that come back from the database as they went in."""

import math
from dataclasses import replace

import pytest
from test_store import RECORDS, WEIGHTS, a_trial, rows

from stability.judging.verdict import judge
from stability.records import BEFORE_TRAINING, Ending, Evaluation, Outcome, Records, Step
from stability.store import Store
from stability.store.restored import restored
from stability.store.rows import trial_rows
from stability.store.tables import EPOCHS, STEPS

NAN, INF = math.nan, math.inf


@pytest.fixture
def back(tmp_path):
    """Stores records among those of another trial, and restores them."""

    def store_and_restore(records, weights=WEIGHTS):
        store = Store(str(tmp_path / "s.db"))
        trial = a_trial(tmp_path, yardstick=weights)
        ending = Ending(Outcome.FINISHED)
        stored = trial_rows(trial, records, ending, judge(records, ending, weights), 1)
        with store.transaction() as connection:
            store.add(connection, 3, rows(tmp_path, number=1))
            store.add(connection, 7, stored)
        steps, epochs = (store._frame(table, table.c.trial_id == 7) for table in (STEPS, EPOCHS))
        return restored(steps, epochs, weights, records.definitions)

    return store_and_restore


def same(one, two):
    """Equal, NaN included, events aside."""
    return repr(replace(one, events=())) == repr(replace(two, events=()))


def test_numbers_that_are_not_finite_and_missing_ones_come_back(back):
    assert same(back(RECORDS), RECORDS)


def test_everything_a_step_may_hold_comes_back(back):
    steps = (
        Step(0, {"mel": 1.0}, total=2.0, epoch=0, lr=0.1, grad_norm=1.0, weight_norm=3.0, grad_scale=2.0**16),
        Step(
            1, {"mel": NAN, "kl": -INF}, epoch=0, loss_weights={"mel": 1.0, "kl": NAN}, skipped=True,
            measures={"clip_factor": 0.5, "grad_cosine/kl,mel": NAN, "grad_share/kl": INF},
        ),
        Step(5, {"mel": 1.0}),
        Step(6, {}, grad_norm=0.0, measures={"update_ratio": 0.0}),
    )  # fmt: skip
    evaluations = (
        Evaluation(0, BEFORE_TRAINING, {"mel": 1.0, "kl": 0.0, "unweighed": 3.0}),
        Evaluation(2, 0, {"mel": INF, "kl": NAN, "unweighed": NAN}),
        Evaluation(7, 1, {"mel": 0.5, "kl": 0.1, "unweighed": 1.0}),
    )
    records = Records(steps, evaluations, definitions={"mel": "L1"})
    assert same(back(records), records)


def test_a_trainer_that_uses_its_step_numbers_again_has_as_many_steps(back):
    records = Records(tuple(Step(i % 2, {"mel": float(i)}, total=1.0) for i in range(4)))
    found = back(records)
    assert sorted(step.losses["mel"] for step in found.steps) == [0.0, 1.0, 2.0, 3.0]


def test_several_evaluations_after_the_same_step_stay_apart(back):
    records = Records(
        (Step(0, {"mel": 1.0}),), tuple(Evaluation(1, e, {"mel": 1.0 + e, "kl": 0.0}) for e in range(3))
    )
    assert same(back(records), records)


@pytest.mark.parametrize("weights", [{"total": 1.0}, {"total": 0.5, "kl": 2.0}])
def test_a_component_called_total_is_not_taken_for_the_weighted_sum(back, weights):
    records = Records(evaluations=(Evaluation(0, BEFORE_TRAINING, {"kl": 0.5, "total": 3.0}),))
    assert back(records, weights).evaluations[0].losses == pytest.approx({"kl": 0.5, "total": 3.0})


def test_a_trial_without_records_has_none(back):
    assert back(Records()) == Records()
