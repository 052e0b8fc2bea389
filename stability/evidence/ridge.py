"""Ridge regression with its posterior: arrays in, a Gaussian or Student t over coefficients out.

A ridge penalty is a normal prior with precision `precision` (one number a coefficient, all > 0); the evidence
of a fit tells how well its precisions suit the data. Knows nothing of trials or factors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

NEWTON_STEPS = 100
HALVINGS = 30
TOLERANCE = 1e-10
"""A Newton step that promises less than this, in units of the log posterior, is the last."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients ~ mean [terms] + root [terms, terms] @ z, where z is normal, or t with `freedom`.

    `log_evidence` compares fits to the same data; its constant is arbitrary.
    """

    mean: np.ndarray
    root: np.ndarray
    log_evidence: float
    freedom: float = math.inf


def logistic(design: np.ndarray, happened: np.ndarray, precision: np.ndarray) -> Fit:
    """P(happened) = sigma(design @ theta), by Newton's method, with Laplace's approximation around the mode.

    `design` is [n, terms], `happened` [n] holds 0 and 1. The prior keeps the mode finite where all or none
    happened, or where a plane parts those that did from those that did not.
    """
    theta = np.zeros(design.shape[1])
    for _ in range(NEWTON_STEPS):
        slope = design.T @ (happened - special.expit(design @ theta)) - precision * theta
        step = linalg.cho_solve(linalg.cho_factor(_curvature(design, theta, precision)), slope)
        if slope @ step < TOLERANCE:
            break
        theta = _shorten(design, happened, precision, theta, step)
    root, log_det = _inverse_root(_curvature(design, theta, precision))
    log_prior_root = 0.5 * np.log(precision).sum()
    evidence = log_posterior(design, happened, precision, theta) + log_prior_root - 0.5 * log_det
    return Fit(theta, root, float(evidence))


def log_posterior(
    design: np.ndarray, happened: np.ndarray, precision: np.ndarray, theta: np.ndarray
) -> float:
    """What `logistic` maximises: log likelihood - sum(precision * theta^2) / 2."""
    score = design @ theta
    return float(happened @ score - np.logaddexp(0, score).sum() - 0.5 * precision @ theta**2)


def linear(design: np.ndarray, values: np.ndarray, precision: np.ndarray, freedom: int) -> Fit:
    """values = design @ theta + noise of unknown size; `precision` in units of 1 / noise variance.

    `freedom` is how many independent values there are: n less the means taken out of them. The conjugate
    result (Gelman et al., Bayesian Data Analysis, 3rd ed., section 14.2, here with p(noise^2) ~ 1 / noise^2).
    """
    root, log_det = _inverse_root(design.T @ design + np.diag(precision))
    theta = root @ (root.T @ (design.T @ values))
    left = values - design @ theta
    squares = float(left @ left + precision @ theta**2)
    evidence = 0.5 * (np.log(precision).sum() - log_det - freedom * math.log(squares))
    return Fit(theta, root * math.sqrt(squares / freedom), float(evidence), float(freedom))


def weights(fits: Sequence[Fit], prior: Sequence[float]) -> np.ndarray:
    """How probable each fit to the same data is, given how probable it was before; they add up to 1."""
    return special.softmax(np.array([fit.log_evidence for fit in fits]) + np.log(prior))


def draws(fit: Fit, count: int, rng: np.random.Generator) -> np.ndarray:
    """Coefficients from the posterior: [count, terms]; the second half mirrors the first around the mean."""
    half = count - count // 2
    normal = rng.standard_normal((half, len(fit.mean))) @ fit.root.T
    if not math.isinf(fit.freedom):
        normal = normal * np.sqrt(fit.freedom / rng.chisquare(fit.freedom, (half, 1)))
    return fit.mean + np.vstack([normal, -normal])[:count]


def _curvature(design: np.ndarray, theta: np.ndarray, precision: np.ndarray) -> np.ndarray:
    rate = special.expit(design @ theta)
    return (design * (rate * (1 - rate))[:, None]).T @ design + np.diag(precision)


def _shorten(
    design: np.ndarray, happened: np.ndarray, precision: np.ndarray, theta: np.ndarray, step: np.ndarray
) -> np.ndarray:
    """The first of theta + step, theta + step / 2, ... that is no worse than theta."""
    now = log_posterior(design, happened, precision, theta)
    tried = (theta + step / 2**halving for halving in range(HALVINGS))
    return next((t for t in tried if log_posterior(design, happened, precision, t) >= now), theta)


def _inverse_root(matrix: np.ndarray) -> tuple[np.ndarray, float]:
    """R with R @ R.T the inverse of `matrix`, and its log determinant."""
    lower = np.linalg.cholesky(matrix)
    inverse = linalg.solve_triangular(lower, np.eye(len(lower)), lower=True)
    return inverse.T, 2 * float(np.log(np.diag(lower)).sum())
