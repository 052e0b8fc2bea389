"""P(diverge) = GAMMA + (1 - GAMMA - LAMBDA) sigmoid(beta (u - f(c))), f linear in features: its posterior.

Arrays in, arrays out. Neither the steepness beta nor the prior widths of f are estimated: the maximum of beta
runs off to infinity as soon as the trials can be separated, and every interval with it. The posterior is kept
on a grid of both, weighted by evidence.

Given those two, f is Gaussian by expectation propagation (Minka, UAI 2001; Rasmussen & Williams, Gaussian
processes for machine learning, 3.6), with the sigmoid taken as a normal distribution function of 1.702 times
the width, which makes every step closed form. Laplace's approximation does not do here: where the boundary
is steep, the likelihood is a box with flat inside and walls, and at its mode there is neither slope nor
curvature, so that the trials which told most are taken to have told nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr

GAMMA = LAMBDA = 0.02
"""Divergences far below the boundary, and survivals far above it, that no setting explains."""
SPAN = 1 - GAMMA - LAMBDA
STEEPNESS = np.geomspace(2.0, 120.0, 8)
"""beta, in 1/u: P goes from 5% to 95% within three decades at the first, within 0.05 at the last."""
PROBIT = 1.702
SWEEPS, CLOSE = 100, 1e-3
"""At most so many sweeps over the trials; done when no weight moves by more than that."""
NEGLIGIBLE = 12.0
"""Once a steepness is e^12 times less credible than a smoother one, steeper ones are not tried."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """A mixture of B models with `weights` [B]: f's weights are Gaussian, means [B, p], covs [B, p, p]."""

    betas: np.ndarray
    weights: np.ndarray
    means: np.ndarray
    covs: np.ndarray
    log_evidence: float

    def boundary(self, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and variances of f at phi [n, p] in each model: both [B, n]."""
        return self.means @ phi.T, ((phi @ self.covs) * phi).sum(axis=-1)


@dataclass(frozen=True, slots=True)
class Trials:
    """phi [n, p], u [n], and +1 where a trial diverged, -1 where not [n]."""

    phi: np.ndarray
    u: np.ndarray
    sign: np.ndarray


@dataclass(frozen=True, slots=True)
class Sites:
    """The Gaussians that stand for the trials, in natural parameters [n]."""

    precisions: np.ndarray
    shifts: np.ndarray


@dataclass(frozen=True, slots=True)
class Model:
    """One steepness, with the prior precisions [p] of the weights."""

    beta: float
    precisions: np.ndarray


@dataclass(frozen=True, slots=True)
class Fitted:
    """Means [p] and covariances [p, p] of the weights, the sites behind them, and the log evidence."""

    beta: float
    mean: np.ndarray
    cov: np.ndarray
    sites: Sites
    evidence: float


def fit(phi: np.ndarray, u: np.ndarray, diverged: np.ndarray, prior_sds: np.ndarray) -> Posterior:
    """The posterior given phi [n, p], u [n], diverged [n] (0 or 1) and prior_sds [K, p] of the weights.

    Raises `ValueError` for a number that is not finite, or another outcome.
    """
    if not (np.isfinite(phi).all() and np.isfinite(u).all() and np.isin(diverged, (0, 1)).all()):
        raise ValueError("the boundary model takes finite coordinates, and outcomes that are 0 or 1")
    trials = Trials(phi, u, 2.0 * np.asarray(diverged) - 1)
    fitted = [one for sds in prior_sds for one in _steeper_and_steeper(trials, sds**-2.0)]
    evidence = np.array([one.evidence for one in fitted])
    share = np.exp(evidence - evidence.max())
    betas, means, covs = (
        np.array([getattr(one, name) for one in fitted]) for name in ("beta", "mean", "cov")
    )
    tried = len(prior_sds) * len(STEEPNESS)  # those not tried have no evidence, but their part of the prior
    log_evidence = float(evidence.max() + np.log(share.sum() / tried))
    return Posterior(betas, share / share.sum(), means, covs, log_evidence)


def probability(beta: np.ndarray | float, distance: np.ndarray) -> np.ndarray:
    """P(diverge) at `distance` = u - f."""
    return GAMMA + SPAN * expit(beta * distance)


def probit_probability(posterior: Posterior, phi: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P(diverge) and its derivative by u at phi [n, p], u [n], averaged over f: both [B, n]."""
    means, variances = posterior.boundary(phi)
    width = np.sqrt((PROBIT / posterior.betas[:, None]) ** 2 + variances)
    z = (u - means) / width
    return GAMMA + SPAN * ndtr(z), SPAN * _density(z) / width


def _steeper_and_steeper(trials: Trials, precisions: np.ndarray) -> list[Fitted]:
    """A fit for each steepness. Each starts from the smoother one before it, close to where it will end."""
    sites = Sites(*np.zeros((2, len(trials.u))))
    fitted: list[Fitted] = []
    for beta in STEEPNESS:
        fitted.append(_propagate(Model(float(beta), precisions), trials, sites))
        sites = fitted[-1].sites
        if fitted[-1].evidence < max(one.evidence for one in fitted) - NEGLIGIBLE:
            break
    return fitted


def _propagate(model: Model, trials: Trials, sites: Sites) -> Fitted:
    """Sweep over the trials, all at once, until the means rest."""
    mean, cov = _gaussian(model, trials.phi, sites)
    for sweep in range(SWEEPS):
        before = mean
        sites = _swept(model, trials, sites, (mean, cov), _step(sweep))
        mean, cov = _gaussian(model, trials.phi, sites)
        if np.abs(mean - before).max() < CLOSE:
            break
    return Fitted(model.beta, mean, cov, sites, _evidence(model, trials, sites, (mean, cov)))


def _step(sweep: int) -> float:
    """How far to go: shorter once the sweeps have gone back and forth for a while."""
    return 0.8 if sweep < 12 else 0.4 if sweep < 40 else 0.2


def _gaussian(model: Model, phi: np.ndarray, sites: Sites) -> tuple[np.ndarray, np.ndarray]:
    """Mean [p] and covariance [p, p] of the weights."""
    information = (phi.T * sites.precisions) @ phi
    information[np.diag_indices_from(information)] += model.precisions
    cov = np.linalg.inv(information)
    return cov @ (phi.T @ sites.shifts), cov


def _cavities(phi: np.ndarray, sites: Sites, gaussian) -> tuple[np.ndarray, np.ndarray]:
    """Means and variances [n] of f at each trial, as the other trials have it."""
    mean, cov = gaussian
    variances = ((phi @ cov) * phi).sum(axis=1)
    rest = np.maximum(1 / variances - sites.precisions, 1e-6)
    return ((phi @ mean) / variances - sites.shifts) / rest, 1 / rest


def _tilted(model: Model, trials: Trials, means: np.ndarray, variances: np.ndarray):
    """P(outcome) under the cavity and the first two derivatives of its logarithm by the mean, [n]."""
    width = np.sqrt((PROBIT / model.beta) ** 2 + variances)
    z = trials.sign * (trials.u - means) / width
    lapse = np.where(trials.sign > 0, GAMMA, LAMBDA)
    p, density = lapse + SPAN * ndtr(z), SPAN * _density(z)
    slope = -trials.sign * density / (width * p)
    return p, slope, -z * density / (width**2 * p) - slope**2


def _swept(model: Model, trials: Trials, sites: Sites, gaussian, step: float) -> Sites:
    """All sites moved by `step` of the way to where they match the moments."""
    means, variances = _cavities(trials.phi, sites, gaussian)
    _, slope, bend = _tilted(model, trials, means, variances)
    share = 1 + variances * bend
    # A lapse makes the likelihood bend the other way far out, where it says nothing: no negative precision.
    precisions = np.maximum(-bend / share, 1e-10)
    shifts = (slope - means * bend) / share
    return Sites(
        sites.precisions + step * (precisions - sites.precisions),
        sites.shifts + step * (shifts - sites.shifts),
    )


def _evidence(model: Model, trials: Trials, sites: Sites, gaussian) -> float:
    """The log evidence (Rasmussen & Williams, eq. 3.65, written for weights)."""
    mean, cov = gaussian
    means, variances = _cavities(trials.phi, sites, gaussian)
    p, _, _ = _tilted(model, trials, means, variances)
    tau, nu = sites.precisions, sites.shifts
    share = 1 + tau * variances
    scale = np.log(p) + 0.5 * np.log(share)
    scale -= (nu**2 * variances + 2 * nu * means - tau * means**2) / (2 * share)
    determinants = np.linalg.slogdet(cov)[1] + np.log(model.precisions).sum()
    return float(scale.sum() + 0.5 * determinants + 0.5 * (nu @ trials.phi) @ mean)


def _density(z: np.ndarray) -> np.ndarray:
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
