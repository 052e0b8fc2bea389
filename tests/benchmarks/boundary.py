"""How many trials until a boundary is known: `python tests/benchmarks/boundary.py`.

A learning rate over six decades, two numbers and a switch. Each truth puts the boundary, in decades, at
U(-1, 1) + N(0, 0.5) for each of the three + N(0, 0.2) for their products and squares, with a steepness of
4 to 40 a decade; 2% of the trials diverge far below it and 2% survive far above. `wavy` truths add a sine of
0.15 decade that no feature of the model follows; in `quiet` ones the settings move the boundary by a fifth as
much. In `dip` truths only half of the trials 0.1 to 0.4 decade above the boundary diverge, and all further up; in `band`
truths 70% of those 0.8 to 1.2 decades below it do. Trials are independent.

All methods share one estimator, that of `stability`, so that only the choice of trials differs. The error is the
absolute one in decades, the median over 64 random contexts; the table shows the first number of trials at
which its median over the truths is at most 0.1, and stays there. TPE looks for the largest learning rate that
does not diverge; the GP classifier (scikit-learn) is sampled by straddle: 1.96 sd - |mean| of its latent value.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import optuna
from printed import machine, table
from scipy import special
from scipy.stats import qmc

from stability.evidence.boundary import Space, locate
from stability.evidence.boundary.model import GAMMA, SPAN
from stability.evidence.boundary.quantiles import offsets
from stability.params import Param
from stability.plan.staircase import staircase
from stability.plan.v_optimal import STARTING, next_setting, setting_at, starting_setting

SPACE = Space(
    Param("lr", "float", 1e-6, 1.0, log=True),
    (
        Param("weight", "float", 0.1, 10.0, log=True),
        Param("share", "float", 0.0, 1.0),
        Param("switch", "choice", choices=(False, True)),
    ),
)
CHECKED = (10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 120, 160, 200, 240, 280, 320)
ENOUGH = 0.1
LEVELS = (0.5, 0.05)
BAND, DIP = (-1.2, -0.8), (0.1, 0.4)
CONTEXTS = 64
Setting = dict[str, object]


@dataclass(frozen=True, slots=True)
class Truth:
    """Where the boundary is, and how steep; `wave`, `band` and `dip` are 0 where there is none."""

    weights: np.ndarray
    steepness: float
    phase: np.ndarray
    wave: float = 0.0
    band: float = 0.0
    dip: float = 0.0

    def place(self, contexts: np.ndarray) -> np.ndarray:
        """The middle of the boundary [n], in decades, at contexts [n, 3]."""
        one, two, switch = contexts.T
        ones = np.ones(len(contexts))
        known = np.column_stack(
            [ones, one, two, switch, one * two, one * switch, two * switch, one**2, two**2]
        )
        return known @ self.weights + self.wave * np.sin(contexts @ self.phase)

    def level(self, contexts: np.ndarray, level: float) -> np.ndarray:
        """The smallest u at which P(diverge) passes `level` [n]."""
        place = self.place(contexts)
        alone = place + offsets(level, np.array([self.steepness]))[0]
        return np.minimum(alone, place + BAND[0]) if self.band > level else alone

    def diverges(self, setting: Setting, rng: np.random.Generator) -> bool:
        u, contexts = SPACE.coordinates([setting])
        distance = (u - self.place(contexts))[0]
        p = GAMMA + SPAN * special.expit(self.steepness * distance)
        if BAND[0] < distance < BAND[1]:
            p = max(p, self.band)
        if DIP[0] < distance < DIP[1]:
            p -= self.dip * p
        return bool(rng.random() < p)


def draw_truth(kind: str, seed: int) -> Truth:
    """As the module says."""
    rng = np.random.default_rng([seed, 0])
    weights = np.concatenate([[rng.uniform(-1, 1)], rng.normal(0, 0.5, 3), rng.normal(0, 0.2, 5)])
    weights[1:] *= 0.2 if kind == "quiet" else 1.0
    steepness = float(np.exp(rng.uniform(np.log(4), np.log(40))))
    phase = rng.choice([-1, 1], 3) * rng.uniform(2.5, 4, 3)
    return Truth(
        weights, steepness, phase, 0.15 * (kind == "wavy"), 0.7 * (kind == "band"), 0.5 * (kind == "dip")
    )


class History:
    """The trials of one method on one truth."""

    def __init__(self, truth: Truth, seed: int) -> None:
        self.truth, self.rng = truth, np.random.default_rng([seed, 1])
        self.settings: list[Setting] = []
        self.diverged: list[bool] = []

    def add(self, setting: Setting) -> None:
        self.settings.append(setting)
        self.diverged.append(self.truth.diverges(setting, self.rng))


def random(history: History, seed: int) -> Iterator[None]:
    rng = np.random.default_rng([seed, 2])
    while True:
        history.add(_setting(rng.random(4)))
        yield


def sobol(history: History, seed: int) -> Iterator[None]:
    for row in qmc.Sobol(4, rng=seed).random(512):
        history.add(_setting(row))
        yield


def tpe(history: History, seed: int) -> Iterator[None]:
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    while True:
        trial = study.ask()
        lr = trial.suggest_float("lr", 1e-6, 1.0, log=True)
        weight = trial.suggest_float("weight", 0.1, 10, log=True)
        rest = {"share": trial.suggest_float("share", 0, 1)}
        history.add(
            {"lr": lr, "weight": weight, **rest, "switch": trial.suggest_categorical("switch", (False, True))}
        )
        trial.set_constraint("diverged", float(history.diverged[-1]))
        study.tell(trial, np.log10(lr))
        yield


def gp_straddle(history: History, seed: int) -> Iterator[None]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessClassifier
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel

    rng = np.random.default_rng([seed, 2])
    kernel = ConstantKernel(10.0) * RBF([1.0, 2.0, 2.0, 2.0], (0.1, 20.0))
    while True:
        if len(set(history.diverged)) < 2 or len(history.settings) < STARTING:
            history.add(starting_setting(SPACE, len(history.settings), seed))
        else:
            candidates = [_setting(row) for row in rng.random((800, 4))]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model = GaussianProcessClassifier(kernel).fit(_plain(history.settings), history.diverged)
            mean, variance = _latent(model, _plain(candidates))
            history.add(candidates[int(np.argmax(1.96 * np.sqrt(variance) - np.abs(mean)))])
        yield


def staircases(history: History, seed: int) -> Iterator[None]:
    stairs = staircase(SPACE)
    while True:
        index = len(history.settings)
        history.add(
            stairs.setting(index, history.diverged[index % len(stairs.contexts) :: len(stairs.contexts)])
        )
        yield


def ours(history: History, seed: int) -> Iterator[None]:
    rng = np.random.default_rng([seed, 2])
    while True:
        index = len(history.settings)
        if index < STARTING:
            history.add(starting_setting(SPACE, index, seed))
        else:
            history.add(next_setting(SPACE, history.settings, history.diverged, [], [], rng))
        yield


METHODS: dict[str, tuple[Callable[[History, int], Iterator[None]], int]] = {
    "random": (random, 320),
    "Sobol": (sobol, 320),
    "TPE": (tpe, 320),
    "GP classifier, straddle": (gp_straddle, 160),
    "staircase": (staircases, 320),
    "stability": (ours, 160),
}
"""Each with the most trials it is followed for."""


@dataclass(frozen=True, slots=True)
class Course:
    """Of one method on one truth, at each number of trials: errors by level, and what was claimed.

    `held` and `claims`: of the contexts with a lower bound of the 5% point, those where it lies below it.
    """

    errors: dict[float, list[float]]
    held: list[int]
    claims: list[int]
    monotone: list[bool]
    proposal_s: float


def follow(name: str, kind: str, most: int, seed: int) -> Course:
    method, _ = METHODS[name]
    history = History(draw_truth(kind, seed), seed)
    contexts = _contexts(seed)
    steps = method(history, seed)
    course = Course({level: [] for level in LEVELS}, [], [], [], 0.0)
    started = time.perf_counter()
    last = 0.0
    for count in (count for count in CHECKED if count <= most):
        while len(history.settings) < count:
            started = time.perf_counter()
            next(steps)
            last = time.perf_counter() - started
        _check(course, history, contexts)
    return Course(course.errors, course.held, course.claims, course.monotone, last)


def _check(course: Course, history: History, contexts: Sequence[Setting]) -> None:
    found = locate(SPACE, history.settings, history.diverged)
    encoded = SPACE.contexts(contexts)
    phi = found.features.expand(encoded)
    means = found.posterior.weights @ (found.posterior.boundary(phi)[0])
    for level in LEVELS:
        shift = found.posterior.weights @ offsets(level, found.posterior.betas)
        wrong = np.abs(means + shift - history.truth.level(encoded, level))
        course.errors[level].append(float(np.median(wrong)))
    bounds = [found.at(context).p05_lower for context in contexts]
    truly = history.truth.level(encoded, 0.05)
    stated = [
        SPACE.u_of(bound) <= true for bound, true in zip(bounds, truly, strict=True) if bound is not None
    ]
    course.held.append(sum(stated))
    course.claims.append(len(stated))
    course.monotone.append(found.monotone)


def first_good(courses: Sequence[Course], level: float, most: int) -> str:
    """The trials after which the median error is at most `ENOUGH` for good."""
    checked = [count for count in CHECKED if count <= most]
    medians = np.median([course.errors[level] for course in courses], axis=0)
    late = np.flatnonzero(medians > ENOUGH)
    start = 0 if not len(late) else int(late[-1]) + 1
    return f"{checked[start]}" if start < len(checked) else f"> {most}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--truths", type=int, default=24)
    parser.add_argument("--kinds", nargs="+", default=["plain", "wavy", "quiet", "dip", "band"])
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--most", type=int, default=320, help="trials; fewer where a method is slow")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(f"{machine('numpy', 'scipy', 'optuna')}; {asked.truths} truths of each kind")
    with ProcessPoolExecutor(asked.processes) as pool:
        for kind in asked.kinds:
            rows = {}
            for name in asked.methods:
                most = min(asked.most, METHODS[name][1])
                courses = list(pool.map(partial(follow, name, kind, most), range(asked.truths)))
                rows[name] = _row(courses, most)
            heads = [kind, "lr50", "lr05", "error at 80", "lower bound holds", "monotone", "last proposal"]
            print(f"\n{table(heads, rows)}", flush=True)


def _row(courses: Sequence[Course], most: int) -> list[str]:
    at = CHECKED.index(min(most, 80))
    errors = [np.median([course.errors[level][at] for course in courses]) for level in LEVELS]
    held = sum(sum(course.held) for course in courses) / max(1, sum(sum(course.claims) for course in courses))
    return [
        *(first_good(courses, level, most) for level in LEVELS),
        " / ".join(f"{error:.3f}" for error in errors),
        f"{held:.1%}",
        f"{np.mean([course.monotone[-1] for course in courses]):.0%}",
        f"{np.median([course.proposal_s for course in courses]):.3f} s",
    ]


def _setting(row: np.ndarray) -> Setting:
    return setting_at(SPACE, row[1:], (row[0] - 0.5) * SPACE.range_u)


def _contexts(seed: int) -> list[Setting]:
    return [_setting(row) for row in np.random.default_rng([seed, 3]).random((CONTEXTS, 4))]


def _plain(settings: Sequence[Setting]) -> np.ndarray:
    return np.column_stack(SPACE.coordinates(settings)[:1] + (SPACE.contexts(settings),))


def _latent(model, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of scikit-learn's latent function (Rasmussen & Williams, algorithm 3.2)."""
    fitted = model.base_estimator_
    cross = fitted.kernel_(fitted.X_train_, points)
    mean = cross.T @ (fitted.y_train_ - fitted.pi_)
    solved = np.linalg.solve(fitted.L_, fitted.W_sr_[:, None] * cross)
    return mean, fitted.kernel_.diag(points) - (solved**2).sum(axis=0)


if __name__ == "__main__":
    main()
