"""A study whose trials run in the driver's own process, and all that a reader of its store can see.

Without child processes a whole run takes a fraction of a second, so that it can be killed hundreds of times.
"""

from __future__ import annotations

import math
import os
import random
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy as sa
import yaml

from stability import trialdir
from stability.judging.policy import Policy
from stability.recorder import TrialRecorder
from stability.records import Ending, Outcome, StopTrial, TrialSpec
from stability.spec import load_study
from stability.store import Store
from stability.study import Run, drive

PLANNED = 10
DOCUMENT = {
    "name": "toy",
    "trainer": {"call": f"{Path(__file__).parents[1] / 'toys.py'}:quadratic"},
    "budget": {"epochs": 2, "batch_size": 1},
    "params": {"lr": {"min": 1e-3, "max": 10.0, "log": True}},
    "arms": {"gentle": {"lr": 0.1}, "rough": {"lr": 2.5}},
    "compare": {"baseline": "gentle", "treatment": "rough"},
    "plan": [{"compare": {"seeds": 3}}, {"search": {"sampler": "tpe", "trials": 4}}],
    "yardstick": {"square": 1.0},
}
PER_TRIAL = ("stability_trials", "stability_epochs", "stability_steps", "stability_events")
OF_THE_RUN = {"trial_id", "id", "environment_id", "attempts", "wall_s", "cpu_s", "max_rss_bytes", "directory"}


class Inline:
    """An executor that runs a trial where it is submitted."""

    def __init__(self) -> None:
        self._ended: list[Path] = []

    @property
    def free(self) -> int:
        return 0 if self._ended else 1

    def prepare(self, *_: Any) -> None:
        pass

    def submit(self, trial: TrialSpec) -> None:
        recorder = TrialRecorder(trial, Policy())
        try:
            _descend(trial, recorder)
            recorder.finish()
            ending = Ending(Outcome.FINISHED)
        except StopTrial as stop:
            ending = Ending(Outcome.STOPPED, error=str(stop))
        finally:
            recorder.close()
        trialdir.write_ending(trial.directory, ending)
        self._ended.append(trial.directory)

    def finished(self, timeout_s: float) -> list[Path]:
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        pass


def _descend(trial: TrialSpec, recorder: TrialRecorder) -> None:
    """Gradient descent on a square from a random start: diverges from lr 1 on."""
    x = random.Random(trial.seed).uniform(1.0, 2.0)
    recorder.evaluate({"square": x * x}, epoch=-1)
    for epoch in range(trial.epochs):
        for _ in range(8):
            recorder.step({"square": x * x}, total=x * x, lr=trial.params["lr"], grad_norm=abs(2 * x))
            x = math.inf if abs(x) > 1e100 else x - trial.params["lr"] * 2 * x
        recorder.evaluate({"square": x * x}, epoch=epoch)


class Silent:
    """Watches a run and says nothing."""

    def stage(self, *_: Any) -> None:
        pass

    finished = note = stage


def run(database: Path | str, executor: Any = None, lease_s: float = 60.0) -> None:
    """Run the study on `database`, or what is left of it, in this process."""
    store = Store(str(database))
    study = store.folder.with_name("study.yaml")
    study.write_text(yaml.safe_dump(DOCUMENT))
    drive(Run(load_study(study), store, executor or Inline(), Silent(), "cpu", lease_s=lease_s))
    store.close()


def start(task: Callable[[], None]) -> int:
    """Do `task` in a fork of this process; its process number."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            task()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return pid


def wait(pid: int) -> int:
    """The exit code of a process that `start` started, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def in_a_process(task: Callable[[], None]) -> int:
    """Do `task` in a fork of this process and wait for it; its exit code."""
    return wait(start(task))


def seen(url: str) -> Mapping[str, Any]:
    """What a reader sees: our rows and Optuna's trials, without times, costs and numbers of rows."""
    engine = sa.create_engine(url if "://" in url else f"sqlite:///{url}")
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        rows = {
            name: list(connection.execute(sa.select(metadata.tables[name])).mappings()) for name in PER_TRIAL
        }
        claims = connection.execute(sa.text("SELECT count(*) FROM stability_claims")).scalar_one()
        drivers = connection.execute(sa.text("SELECT count(*) FROM stability_drivers")).scalar_one()
    places = {row["trial_id"]: f"{row['stage']}/{row['number']}" for row in rows["stability_trials"]}
    storage = optuna.storages.RDBStorage(str(engine.url))
    found: dict[str, Any] = {"claims": claims, "drivers": drivers}
    for name, its in rows.items():
        found[name] = [{"place": places[row["trial_id"]]} | _visible(row) for row in its]
        found[name].sort(key=lambda row: sorted((key, repr(value)) for key, value in row.items()))
    for stage in ("compare", "search"):
        trials = optuna.load_study(study_name=f"toy.{stage}", storage=storage).trials
        found[stage] = [
            (t.number, t.state.name, t.value, t.params, t.user_attrs, t.system_attrs, t.intermediate_values)
            for t in trials
        ]
    storage.engine.dispose()
    engine.dispose()
    return found


def _visible(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in OF_THE_RUN}
