"""How many recorded numbers a second reach the database: `python tests/benchmarks/store_rows.py`.

The same numbers of the same trials are stored by `Store.add`, a transaction a trial as the driver does, and by
Optuna's own storage: with `trial.report`, as a training loop would call it, with its default settings and with
ours (write-ahead log, no sync a commit), and all at once with `study.add_trial`. Every way is one process that
writes to a file of its own on the same disk, in turns; what is in the file is counted at the end.
"""

from __future__ import annotations

import argparse
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import optuna
from large_store import ended, specs, study
from optuna.storages import RDBStorage

from stability import environment
from stability.records import Ending, Records, TrialSpec
from stability.spec import StudySpec
from stability.store import Store
from stability.store.rows import trial_rows
from stability.verdict import judge

Trials = Sequence[tuple[TrialSpec, Records, Ending]]


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


def _count(file: Path, table: str) -> int:
    with sqlite3.connect(file) as raw:
        return raw.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--points", type=int, default=200, help="numbers a trial records, if it is not lost")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(f"{platform.machine()}, {environment.cores()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = study(folder, given.trials)
        planned = islice(specs(spec, folder), given.trials)
        trials = [(trial, *ended(trial, given.points)) for trial in planned]
        numbers = sum(map(len, _numbers(trials)))
        print(f"{numbers} numbers of {len(trials)} trials, {given.rounds} rounds")
        rates: dict[str, list[float]] = {}
        for i in range(given.rounds):
            for way, (table, spent_s) in ways(folder, spec).items():
                file = folder / f"{len(rates.setdefault(way, []))}-{way.replace(' ', '-')}.db"
                rates[way].append(numbers / spent_s(file, trials))
                if (stored := _count(file, table)) != numbers:
                    raise SystemExit(f"{way}: {stored} of {numbers} numbers are in the file")
            print(f"round {i + 1} of {given.rounds} done", flush=True)
    for way, found in rates.items():
        print(f"{way:28} {statistics.median(found):10,.0f} rows/s   ({min(found):,.0f} to {max(found):,.0f})")


if __name__ == "__main__":
    main()
