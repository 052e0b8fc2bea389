"""The boundary of the built-in trainee by each way of choosing trials, against a dense grid.

`python tests/benchmarks/boundary_trainee.py`. Model, data, ranges and arms are those of the default study. The
grid trains both arms at learning rates a twelfth of a decade apart, each at 8 seeds, and a sigmoid with the
lapses of `stability`, fitted to an arm's own trials by maximum likelihood, says where 50% and 5% diverge. Every
method is a real run of a study, `boundary` for stability and the staircase, `search` for the others; all are read
with the estimator of `stability`, which sees the first trials only. The error is in decades, the median
over repetitions and both arms.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from printed import machine, table
from scipy import optimize, special

from stability.evidence.boundary import Space, locate
from stability.evidence.boundary.model import GAMMA, SPAN
from stability.evidence.boundary.quantiles import offsets
from stability.evidence.selection import diverged, with_evidence
from stability.executors.local import LocalExecutor
from stability.spec import StudySpec, from_document, load_study
from stability.store import Store
from stability.study import Run, drive

DEFAULT = Path(__file__).parents[2] / "studies" / "basic_vs_enhanced.yaml"
GRID = np.arange(-2.5, -0.9, 1 / 12)
"""log10 of the learning rates: from where nothing diverges to where everything does."""
GRID_SEEDS = 8
METHODS = {
    "stability": {"boundary": {"param": "lr", "sampler": "v_optimal"}},
    "staircase": {"boundary": {"param": "lr", "sampler": "staircase"}},
    "random": {"search": {"sampler": "random"}},
    "Sobol": {"search": {"sampler": "sobol"}},
    "TPE": {"search": {"sampler": "tpe"}},
}
LEVELS = (0.5, 0.05)


class Silent:
    """Says nothing while a study runs."""

    def stage(self, name: str, planned: int, done: int) -> None: ...
    def finished(self, row: Mapping[str, Any]) -> None: ...
    def note(self, text: str) -> None: ...


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=120)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    asked = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    document = dict(load_study(DEFAULT).document)
    print(f"{machine('numpy', 'scipy', 'optuna', 'torch')}; {asked.repetitions} repetitions\n", flush=True)
    truths = dense_grid(document)
    for arm, places in truths.items():
        print(f"- {arm}: 50% diverge at {10 ** places[0]:.4f}, 5% at {10 ** places[1]:.4f}")
    counts = [n for n in (10, 20, 30, 40, 60, 80, 120, 160) if n <= asked.trials]
    rows = {}
    for name in asked.methods:
        found = [errors(document, name, k, counts, truths, asked.trials) for k in range(asked.repetitions)]
        medians = np.median(np.concatenate(found), axis=0)
        rows[name] = [f"{one:.2f} / {two:.2f}" for one, two in medians]
        print(f"{name}: {rows[name]}", flush=True)
    print("\n" + table(["error at 50% / 5%", *(f"{n} trials" for n in counts)], rows))


def dense_grid(document: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Arm -> log10 of the learning rates where 50% and 5% diverge."""
    study = _with(document, name="grid", plan=[{"compare": {"seeds": GRID_SEEDS}}], compare=None)
    study["arms"] = {
        f"{arm}-{i}": {**own, "lr": float(10**at)}
        for arm, own in document["arms"].items()
        for i, at in enumerate(GRID)
    }
    trials = run(study)
    found = {}
    for arm in document["arms"]:
        own = trials[trials["arm"].str.startswith(f"{arm}-")]
        found[arm] = _fitted(
            own["params"].map(lambda p: np.log10(p["lr"])).to_numpy(), diverged(own).to_numpy()
        )
    return found


def errors(
    document: Mapping[str, Any], method: str, repetition: int, counts: Sequence[int], truths, most: int
) -> np.ndarray:
    """[arms, counts, levels] of one run, in decades."""
    ((stage, options),) = METHODS[method].items()
    plan = [{stage: {**options, "trials": most}}]
    study = _with(document, name=f"{stage}-{repetition}", plan=plan, seed=1000 * (repetition + 1))
    if stage == "search":
        study.pop("compare")
    trials = run(study).sort_values("number")
    spec = from_document(study)
    space = Space(spec.params["lr"], tuple(p for name, p in spec.params.items() if name != "lr"))
    return np.array(
        [[_wrong(space, spec, trials.head(n), arm, truths[arm]) for n in counts] for arm in spec.arms]
    )


def run(study: dict[str, Any]) -> pd.DataFrame:
    """The trials of a real run of a study, those that gave evidence."""
    spec: StudySpec = from_document(study)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(str(Path(folder) / "s.db"))
        drive(Run(spec, store, LocalExecutor(["cpu"] * 2), Silent(), "cpu"))
        return with_evidence(store.trials(spec.name))


def _with(document: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    whole = copy.deepcopy(dict(document)) | changes
    return {key: value for key, value in whole.items() if value is not None}


def _wrong(space: Space, spec: StudySpec, trials: pd.DataFrame, arm: str, truth) -> tuple[float, float]:
    found = locate(space, list(trials["params"]), diverged(trials).tolist())
    phi = found.features.expand(space.contexts([spec.arm_params(arm)]))
    middle = (found.posterior.weights @ found.posterior.boundary(phi)[0])[0]
    places = (middle + found.posterior.weights @ offsets(level, found.posterior.betas) for level in LEVELS)
    return tuple(abs(np.log10(space.value_at(u)) - own) for u, own in zip(places, truth, strict=True))


def _fitted(at: np.ndarray, happened: np.ndarray) -> tuple[float, float]:
    def surprise(params: np.ndarray) -> float:
        p = GAMMA + SPAN * special.expit(np.exp(params[1]) * (at - params[0]))
        return -float(np.log(np.where(happened, p, 1 - p)).sum())

    starts = ((middle, np.log(slope)) for middle in GRID[2:-2:2] for slope in (5.0, 15.0, 50.0))
    best = min(
        (optimize.minimize(surprise, start, method="Nelder-Mead") for start in starts), key=lambda f: f.fun
    )
    middle, steepness = best.x[0], np.array([np.exp(best.x[1])])
    return tuple(middle + float(offsets(level, steepness)[0]) for level in LEVELS)


if __name__ == "__main__":
    main()
