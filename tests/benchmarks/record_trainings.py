"""Trains what the rules are measured on: `python tests/benchmarks/record_trainings.py FOLDER [--jobs 2] [--quick]`.

For each recipe a short sweep finds the divergence point: the lowest learning rate at which at least half of
the seeds go bad within the budget. Then healthy trainings, at a hundredth to a third of it, and diverging
ones, at 1 to 30 times. What is there is not trained again, so a run that was cut short goes on.

Nothing here reads a rule. Which training counts as healthy is fixed before any rule is asked.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from trainings import Recipe, Training, first_bad_step, train

from stability import trialdir

HEALTHY_LR = (0.01, 1 / 3)
DIVERGING_LR = (1.0, 30.0)
CORPORA = ("en", "fa")
GUESSES = {"adamw": 0.02, "sgd": 0.5}
HIGHEST_LR = 1000.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How many trainings of a recipe: seeds and steps of its sweep, lengths of the healthy, number of the rest."""

    recipe: Recipe
    sweep: tuple[int, int]
    healthy_steps: tuple[int, ...]
    diverging: int


TINY = (
    Recipe("tiny", "adamw", 1.0),
    Recipe("tiny", "adamw", 1.0, norm="post"),
    Recipe("tiny", "adamw", None),
    Recipe("tiny", "adamw", 1.0, adaptive=True),
    Recipe("tiny", "sgd", 1.0),
    Recipe("tiny", "sgd", 1.0, norm="post"),
    Recipe("tiny", "sgd", None),
    Recipe("tiny", "sgd", 1.0, adaptive=True),
    Recipe("tiny", "sgd", None, adaptive=True),
)
SMALL = (Recipe("small", "adamw", 1.0), Recipe("small", "sgd", 1.0), Recipe("small", "sgd", None))
NORMAL = (Recipe("normal", "adamw", 1.0), Recipe("normal", "sgd", 1.0))
FULL = (
    *(Plan(recipe, (4, 64), (104, 104, 200, 104) * 5 + (104, 504), 8) for recipe in TINY),
    *(Plan(recipe, (4, 32), (64,) * 12, 5) for recipe in SMALL),
    *(Plan(recipe, (2, 16), (24,) * 5, 0) for recipe in NORMAL),
)
QUICK = tuple(Plan(recipe, (2, 16), (32,) * 4, 3) for recipe in (TINY[0], TINY[6]))


def divergence_point(plan: Plan, folder: Path) -> float:
    """By doubling, then one bisection: the true one lies between this and 0.71 of it."""
    lr = GUESSES[plan.recipe.optimizer]
    while diverges(lr, plan, folder):
        lr /= 2
    while not diverges(2 * lr, plan, folder):
        lr *= 2
        if lr > HIGHEST_LR / 4:
            raise SystemExit(f"{plan.recipe} does not diverge up to learning rate {lr:g}")
    between = math.sqrt(2) * lr
    return between if diverges(between, plan, folder) else 2 * lr


def diverges(lr: float, plan: Plan, folder: Path) -> bool:
    """Whether at least half of the seeds go bad; seeds that can no longer change the answer are not trained."""
    seeds, steps = plan.sweep
    needed, bad = -(-seeds // 2), 0
    for seed in range(seeds):
        training = Training("sweep", plan.recipe, CORPORA[seed % 2], seed, steps, {"lr": lr})
        recorded = trialdir.read_records(train(training, folder))
        bad += first_bad_step(recorded.steps) is not None
        if bad >= needed or seed + 1 - bad > seeds - needed:
            break
    return bad >= needed


def healthy(plan: Plan, point: float) -> Iterator[Training]:
    """Learning rates evenly over decades, everything else at random."""
    lrs = _log_spaced(point, HEALTHY_LR, len(plan.healthy_steps))
    for seed, (lr, steps) in enumerate(zip(lrs, plan.healthy_steps, strict=True), start=100):
        varied = _varied(np.random.default_rng([seed, *str(plan.recipe).encode()]), steps)
        yield Training("healthy", plan.recipe, CORPORA[seed % 2], seed, steps, {"lr": lr} | varied)


def diverging(plan: Plan, point: float) -> Iterator[Training]:
    """At once, and as many with a warm-up, which has most of them go bad later: there is a past to judge by."""
    steps, lrs = plan.sweep[1], _log_spaced(point, DIVERGING_LR, plan.diverging)
    for first, warmup_steps in ((200, 0), (300, steps // 2)):
        for seed, lr in enumerate(lrs, start=first):
            varied = {"lr": lr, "warmup_steps": warmup_steps}
            yield Training("diverging", plan.recipe, CORPORA[seed % 2], seed, steps, varied)


def _log_spaced(point: float, share: tuple[float, float], count: int) -> list[float]:
    low, high = (point * end for end in share)
    return [low * (high / low) ** ((i + 0.5) / count) for i in range(count)]


def _varied(rng: np.random.Generator, steps: int) -> dict[str, Any]:
    """What a user might switch on; fp16 rarely, as it is slow on a CPU."""
    precisions, shares = ("fp32", "bf16-mixed", "16-mixed"), (0.8, 0.16, 0.04)
    return {
        "huber": bool(rng.integers(2)),
        "label_smoothing": bool(rng.integers(2)),
        "warmup_steps": int(rng.choice([0, 0, 10, steps // 4])),
        "schedule": str(rng.choice(["constant", "cosine", "inverse_sqrt"])),
        "kl_anneal_steps": int(rng.choice([0, 0, steps // 2])),
        "precision": str(rng.choice(precisions, p=shares)),
    }


def record(plans: Sequence[Plan], folder: Path, jobs: int) -> Mapping[str, float]:
    """Train all that is missing; the divergence points, which points.json in `folder` keeps."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        found = pool.map(partial(divergence_point, folder=folder), plans)
        points = {}
        for plan, point in zip(plans, found, strict=True):
            points[str(plan.recipe)] = point
            print(f"{plan.recipe!s:28} diverges from learning rate {point:.3g}", flush=True)
        (folder / "points.json").write_text(json.dumps(points))
        planned = [
            training
            for plan in plans
            for kind in (diverging, healthy)
            for training in kind(plan, points[str(plan.recipe)])
        ]
        planned.sort(key=lambda training: (training.group, training.seed))
        for done, _ in enumerate(pool.map(partial(train, folder=folder), planned), start=1):
            if done % 20 == 0 or done == len(planned):
                print(f"{done} of {len(planned)} trainings", flush=True)
    return points


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the trial directories go")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument(
        "--quick", action="store_true", help="two recipes and few short trainings: no figures"
    )
    given = parser.parse_args()
    record(QUICK if given.quick else FULL, given.folder, given.jobs)


if __name__ == "__main__":
    main()
