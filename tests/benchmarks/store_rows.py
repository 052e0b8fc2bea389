"""What a trial costs the driver, and how fast numbers are stored: `python tests/benchmarks/store_rows.py`.

First, trials that only record a few numbers: CPU and wall time of the driver for each, from creating it to its
verdict in the database, two child processes at a time. Beside it a loop that asks Optuna for a trial, reports as
many numbers as are stored of one of ours, and tells its value, without starting any process.

Then rows per second. The same numbers of the same trials are stored by `Store.add`, a transaction a trial as
the driver does, and by Optuna's own storage: with `trial.report`, as a training loop would call it, with its
default settings and with ours (write-ahead log, no sync a commit), and all at once with `study.add_trial`.
Every way is one process that writes to a file of its own on the same disk, in turns; what is in the file is
counted at the end.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import noop
import optuna
import printed
from made_store import ended, specs, study
from optuna.storages import RDBStorage

from stability.judging.verdict import judge
from stability.records import Ending, Records, TrialSpec
from stability.spec import StudySpec
from stability.store import Store
from stability.store.rows import trial_rows

Trials = Sequence[tuple[TrialSpec, Records, Ending]]
Cost = tuple[float, float]
"""CPU and wall milliseconds a trial."""


class Clock(noop.Watch):
    """Reads the clocks when the stage begins, before its trials are created, and when a trial is stored.

    Wall time counts from the third trial on: the first two wait for the process server to load torch.
    """

    def stage(self, name: str, planned: int, done: int) -> None:
        self._start_cpu_s = time.process_time()

    def finished(self, trial) -> None:
        super().finished(trial)
        if self.done == len(noop.SLOTS):
            self._start_s = time.perf_counter()
        self._cpu_s, self._end_s = time.process_time(), time.perf_counter()

    def cost(self) -> Cost:
        calm = self.done - len(noop.SLOTS)
        return 1e3 * (self._cpu_s - self._start_cpu_s) / self.done, 1e3 * (self._end_s - self._start_s) / calm


def asked_and_told(storage: RDBStorage, trials: int, numbers: int) -> Cost:
    """Plain Optuna, with so many reported numbers a trial."""
    made = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler())
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    for _ in range(trials):
        trial = made.ask()
        trial.suggest_float("lr", 0.001, 1.0, log=True)
        for step in range(numbers):
            trial.report(1.0 - 0.01 * step, step)
        made.tell(trial, 1.0)
    return 1e3 * (time.process_time() - start_cpu_s) / trials, 1e3 * (time.perf_counter() - start_s) / trials


def drivers(folder: Path, trials: int, rounds: int) -> tuple[int, dict[str, list[Cost]]]:
    """Numbers a trial, and what a trial cost each driver in each round."""
    found: dict[str, list[Cost]] = defaultdict(list)
    for i in range(rounds):
        clock = Clock()
        database = noop.run(folder / f"noop-{i}", trials, clock)
        found["stability, two child processes"].append(clock.cost())
        numbers = noop.numbers_per_trial(database)
        plain = RDBStorage(f"sqlite:///{folder / f'plain-{i}.db'}")
        found["Optuna, no process"].append(asked_and_told(plain, trials, numbers))
        tuned = Store(str(folder / f"tuned-{i}.db")).optuna_storage()
        found["Optuna, WAL, no process"].append(asked_and_told(tuned, trials, numbers))
        print(f"drivers: round {i + 1} of {rounds} done", file=sys.stderr, flush=True)
    return numbers, found


def ours(file: Path, spec: StudySpec, trials: Trials) -> float:
    """Seconds to make the rows of all trials and to store them, steps, epochs and events."""
    store = Store(str(file))
    start_s = time.perf_counter()
    for trial_id, (trial, records, ending) in enumerate(trials):
        rows = trial_rows(trial, records, ending, judge(records, ending, spec.yardstick), 1)
        with store.transaction() as connection:
            store.add(connection, trial_id, rows)
    spent_s = time.perf_counter() - start_s
    store.close()
    return spent_s


def reported(storage: RDBStorage, trials: Trials) -> float:
    """Seconds of `trial.report` for every number; one in a step, for that is what Optuna can hold."""
    made = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler())
    spent_s = 0.0
    for values in _numbers(trials):
        trial = made.ask()
        start_s = time.perf_counter()
        for step, value in enumerate(values):
            trial.report(value, step)
        spent_s += time.perf_counter() - start_s
    return spent_s


def added(storage: RDBStorage, trials: Trials) -> float:
    """Seconds of `study.add_trial` with all numbers of a trial, once it has ended."""
    made = optuna.create_study(storage=storage)
    start_s = time.perf_counter()
    for values in _numbers(trials):
        made.add_trial(optuna.trial.create_trial(value=1.0, intermediate_values=dict(enumerate(values))))
    return time.perf_counter() - start_s


def _numbers(trials: Trials) -> list[list[float]]:
    """The numbers of each trial's steps, as many as we store of them."""
    return [
        [
            number
            for step in records.steps
            for number in (*step.losses.values(), step.total, step.grad_norm)
            if number is not None
        ]
        for _, records, _ in trials
    ]


def ways(folder: Path, spec: StudySpec) -> dict[str, tuple[str, Callable[[Path, Trials], float]]]:
    """Every way to store: the table its numbers are in, and a function from file and trials to seconds."""

    def default(file: Path) -> RDBStorage:
        return RDBStorage(f"sqlite:///{file}")

    def tuned(file: Path) -> RDBStorage:
        return Store(str(file)).optuna_storage()

    theirs = "trial_intermediate_values"
    return {
        "stability, Store.add": ("stability_steps", lambda file, trials: ours(file, spec, trials)),
        "Optuna, trial.report": (theirs, lambda file, trials: reported(default(file), trials)),
        "Optuna, trial.report, WAL": (theirs, lambda file, trials: reported(tuned(file), trials)),
        "Optuna, add_trial": (theirs, lambda file, trials: added(default(file), trials)),
        "Optuna, add_trial, WAL": (theirs, lambda file, trials: added(tuned(file), trials)),
    }


def rates(folder: Path, spec: StudySpec, trials: Trials, rounds: int) -> dict[str, list[float]]:
    """Rows per second of every way in each round."""
    numbers, found = sum(map(len, _numbers(trials))), defaultdict(list)
    for i in range(rounds):
        for way, (table, spent_s) in ways(folder, spec).items():
            file = folder / f"{i}-{way.replace(' ', '-')}.db"
            found[way].append(numbers / spent_s(file, trials))
            if (stored := _count(file, table)) != numbers:
                raise SystemExit(f"{way}: {stored} of {numbers} numbers are in the file")
        print(f"rows: round {i + 1} of {rounds} done", file=sys.stderr, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--noop-trials", type=int, default=100)
    parser.add_argument("--trials", type=int, default=10, help="whose rows are stored")
    parser.add_argument("--points", type=int, default=200, help="numbers a trial records, if it is not lost")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(printed.machine("optuna", "sqlalchemy"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        numbers, costs = drivers(folder, given.noop_trials, given.rounds)
        spec = study(folder, given.trials)
        planned = islice(specs(spec, folder), given.trials)
        trials = [(trial, *ended(trial, given.points)) for trial in planned]
        stored = sum(map(len, _numbers(trials)))
        speeds = rates(folder, spec, trials, given.rounds)
    print(f"\n{given.noop_trials} trials of {numbers} numbers, {given.rounds} rounds\n")
    heads = ("driver", "n", "CPU, ms a trial", "wall, ms a trial")
    rows = {
        way: (str(len(own)), *(printed.spread(column, 1) for column in zip(*own, strict=True)))
        for way, own in costs.items()
    }
    print(printed.table(heads, rows))
    print(f"\n{stored} numbers of {len(trials)} trials, {given.rounds} rounds\n")
    rows = {way: (str(len(own)), printed.spread(own, 0)) for way, own in speeds.items()}
    print(printed.table(("way to store", "n", "rows per second"), rows))


def _count(file: Path, table: str) -> int:
    with sqlite3.connect(file) as raw:
        return raw.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]


if __name__ == "__main__":
    main()
