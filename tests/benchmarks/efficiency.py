"""How much of the machine a study spends on training: `python tests/benchmarks/efficiency.py`.

Efficiency = CPU-seconds of the training alone / (wall seconds × cores), wall seconds from the start of a command
to its end, start-up and report included. The training alone is a loop in one process. The trials of the
study then run again under Optuna with a subprocess a trial and, with `pip install "ray[tune]"`, under Ray
Tune; all in turns, since timings of one machine at different times do not compare.
"""

from __future__ import annotations

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import efficiency_peers as peers
from printed import machine, spread, table

from stability import environment, trialdir
from stability.records import TrialSpec

STUDY = Path(__file__).parents[2] / "studies" / "basic_vs_enhanced.yaml"
PLAN = "plan=[{compare: {seeds: 20}}, {search: {sampler: tpe, trials: 40}}]"
"""The stages whose trials the other tools can run too."""
OURS = "stability run"
RIVALS = {"Optuna, a subprocess a trial": "optuna_subprocess", "Ray Tune": "ray_tune"}
PARTS = ("start to first trial", "trials", "last trial to end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("overrides", nargs="*", help="such as plan.compare.seeds=5")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    rivals = {name: peer for name, peer in RIVALS.items() if peer != "ray_tune" or find_spec("pyarrow")}
    cores, trained_s, parts_s, counts = environment.cores(), [], [], []
    wall_s: dict[str, list[float]] = {OURS: [], **{name: [] for name in rivals}}
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            began_s = time.time()
            wall_s[OURS].append(timed(study(folder, asked.overrides)))
            parts_s.append(parts(folder, began_s, wall_s[OURS][-1]))
            trials = trials_of(folder)
            counts.append(len(trials))
            trained_s.append(float(output(peers.command("bare", kept(trials, folder / "bare"), 1))))
            for name, peer in rivals.items():
                wall_s[name].append(timed(peers.command(peer, kept(trials, folder / peer), cores)))
    print(
        f"{machine('torch', 'optuna')}; {spread(counts, 0)} trials, {cores} at a time; {asked.rounds} rounds"
    )
    print(f"\nThe training alone: {spread(trained_s, 1)} CPU-s\n")
    print(table(["", "wall, s", "efficiency", f"wall / wall of {OURS}"], compared(wall_s, trained_s, cores)))
    print(f"\nThe wall time of `{OURS}`:\n")
    split = zip(PARTS, zip(*parts_s, strict=True), strict=True)
    print(table(["", "s"], {name: [spread(seconds, 1)] for name, seconds in split}))


def compared(wall_s: dict[str, list[float]], trained_s: list[float], cores: int) -> dict[str, list[str]]:
    """Per tool its wall time, its efficiency, and its wall time as a multiple of ours in the same round."""
    rows = {}
    for name, seconds in wall_s.items():
        efficiency = [trained / (wall * cores) for trained, wall in zip(trained_s, seconds, strict=True)]
        multiple = [wall / own for wall, own in zip(seconds, wall_s[OURS], strict=True)]
        rows[name] = [spread(seconds, 1), spread(efficiency), spread(multiple)]
    return rows


def study(folder: Path, overrides: list[str]) -> list[str]:
    """The command of the study on the CPU, with all it writes in `folder`."""
    where = ["--storage", str(folder / "s.db"), "--out", str(folder / "reports"), "--device", "cpu"]
    return [sys.executable, "-m", "stability", "run", str(STUDY), PLAN, *overrides, *where]


def trials_of(folder: Path) -> list[TrialSpec]:
    """The trials that the study ran, in the order of their start."""
    directories = sorted((folder / "s.trials").glob("**/trial.json"), key=lambda file: file.stat().st_mtime)
    return [trialdir.read_spec(file.parent) for file in directories]


def parts(folder: Path, began_s: float, took_s: float) -> list[float]:
    """Seconds until the first trial, until the end of the last one, and after it."""
    started = [file.stat().st_mtime for file in (folder / "s.trials").glob("**/trial.json")]
    ended = [file.stat().st_mtime for file in (folder / "s.trials").glob("**/outcome.json")]
    return [min(started) - began_s, max(ended) - min(started), began_s + took_s - max(ended)]


def kept(trials: list[TrialSpec], folder: Path) -> Path:
    """A file of the trials with directories below `folder`."""
    folder.mkdir()
    moved = [replace(trial, directory=folder / str(i)) for i, trial in enumerate(trials)]
    file = folder / "trials.pickle"
    file.write_bytes(pickle.dumps(moved))
    return file


def timed(command: list[str]) -> float:
    start_s = time.perf_counter()
    output(command)
    return time.perf_counter() - start_s


def output(command: list[str]) -> str:
    alone = os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AIR_NEW_OUTPUT": "0"}
    done = subprocess.run(command, env=alone, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
