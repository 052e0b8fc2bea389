"""Command line that records the trainings: python tests/verdicts/recording/record.py OUT.jsonl.gz.

With `--kinds`, the other kinds stay as OUT has them. `--relabel` trains nothing and labels OUT's runs anew.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch  # noqa: E402
from cases import Case, load, save  # noqa: E402

from recording.labels import labelled  # noqa: E402
from recording.training import Kind, record  # noqa: E402

FAMILIES = ("classifiers", "regressions", "sequences", "generative", "embeddings", "control", "precision")


def kinds() -> dict[str, Kind]:
    """Every kind by its name, in the order of the file."""
    found = [kind for family in FAMILIES for kind in importlib.import_module(f"recording.{family}").KINDS]
    return {kind.name: kind for kind in found}


def recorded(names: list[str], jobs: int) -> dict[str, list[Case]]:
    """The trainings of these kinds, still without labels."""
    known = kinds()
    todo = [(name, lr, seed) for name in names for seed in known[name].seeds for lr in known[name].lrs]
    runs: dict[str, list[Case]] = {name: [] for name in names}
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for run in pool.map(_record, todo):
            runs[run.kind].append(run)
    return runs


def _record(task: tuple[str, float, int]) -> Case:
    name, lr, seed = task
    torch.set_num_threads(1)
    begun = time.perf_counter()
    run = record(kinds()[name], lr, seed)
    print(f"{run.name}: {len(run.total)} steps in {time.perf_counter() - begun:.1f} s", file=sys.stderr)
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kinds", nargs="+", choices=list(kinds()), metavar="KIND")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--relabel", action="store_true")
    options = parser.parse_args()
    runs: dict[str, list[Case]] = {}
    if options.out.exists() and (options.kinds or options.relabel):
        for run in load(options.out):
            runs.setdefault(run.kind, []).append(run)
    if not options.relabel:
        runs |= recorded(options.kinds or list(kinds()), options.jobs)
    save([run for name, kind in kinds().items() if name in runs for run in labelled(kind, runs[name])], options.out)


if __name__ == "__main__":
    main()
