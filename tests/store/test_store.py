"""The database: NaN survives it, a trial is stored whole and once, Optuna's tables live beside ours."""

import json
import math
import multiprocessing
import sqlite3
from pathlib import Path

import optuna
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from stability.judging.verdict import judge
from stability.records import (
    BEFORE_TRAINING,
    Ending,
    Evaluation,
    Event,
    EventKind,
    Outcome,
    Records,
    Step,
    TrialSpec,
    UserError,
)
from stability.spec import load_study
from stability.store import Store, database
from stability.store.rows import trial_rows

PROJECT = {"project": {"revision": "abc", "dirty": False}}
WEIGHTS = {"mel": 1.0, "kl": 0.5}


def a_trial(tmp_path, number=0, **changes):
    values = dict(
        study="s", stage="compare", number=number, key=f"a/seed-{number}", arm="a", params={"lr": 1e-4, "clip": None},
        seed=number, epochs=2, batch_size=8, max_steps=None, timeout_s=5.0, device="cpu", trainer="tts", data={},
        model={}, yardstick=WEIGHTS, directory=tmp_path / "t", cache=tmp_path / "c",
    )  # fmt: skip
    return TrialSpec(**values | changes)


RECORDS = Records(
    steps=(
        Step(0, {"mel": 2.0, "kl": 1.0}, total=3.0, epoch=0, loss_weights={"mel": 1.0, "kl": 0.1}),
        Step(1, {"mel": 4.0, "kl": math.inf}, total=math.nan, epoch=0, grad_norm=-math.inf),
    ),
    evaluations=(
        Evaluation(0, BEFORE_TRAINING, {"mel": 2.0, "kl": 2.0}),
        Evaluation(2, 0, {"mel": math.nan, "kl": 2.0}),
    ),
    events=(Event(1, EventKind.INF_LOSS, "kl", math.inf),),
    definitions={"mel": "L1"},
)


def rows(tmp_path, number=0, records=RECORDS):
    ending = Ending(Outcome.STOPPED, wall_s=1.0, cpu_s=0.5, device="cpu")
    return trial_rows(a_trial(tmp_path, number), records, ending, judge(records, ending, WEIGHTS), 1)


@pytest.fixture
def store(tmp_path):
    opened = Store(str(tmp_path / "s.db"))
    text = "name: s\nparams: {lr: {min: 1e-5, max: 1.0}}\nplan: [search]\n"
    (tmp_path / "s.yaml").write_text(text)
    opened.add_environment(load_study(tmp_path / "s.yaml"), "0" * 64, PROJECT)
    return opened


def add(store, trial):
    with store.transaction() as connection:
        store.add(connection, 7, trial)


def test_nonfinite_numbers_come_back_as_they_were(store, tmp_path):
    add(store, rows(tmp_path))
    frames = store.frames("s")
    steps = frames.steps.set_index(["step", "quantity"]).value
    assert (
        steps[1, "loss/kl"] == math.inf
        and math.isnan(steps[1, "total"])
        and steps[1, "grad_norm"] == -math.inf
    )
    epochs = frames.epochs.set_index(["source", "epoch", "component"]).value
    assert epochs["train", 0, "mel"] == 3.0  # the mean of 2 and 4
    assert epochs["train", 0, "kl"] == math.inf and math.isnan(epochs["train", 0, "total"])
    assert epochs["yardstick", -1, "total"] == 3.0 and math.isnan(epochs["yardstick", 0, "total"])
    [trial] = frames.trials.to_dict("records")
    assert trial["yardstick_initial"] == 3.0
    assert math.isnan(trial["yardstick_final"]) and trial["yardstick_final_nonfinite"] == "nan"
    assert trial["params"] == {"lr": 1e-4, "clip": None} and trial["definitions"] == {"mel": "L1"}
    assert (trial["verdict"], trial["event_step"], trial["event_kind"]) == ("DIVERGED", 1, "inf_loss")
    assert frames.events.to_dict("records")[0]["value"] == math.inf


def test_no_value_is_told_apart_from_nan(store, tmp_path):
    add(store, rows(tmp_path, records=Records(steps=RECORDS.steps)))
    [trial] = store.frames("s").trials.to_dict("records")
    assert math.isnan(trial["yardstick_final"]) and trial["yardstick_final_nonfinite"] is None


def test_the_weights_in_force_stand_beside_unweighted_losses(store, tmp_path):
    add(store, rows(tmp_path))
    steps = store.frames("s").steps.set_index(["step", "quantity"])
    assert steps.loss_weight[0, "loss/kl"] == 0.1 and steps.value[0, "loss/kl"] == 1.0


def test_the_file_itself_holds_no_nan(store, tmp_path):
    add(store, rows(tmp_path))
    with sqlite3.connect(tmp_path / "s.db") as raw:
        found = raw.execute(
            "select value, value_nonfinite from stability_steps where step = 1 and quantity = 'total'"
        )
        assert found.fetchall() == [(None, "nan")]


def test_a_trial_is_stored_whole_or_not_at_all(store, tmp_path):
    broken = rows(tmp_path)
    broken.events[0]["kind"] = None
    with pytest.raises(Exception, match="NOT NULL"):
        add(store, broken)
    assert len(store.frames("s").trials) == 0 and len(store.frames("s").steps) == 0


def test_a_nul_in_an_error_is_stored_as_every_database_can(tmp_path):
    trial, ending = a_trial(tmp_path), Ending(Outcome.CRASHED, error="bad byte \x00 in header")
    rows = trial_rows(trial, RECORDS, ending, judge(RECORDS, ending, trial.yardstick), 1)
    assert rows.trial["error"] == "bad byte \ufffd in header"


def test_a_study_that_never_ran_is_named_with_those_that_did(store):
    with pytest.raises(UserError, match=r"no study 'other' in sqlite:///.*s.db; studies there: s"):
        store.environment("other")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "sqlite:////no/such/folder/x.db",
            "cannot be opened: unable to open database file; write sqlite:///stability.db",
        ),
        ("nonsense://x", "Can't load plugin: sqlalchemy.dialects:nonsense; write sqlite:///stability.db"),
        (
            "not a url://",
            "Could not parse SQLAlchemy URL from given URL string; write sqlite:///stability.db",
        ),
    ],
)
def test_a_storage_that_cannot_be_opened(url, message):
    with pytest.raises(UserError) as error:
        Store(url)
    assert str(error.value) == f"storage {url!r}: error: {message}"


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "x.db").write_text(
        "this is not a database, only a text that is long enough to have a header\n" * 20
    )
    with pytest.raises(UserError, match="cannot be opened: file is not a database"):
        Store(str(tmp_path / "x.db"))


def test_reading_does_not_create(tmp_path):
    with pytest.raises(UserError, match="no such file; run a study first, or give --storage"):
        Store(str(tmp_path / "none.db"), create=False)
    assert not (tmp_path / "none.db").exists()


def test_an_optuna_file_without_our_tables_has_no_studies(tmp_path):
    optuna.create_study(storage=f"sqlite:///{tmp_path / 'o.db'}")
    assert Store(str(tmp_path / "o.db"), create=False).studies() == []


def test_trial_directories_lie_beside_the_file(tmp_path):
    assert Store(str(tmp_path / "x.db")).folder == tmp_path / "x.trials"


def test_both_views_of_one_file_use_wal_and_wait_for_each_other(store, tmp_path):
    storage = store.optuna_storage()
    study = optuna.create_study(storage=storage, study_name="s.compare")
    study.add_trial(optuna.trial.create_trial(value=1.0))
    with sqlite3.connect(tmp_path / "s.db") as raw:
        assert raw.execute("pragma journal_mode").fetchone() == ("wal",)
        tables = {name for (name,) in raw.execute("select name from sqlite_master where type = 'table'")}
    assert {"trials", "stability_trials", "stability_epochs", "stability_steps"} <= tables
    assert {"stability_events", "stability_environment"} <= tables


def test_ctrl_c_while_a_connection_is_given_back_is_raised_and_not_printed(tmp_path, caplog):
    engine = database.connect(f"sqlite:///{tmp_path / 's.db'}")

    @event.listens_for(engine, "reset")
    def _interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), engine.connect():
        pass
    assert caplog.records == []


def test_a_kill_while_optuna_makes_its_tables_leaves_none_without_its_index(store):
    """Optuna never adds an index to a table that it finds: two drivers would then create one study twice."""

    def die(connection, cursor, statement, *rest):
        if statement.startswith("CREATE UNIQUE INDEX"):
            raise KeyboardInterrupt

    sa.event.listen(store._engine, "before_cursor_execute", die)
    with pytest.raises(KeyboardInterrupt):
        store.optuna_storage()
    sa.event.remove(store._engine, "before_cursor_execute", die)
    assert not sa.inspect(store._engine).has_table("studies")

    store.optuna_storage()
    assert any(index["unique"] for index in sa.inspect(store._engine).get_indexes("studies"))


def _claim(url: str, path: str) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name="claims", storage=Store(url).optuna_storage())
    numbers = []
    while any(trial.state.name == "WAITING" for trial in study.get_trials(deepcopy=False)):
        numbers.append(study.ask().number)
    Path(path).write_text(json.dumps(numbers))


def test_no_enqueued_trial_is_handed_out_twice(tmp_path):
    url = str(tmp_path / "s.db")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(study_name="claims", storage=Store(url).optuna_storage())
    for i in range(20):
        study.enqueue_trial({}, user_attrs={"key": str(i)})
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_claim, args=(url, str(tmp_path / f"{i}.json"))) for i in range(3)]
    for process in workers:
        process.start()
    for process in workers:
        process.join()
    claimed = [
        number for i in range(3) for number in json.loads((tmp_path / f"{i}.json").read_text()) if number < 20
    ]
    assert sorted(claimed) == list(range(20))
