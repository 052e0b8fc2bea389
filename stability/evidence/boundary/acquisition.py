"""Which trial tells most about where the boundary lies: arrays in, one gain per candidate out.

The gain is the drop, averaged over reference contexts and levels, of the variance of the place where
P(diverge) passes a level, that the trial's outcome is expected to bring (V-optimality). It needs no refit:
by the law of total variance it is the variance of the place's mean over both outcomes,
cov(place, y)^2 / var(y).
That holds the narrowing given each beta and the choice between betas in one figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stability.evidence.boundary.model import Posterior, probit_probability
from stability.evidence.boundary.quantiles import offsets

LEVELS = (0.5, 0.05)
"""The middle alone never shows how steep the boundary is, and without that nothing is known of 5%."""


def gain(
    posterior: Posterior,
    phi: np.ndarray,
    u: np.ndarray,
    references: np.ndarray,
    levels: Sequence[float] = LEVELS,
) -> np.ndarray:
    """Expected drop of variance [n], in u^2, by a trial at phi [n, p], u [n]; references [r, p]."""
    p, slope = probit_probability(posterior, phi, u)
    weights = posterior.weights
    total = weights @ p
    places, _ = posterior.boundary(references)
    narrowing = _narrowing(posterior, phi, references, weights[:, None] * slope)
    chosen = weights[:, None] * (p - total)
    covariances = (
        (places + offsets(level, posterior.betas)[:, None]).T @ chosen - narrowing for level in levels
    )
    return sum((c**2).mean(axis=0) for c in covariances) / (total * (1 - total))


def _narrowing(posterior, phi, references, slopes) -> np.ndarray:
    """sum over beta of cov(f at reference, f at candidate) times slope: [r, n]."""
    return sum((references @ cov @ phi.T) * slope for cov, slope in zip(posterior.covs, slopes, strict=True))


def with_running(posterior: Posterior, phi: np.ndarray, u: np.ndarray) -> Posterior:
    """The posterior as if the running trials, phi [m, p], u [m], had ended as expected.

    What they will narrow is taken off the covariances, one trial after the other by the same expectation as
    in `gain`; means and weights stay, since neither has a direction yet.
    """
    for row, at in zip(phi, u, strict=True):
        p, slope = probit_probability(posterior, row[None], np.array([at]))
        cross = posterior.covs @ row
        drop = slope**2 / (p * (1 - p))
        covs = posterior.covs - drop[:, :, None] * cross[:, :, None] * cross[:, None, :]
        posterior = replace(posterior, covs=covs)
    return posterior
