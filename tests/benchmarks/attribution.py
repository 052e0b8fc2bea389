"""How far attributed effects are from the true ones: `python tests/benchmarks/attribution.py`.

Each truth gives every cell of 7 settings its own P(diverge). In logits: the baseline from U(-4, 0); a setting
does nothing with probability 0.3, else adds N(0.5, 1.5^2); 4 of the 21 pairs add N(0, 1.5^2) where both are
switched. Trials are independent. The true effects are the exact Shapley values of the true P, here from all
orders of switching the settings on. Root mean square over truths and settings.

One-factor-at-a-time spends the same trials on the baseline and on each setting switched alone; leave-one-out
on the treatment and on each setting switched back.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from printed import machine, table
from scipy import special

from stability.evidence.attribution import attribute_divergence
from stability.evidence.shapley import corners, shares
from stability.plan.factorial import design, run_order

FACTORS = 7
NAMES = [f"setting {i}" for i in range(FACTORS)]
PAIRS = 4
IDLE = 0.3


@dataclass(frozen=True, slots=True)
class Truth:
    """P(diverge) of each cell, [2^7] in the order of `corners`, and each setting's part of it, [7]."""

    rate: np.ndarray
    effects: np.ndarray

    def diverge(self, cells: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One trial for each of `cells` [n, 7]: True where it diverged."""
        return rng.random(len(cells)) < self.rate[cells @ 2 ** np.arange(FACTORS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--truths", type=int, default=150)
    parser.add_argument("--trials", type=int, nargs="+", default=[64, 128, 256])
    asked = parser.parse_args()
    truths = [draw_truth(np.random.default_rng([i, 0])) for i in range(asked.truths)]
    totals = np.array([truth.effects.sum() for truth in truths])
    middle = np.quantile(totals, [0.1, 0.5, 0.9])
    print(
        f"{machine('numpy', 'scipy')}; {asked.truths} truths of {FACTORS} settings; true treatment - baseline"
    )
    print(f"{middle[1]:+.2f} in the median, 80% from {middle[0]:+.2f} to {middle[2]:+.2f}\n")
    rows = {
        name: [f"{rmse(method, truths, n):.3f}" for n in asked.trials] for name, method in METHODS.items()
    }
    held = [covered(truths, n) for n in asked.trials]
    rows["intervals of stability that hold the truth"] = [f"{share:.1%}" for share in held]
    print(table(["RMSE of P(diverge)", *(f"{n} trials" for n in asked.trials)], rows))


def draw_truth(rng: np.random.Generator) -> Truth:
    """As the module says."""
    cells = corners(FACTORS)
    main_effects = rng.normal(0.5, 1.5, FACTORS) * (rng.random(FACTORS) >= IDLE)
    score = rng.uniform(-4, 0) + cells @ main_effects
    pairs = [(i, j) for i in range(FACTORS) for j in range(i)]
    for i, j in rng.permutation(pairs)[:PAIRS]:
        score = score + rng.normal(0, 1.5) * cells[:, i] * cells[:, j]
    rate = special.expit(score)
    return Truth(rate, shares(FACTORS) @ rate)


def one_at_a_time(truth: Truth, trials: int, rng: np.random.Generator) -> np.ndarray:
    """Each setting switched alone, less the baseline."""
    return _single(truth, trials, rng, np.eye(FACTORS, dtype=int), np.zeros((1, FACTORS), dtype=int))


def leave_one_out(truth: Truth, trials: int, rng: np.random.Generator) -> np.ndarray:
    """The treatment, less it with each setting switched back."""
    return -_single(truth, trials, rng, 1 - np.eye(FACTORS, dtype=int), np.ones((1, FACTORS), dtype=int))


def ours(truth: Truth, trials: int, rng: np.random.Generator) -> np.ndarray:
    """What `stability` attributes."""
    return np.array([effect.effect for effect in _attributed(truth, trials, rng).effects.values()])


METHODS: dict[str, Callable[[Truth, int, np.random.Generator], np.ndarray]] = {
    "one-factor-at-a-time": one_at_a_time,
    "leave-one-out": leave_one_out,
    "stability": ours,
}


def rmse(method: Callable[..., np.ndarray], truths: list[Truth], trials: int) -> float:
    wrong = [
        method(truth, trials, np.random.default_rng([i, trials])) - truth.effects
        for i, truth in enumerate(truths)
    ]
    return float(np.sqrt(np.mean(np.square(wrong))))


def covered(truths: list[Truth], trials: int) -> float:
    """Share of all 95% intervals of effects."""
    held = []
    for i, truth in enumerate(truths):
        found = _attributed(truth, trials, np.random.default_rng([i, trials])).effects.values()
        held += [own.ci[0] <= effect <= own.ci[1] for own, effect in zip(found, truth.effects, strict=True)]
    return float(np.mean(held))


def _single(
    truth: Truth, trials: int, rng: np.random.Generator, switched: np.ndarray, reference: np.ndarray
) -> np.ndarray:
    """Rates of 7 cells less that of a reference; the trials are dealt out to all 8."""
    dealt = np.resize(np.vstack([reference, switched]), (trials, FACTORS))
    happened = truth.diverge(dealt, rng)
    rates = np.array([happened[i :: FACTORS + 1].mean() for i in range(FACTORS + 1)])
    return rates[1:] - rates[0]


def _attributed(truth: Truth, trials: int, rng: np.random.Generator):
    cells = design(FACTORS, trials)
    order = run_order(cells, trials)
    ran = cells[[cell for cell, _ in order]]
    verdicts = np.where(truth.diverge(ran, rng), "DIVERGED", "STABLE")
    seen = pd.DataFrame(ran, columns=NAMES).assign(seed=[seed for _, seed in order], verdict=verdicts)
    return attribute_divergence(seen, NAMES)


if __name__ == "__main__":
    main()
