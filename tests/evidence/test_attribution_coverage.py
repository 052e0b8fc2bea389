"""Simulated studies: intervals hold the true effects in 95% and more, and idle settings are not accused.

A truth gives some settings an effect and those pairs an interaction; its effects are exact Shapley values of the
true cube. The limits are three standard errors of the simulation beside 95% and 5%; intervals of one study
depend on each other, so that a study counts once. `STABILITY_REPLICATIONS=500` simulates as many of each family.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import special

from stability.evidence.attribution import attribute_divergence, attribute_yardstick
from stability.evidence.shapley import corners, pairs, shares
from stability.plan.factorial import design, run_order


@dataclass(frozen=True, slots=True)
class Family:
    """Truths and trials: effects N(0, `main`^2) and N(0, `crossed`^2), `idle` the chance of none at all.

    In logits for divergence, with a baseline from U(-3, 0); in units of the noise for a value. `of_seed` is
    the standard deviation between seeds.
    """

    factors: int
    trials: int
    main: float
    crossed: float
    idle: float
    of_seed: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Per study: the share of intervals that hold, whether the total's does, whether an idle one is accused."""

    held: np.ndarray
    total_held: np.ndarray
    accused: np.ndarray


DIVERGENCE = {
    "all idle": Family(4, 32, 0.0, 0.0, 1.0),
    "all idle, seeds differ": Family(4, 64, 0.0, 0.0, 1.0, 1.0),
    "one setting": Family(1, 20, 2.0, 0.0, 0.3),
    "few trials": Family(3, 16, 1.5, 0.7, 0.3),
    "seeds differ": Family(5, 64, 1.5, 0.7, 0.4, 1.0),
    "all or nothing": Family(5, 64, 4.0, 2.0, 0.5),
}
VALUES = {
    "all idle": Family(5, 32, 0.0, 0.0, 1.0, 5.0),
    "replicated": Family(5, 32, 3.0, 1.0, 0.4, 5.0),
    "few trials": Family(3, 8, 3.0, 1.0, 0.3, 5.0),
    "a fraction once": Family(7, 16, 3.0, 1.0, 0.5, 5.0),
    "large interactions": Family(4, 32, 3.0, 5.0, 0.3, 5.0),
}
SMALL, LARGE = 40, int(os.environ.get("STABILITY_REPLICATIONS", "100"))


def score(family: Family, rng: np.random.Generator):
    """A truth: cells [n, k] -> [n], and which settings are idle."""
    idle = rng.random(family.factors) < family.idle
    mains = np.where(idle, 0.0, rng.normal(0, 1, family.factors) * family.main)
    both = [(i, j) for i, j in pairs(family.factors) if not (idle[i] or idle[j])]
    products = rng.normal(0, 1, len(both)) * family.crossed

    def of(cells):
        crossed = sum(c * cells[:, i] * cells[:, j] for c, (i, j) in zip(products, both, strict=True))
        return cells @ mains + crossed

    return of, idle


def ran(family: Family, rng: np.random.Generator):
    cells = design(family.factors, family.trials)
    cell, seed = np.array(run_order(cells, family.trials)).T
    names = [f"setting {i}" for i in range(family.factors)]
    level = rng.normal(0, 1, seed.max() + 1)[seed] * family.of_seed
    return pd.DataFrame(cells[cell], columns=names).assign(seed=seed, outcome="FINISHED"), names, level


def divergence(family: Family, rng: np.random.Generator):
    of, idle = score(family, rng)
    start = rng.uniform(-3, 0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(21)
    logits = start + of(corners(family.factors))[:, None] + family.of_seed * nodes
    truth = shares(family.factors) @ (special.expit(logits) @ weights / weights.sum())
    trials, names, level = ran(family, rng)
    diverged = rng.random(len(trials)) < special.expit(start + of(trials[names].to_numpy()) + level)
    trials["verdict"] = np.where(diverged, "DIVERGED", "STABLE")
    return attribute_divergence(trials, names), truth, idle


def values(family: Family, rng: np.random.Generator):
    of, idle = score(family, rng)
    trials, names, level = ran(family, rng)
    logs = of(trials[names].to_numpy()) + level + rng.normal(0, 1, len(trials))
    trials = trials.assign(verdict="STABLE", yardstick_final=np.exp(logs))
    return attribute_yardstick(trials, names), shares(family.factors) @ of(corners(family.factors)), idle


def simulate(study, family: Family, studies: int) -> Seen:
    rows = []
    for i in range(studies):
        found, truth, idle = study(family, np.random.default_rng([i, family.factors, family.trials]))
        own = list(found.effects.values())
        held = [one.ci[0] <= effect <= one.ci[1] for one, effect in zip(own, truth, strict=True)]
        accused = any(one.p_adjusted <= 0.05 for one, nothing in zip(own, idle, strict=True) if nothing)
        rows.append((np.mean(held), found.total_ci[0] <= truth.sum() <= found.total_ci[1], accused))
    return Seen(*np.array(rows, dtype=float).T)


def check(seen: Seen) -> None:
    n = len(seen.held)
    margin = 3 * np.sqrt(0.95 * 0.05 / n)
    assert seen.held.mean() >= 0.95 - min(margin, 3 * seen.held.std() / np.sqrt(n) + 1e-9)
    assert seen.total_held.mean() >= 0.95 - margin
    assert seen.accused.mean() <= 0.05 + margin


@pytest.mark.parametrize("name", ["all idle", "few trials"])
def test_intervals_of_effects_on_divergence_in_few_studies(name):
    check(simulate(divergence, DIVERGENCE[name], SMALL))


@pytest.mark.parametrize("name", ["all idle", "few trials"])
def test_intervals_of_effects_on_a_value_in_few_studies(name):
    check(simulate(values, VALUES[name], SMALL))


@pytest.mark.slow
@pytest.mark.parametrize("name", DIVERGENCE)
def test_intervals_of_effects_on_divergence(name):
    check(simulate(divergence, DIVERGENCE[name], LARGE))


@pytest.mark.slow
@pytest.mark.parametrize("name", VALUES)
def test_intervals_of_effects_on_a_value(name):
    check(simulate(values, VALUES[name], LARGE))
