"""Does divergence only become more likely along the bounded parameter? Where it does not, no claim holds.

Two questions, asked of the trials that the boundary was fitted to. Are there more divergences below the lower
bound of the 5% point than lapses explain? And does a model that may go up and down explain the outcomes far
better? The first sees stray divergences where all should be calm; the second sees a band of them, which the
boundary model swallows by becoming so flat that nothing lies below its lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from stability.evidence.boundary.model import GAMMA, Posterior

LEVEL = 0.01
EVIDENCE = 20.0
"""How many times more credible the wavy model must be: "strong" (Kass & Raftery, JASA 90:773, 1995)."""
WAVES, WAVE_SD, WAVE_LENGTHS = 32, 0.3, (0.5, 0.8)
"""Waves along u and c: of a decade in all, half a decade long along u, and as long as smooth ones along c."""
WAVE_SEED = 20240502


@dataclass(frozen=True, slots=True)
class Guard:
    """`failures` of the `below` trials under the lower bound, their p-value; the wavy model's evidence."""

    below: int
    failures: int
    p_value: float
    log_bayes_factor: float

    @property
    def monotone(self) -> bool:
        return bool(self.p_value >= LEVEL and self.log_bayes_factor <= np.log(EVIDENCE))


def guard(
    u: np.ndarray, lower: np.ndarray, diverged: np.ndarray, models: tuple[Posterior, Posterior]
) -> Guard:
    """Both questions; u and lower [n] along the bounded parameter, the monotone model and the wavy one."""
    under = u < lower
    below, failures = int(under.sum()), int(diverged[under].sum())
    p_value = float(stats.binom.sf(failures - 1, below, GAMMA))
    monotone, wavy = models
    return Guard(below, failures, p_value, wavy.log_evidence - monotone.log_evidence)


def waves(u: np.ndarray, contexts: np.ndarray) -> np.ndarray:
    """Random Fourier features [n, waves] of u [n] and contexts [n, columns] together."""
    rng = np.random.default_rng(WAVE_SEED)
    along, across = WAVE_LENGTHS
    point = np.column_stack([u / along, contexts / across])
    return np.cos(point @ rng.standard_normal((point.shape[1], WAVES)) + rng.uniform(0, 2 * np.pi, WAVES))
