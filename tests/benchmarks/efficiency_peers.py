"""The same trials under other tools: `python tests/benchmarks/efficiency_peers.py PEER TRIALS.pickle JOBS`.

Each is used as its documentation shows it, with `JOBS` trials of one thread at a time.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

ONE_TRIAL = Path(__file__).with_name("one_trial.py")


def bare(trials_file: Path, jobs: int) -> None:
    """A loop in this process, after one trial that does not count; prints the CPU-seconds of the training."""
    from one_trial import train

    trials = pickle.loads(trials_file.read_bytes())
    train(replace(trials[0], directory=trials_file.parent / "warm-up"))
    print(sum(map(train, trials)))


def optuna_subprocess(trials_file: Path, jobs: int) -> None:
    """Optuna's loop in threads, a subprocess a trial, and Optuna's SQLite storage with its default settings."""
    import optuna

    def objective(trial: optuna.Trial) -> float:
        command = [sys.executable, str(ONE_TRIAL), str(trials_file), str(trial.number)]
        subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        return 0.0

    count = len(pickle.loads(trials_file.read_bytes()))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(storage=f"sqlite:///{trials_file.parent}/optuna.db")
    study.optimize(objective, n_trials=count, n_jobs=jobs)


def ray_tune(trials_file: Path, jobs: int) -> None:
    """Ray Tune on a local cluster of one CPU a trial, its processes used again for later trials."""
    import ray
    from ray import tune

    here = str(Path(__file__).parent)

    def trainable(config: dict) -> None:
        sys.path.insert(0, here)
        from one_trial import train

        train(pickle.loads(trials_file.read_bytes())[config["number"]])
        tune.report({"done": 1})

    count = len(pickle.loads(trials_file.read_bytes()))
    ray.init(num_cpus=jobs, include_dashboard=False, log_to_driver=False)
    tuner = tune.Tuner(
        trainable,
        param_space={"number": tune.grid_search(list(range(count)))},
        tune_config=tune.TuneConfig(reuse_actors=True),
        run_config=tune.RunConfig(storage_path=str(trials_file.parent / "ray"), verbose=0),
    )
    if tuner.fit().num_errors:
        raise SystemExit("a trial failed under Ray Tune")


PEERS: dict[str, Callable[[Path, int], None]] = {
    "bare": bare,
    "optuna_subprocess": optuna_subprocess,
    "ray_tune": ray_tune,
}


def command(peer: str, trials_file: Path, jobs: int) -> list[str]:
    """How to start `peer` in a process of its own."""
    return [sys.executable, __file__, peer, str(trials_file), str(jobs)]


if __name__ == "__main__":
    PEERS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
