"""Ridge fits against independent optimisers and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from stability.evidence import ridge


def binary(seed=0, n=60, terms=5, slope=1.0):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.choice([-1.0, 1.0], (n, terms - 1))])
    truth = rng.normal(0, slope, terms)
    happened = (rng.random(n) < special.expit(design @ truth)).astype(float)
    return design, happened, rng.uniform(0.2, 3.0, terms)


def least(design, happened, precision) -> np.ndarray:
    """scipy's minimiser on the same objective, without our gradient.

    With differences to both sides: those to one side end it early, on some processors 0.004 away.
    """

    def objective(theta):
        score = design @ theta
        return np.logaddexp(0, score).sum() - happened @ score + 0.5 * precision @ theta**2

    start, options = np.zeros(design.shape[1]), {"gtol": 1e-7}
    return optimize.minimize(objective, start, method="BFGS", jac="3-point", options=options).x


@pytest.mark.parametrize("seed", range(5))
def test_the_mode_is_the_one_scipy_finds(seed):
    data = binary(seed)
    assert ridge.logistic(*data).mean == pytest.approx(least(*data), abs=1e-5)


@pytest.mark.parametrize("all_or_none", [0.0, 1.0])
def test_all_or_none_has_a_finite_mode(all_or_none):
    design, _, precision = binary()
    happened = np.full(len(design), all_or_none)
    fit = ridge.logistic(design, happened, precision)
    assert fit.mean == pytest.approx(least(design, happened, precision), abs=1e-5)
    assert np.isfinite(fit.root).all()


def test_a_plane_that_parts_the_two_has_a_finite_mode():
    design, _, _ = binary()
    happened, precision = (design[:, 1] > 0).astype(float), np.full(5, 1e-3)
    fit = ridge.logistic(design, happened, precision)
    assert fit.mean == pytest.approx(least(design, happened, precision), abs=1e-4)


def test_the_covariance_is_the_inverse_curvature():
    design, happened, precision = binary()
    fit = ridge.logistic(design, happened, precision)
    rate = special.expit(design @ fit.mean)
    curvature = design.T @ np.diag(rate * (1 - rate)) @ design + np.diag(precision)
    assert fit.root @ fit.root.T == pytest.approx(np.linalg.inv(curvature))


def test_evidence_of_a_logistic_fit_against_the_integral():
    """Laplace's approximation and the integral over one coefficient, as ratios between two priors."""
    design, happened = np.ones((40, 1)), np.repeat([1.0, 0.0], [12, 28])

    def integral(precision):
        def density(theta):
            log_posterior = ridge.log_posterior(design, happened, np.array([precision]), np.array([theta]))
            return np.exp(log_posterior + 20) * np.sqrt(precision)

        return np.log(integrate.quad(density, -4, 3)[0])

    found = [ridge.logistic(design, happened, np.array([p])).log_evidence for p in (0.5, 5.0)]
    assert found[0] - found[1] == pytest.approx(integral(0.5) - integral(5.0), abs=0.02)


def test_a_linear_fit_is_the_penalised_least_squares():
    rng = np.random.default_rng(3)
    design, values, precision = rng.normal(size=(30, 4)), rng.normal(size=30), np.array([1.0, 2.0, 3.0, 0.1])
    wide = np.vstack([design, np.diag(np.sqrt(precision))])
    expected = np.linalg.lstsq(wide, np.concatenate([values, np.zeros(4)]), rcond=None)[0]
    assert ridge.linear(design, values, precision, 30).mean == pytest.approx(expected)


def test_evidence_of_a_linear_fit_is_a_student_t():
    """With p(noise^2) ~ 1 / noise^2, values ~ t with n degrees of freedom in n dimensions, up to a constant."""
    rng = np.random.default_rng(4)
    design, values = rng.normal(size=(12, 3)), rng.normal(size=12)
    found, expected = [], []
    for scale in (0.3, 3.0):
        found.append(ridge.linear(design, values, np.full(3, scale**-2), 12).log_evidence)
        spread = np.eye(12) + scale**2 * design @ design.T
        squares = values @ np.linalg.solve(spread, values)
        expected.append(-0.5 * np.linalg.slogdet(spread)[1] - 6 * np.log(squares))
    assert found[0] - found[1] == pytest.approx(expected[0] - expected[1])


def test_draws_have_the_posterior_s_moments():
    design, happened, precision = binary()
    fit = ridge.logistic(design, happened, precision)
    drawn = ridge.draws(fit, 40_001, np.random.default_rng(0))
    assert len(drawn) == 40_001
    assert drawn.mean(axis=0) == pytest.approx(fit.mean, abs=0.02)
    assert np.cov(drawn.T) == pytest.approx(fit.root @ fit.root.T, abs=0.02)


def test_draws_of_a_linear_fit_have_students_tails():
    rng = np.random.default_rng(5)
    design, values = np.ones((6, 1)), rng.normal(1.0, 1.0, 6)
    fit = ridge.linear(design, values, np.array([1e-9]), 5)
    drawn = ridge.draws(fit, 40_000, rng)[:, 0]
    low, high = stats.t.interval(0.95, 5, values.mean(), stats.sem(values))
    assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx([low, high], rel=0.05, abs=0.05)


def test_weights_follow_evidence_and_prior():
    fits = [ridge.Fit(np.zeros(1), np.eye(1), np.log(evidence)) for evidence in (1.0, 3.0)]
    assert ridge.weights(fits, [0.5, 0.5]) == pytest.approx([0.25, 0.75])
    assert ridge.weights(fits, [0.75, 0.25]) == pytest.approx([0.5, 0.5])
