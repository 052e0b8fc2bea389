"""What Optuna is told: its own functions read back what was written past them."""

import optuna
import pytest

from stability.store import Store
from stability.store.told import Told

TOLD = Told(
    {"verdict": "STABLE", "first epoch: mel": 0.5, "reason": None},
    {"constraints": [0.0]},
    {0: 2.5, 3: -1e-30},
)


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "s.db"))


@pytest.fixture
def study(store):
    return optuna.create_study(storage=store.optuna_storage())


def test_everything_is_there_for_optuna(store, study):
    trial_id = study.ask()._trial_id
    with store.transaction() as connection:
        store.tell(connection, trial_id, TOLD)
    [found] = study.trials
    assert found.user_attrs == TOLD.user
    assert found.system_attrs == TOLD.system
    assert found.intermediate_values == TOLD.intermediate


def test_the_same_names_are_replaced_and_others_stay(store, study):
    trial = study.ask()
    trial.set_user_attr("verdict", "unknown")
    trial.set_user_attr("key", "a/seed-0")
    trial.report(9.0, 3)
    trial.report(8.0, 7)
    with store.transaction() as connection:
        store.tell(connection, trial._trial_id, TOLD)
    [found] = study.trials
    assert found.user_attrs == {**TOLD.user, "key": "a/seed-0"}
    assert found.intermediate_values == {**TOLD.intermediate, 7: 8.0}


def test_other_trials_keep_what_they_have(store, study):
    first, second = study.ask(), study.ask()
    first.set_user_attr("verdict", "DIVERGED")
    with store.transaction() as connection:
        store.tell(connection, second._trial_id, TOLD)
    assert study.trials[0].user_attrs == {"verdict": "DIVERGED"}


def test_nothing_is_told_when_the_transaction_fails(store, study):
    trial = study.ask()
    with pytest.raises(KeyError), store.transaction() as connection:
        store.tell(connection, trial._trial_id, TOLD)
        raise KeyError
    assert study.trials[0].user_attrs == {} and study.trials[0].intermediate_values == {}


@pytest.mark.parametrize("told", [Told({"loss": float("nan")}), Told(system={"constraints": [float("inf")]})])
def test_a_number_that_json_cannot_hold_is_refused(store, study, told):
    trial_id = study.ask()._trial_id
    with pytest.raises(ValueError, match="Out of range float values"), store.transaction() as connection:
        store.tell(connection, trial_id, told)
