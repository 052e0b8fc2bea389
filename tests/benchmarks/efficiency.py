"""How much of the machine a study spends on training: `python tests/benchmarks/efficiency.py`.

The same trials run twice: in one bare loop in this process (one thread), and through `stability run`.
Efficiency = CPU-seconds of the bare loop / (wall seconds of the study × cores). Both in one go, because
timings of one machine on different days do not compare.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from stability import environment, trainers, trialdir
from stability.plan import proposals
from stability.policy import Policy
from stability.recorder import TrialRecorder
from stability.records import StopTrial, TrialSpec
from stability.spec import load_study

STUDY = Path(__file__).parents[2] / "studies" / "basic_vs_enhanced.yaml"


def bare_loop(spec, folder: Path, trials: list[dict]) -> float:
    """CPU-seconds of training these trials one after another, with the recording every trial does."""
    torch.set_num_threads(1)
    trainer, data = trainers.resolved(spec)
    train = trainers.load(trainer)
    spent_s = 0.0
    for i, trial in enumerate([trials[0], *trials]):  # the first one warms up and does not count
        made = TrialSpec(
            study=spec.name, stage="bare", number=i, key=str(i), arm=None, params=trial["params"],
            seed=trial["seed"], epochs=spec.budget.epochs, batch_size=spec.budget.batch_size, max_steps=None,
            timeout_s=600.0, device="cpu", trainer=trainer, data=data, model=spec.model,
            yardstick=spec.yardstick, directory=folder / "bare" / str(i), cache=folder / "cache",
        )  # fmt: skip
        trialdir.create(made)
        recorder = TrialRecorder(made, Policy())
        start_s = time.process_time()
        try:
            train(made, recorder)
        except StopTrial:
            pass
        finally:
            recorder.close()
        spent_s += (time.process_time() - start_s) * (i > 0)
    return spent_s


def harness(overrides: list[str], folder: Path) -> tuple[float, float]:
    """Wall and driver CPU seconds of the study through the command line, report included."""
    storage = ["--storage", str(folder / "s.db"), "--out", str(folder / "reports"), "--device", "cpu"]
    command = [sys.executable, "-m", "stability", "run", str(STUDY), *overrides, *storage]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start_s = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall_s = time.perf_counter() - start_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("overrides", nargs="*", help="such as plan.compare.seeds=5")
    overrides = parser.parse_args().overrides
    spec = load_study(STUDY, overrides)
    planned = sum(len(proposals(spec, entry)) for entry in spec.plan)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wall_s, driver_cpu_s = harness(overrides, folder)
        exported = [sys.executable, "-m", "stability", "export", spec.name, "--storage", str(folder / "s.db")]
        subprocess.run([*exported, "--out", str(folder), "-f", "json"], check=True, stdout=subprocess.DEVNULL)
        rows = json.loads((folder / spec.name / "trials.json").read_text())
        trials = [{"params": json.loads(row["params"]), "seed": row["seed"]} for row in rows]
        peak = max(row["max_rss_bytes"] for row in rows)
        bare_cpu_s = bare_loop(spec, folder, trials)
    cores = environment.cores()
    print(f"machine                 {platform.machine()}, {cores} cores, Python {platform.python_version()}")
    print(f"trials                  {len(trials)} of {planned} planned")
    print(f"bare loop               {bare_cpu_s:.1f} CPU-s")
    print(f"study, wall             {wall_s:.1f} s (start-up and report included)")
    print(f"driver                  {driver_cpu_s:.1f} CPU-s")
    print(f"largest worker          {peak / 1e6:.0f} MB")
    print(f"efficiency              {bare_cpu_s / (wall_s * cores):.2f}")


if __name__ == "__main__":
    main()
