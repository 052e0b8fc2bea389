"""The boundary model against numerical integration, brute force and cases whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special
from scipy.stats import norm

from stability.evidence.boundary import Space, locate
from stability.evidence.boundary.acquisition import LEVELS, gain, with_running
from stability.evidence.boundary.features import features
from stability.evidence.boundary.model import GAMMA, SPAN, STEEPNESS, fit, probit_probability
from stability.evidence.boundary.quantiles import mixture_quantile, offsets
from stability.params import Param

LR = Param("lr", "float", 1e-6, 1.0, log=True)
OTHERS = (
    Param("weight", "float", 0.1, 10.0, log=True),
    Param("depth", "int", 2, 8),
    Param("switch", "choice", choices=(False, True)),
    Param("norm", "choice", choices=("pre", "post", None)),
)


def setting(lr=1e-3, weight=1.0, depth=4, switch=False, norm="pre"):
    return {"lr": lr, "weight": weight, "depth": depth, "switch": switch, "norm": norm}


@pytest.mark.parametrize("rising", [True, False])
@pytest.mark.parametrize("param", [LR, Param("clip", "float", -2.0, 7.0), Param("warmup", "int", 0, 100)])
def test_a_value_goes_to_its_place_and_back(param, rising):
    space = Space(param, rising=rising)
    for share in np.linspace(0, 1, 7):
        value = param.low * (param.high / param.low) ** share if param.log else param.low + share * 9
        assert space.value_at(space.u_of(value)) == pytest.approx(value)
    risky, calm = (param.high, param.low) if rising else (param.low, param.high)
    assert space.u_of(risky) == pytest.approx(space.range_u / 2) == pytest.approx(-space.u_of(calm))
    assert Space(LR).range_u == pytest.approx(6.0)


def test_contexts_are_scaled_and_choices_told_apart():
    space = Space(LR, OTHERS)
    rows = space.contexts([setting(weight=0.1, depth=8), setting(weight=1.0, switch=True, norm=None)])
    assert rows.tolist() == [
        [pytest.approx(-1), pytest.approx(1), -1, 1, 0, 0],
        [pytest.approx(0), pytest.approx(-1 / 3), 1, 0, 0, 1],
    ]
    with pytest.raises(ValueError, match="is not one of 'pre', 'post', None"):
        space.contexts([setting(norm="layer")])
    with pytest.raises(ValueError, match="lr = 0 has no place"):
        space.coordinates([setting(lr=0)])
    with pytest.raises(ValueError, match="has no range"):
        Space(OTHERS[2])


def exact(u, diverged, sd, betas):
    """P(beta | trials), mean and sd of f, and the log evidence, for a constant f, on a fine grid."""
    f = np.linspace(-8 * sd, 8 * sd, 8001)
    p = GAMMA + SPAN * special.expit(betas[:, None, None] * (u[:, None] - f))
    likelihood = np.where(diverged[:, None], p, 1 - p).prod(axis=1) * norm.pdf(f, 0, sd)
    evidence = likelihood.sum(axis=1) * (f[1] - f[0])
    density = likelihood.sum(axis=0) / likelihood.sum()
    mean = (f * density).sum()
    return (
        evidence / evidence.sum(),
        mean,
        math.sqrt(((f - mean) ** 2 * density).sum()),
        np.log(evidence.mean()),
    )


@pytest.mark.parametrize("n", [0, 1, 4, 12, 40])
def test_a_constant_boundary_as_numerical_integration_has_it(n):
    rng = np.random.default_rng(n)
    u = rng.uniform(-2, 2, n)
    diverged = rng.random(n) < GAMMA + SPAN * special.expit(6 * (u - 0.3))
    found = fit(np.ones((n, 1)), u, diverged.astype(float), np.array([[3.0]]))
    weights, mean, sd, evidence = exact(u, diverged, 3.0, STEEPNESS)
    ours = np.zeros(len(STEEPNESS))
    ours[: len(found.weights)] = found.weights
    assert ours == pytest.approx(weights, abs=0.05)
    means, variances = found.boundary(np.ones((1, 1)))
    total = found.weights @ means[:, 0]
    spread = math.sqrt(found.weights @ (variances[:, 0] + means[:, 0] ** 2) - total**2)
    assert total == pytest.approx(mean, abs=0.15 * sd + 0.01)
    assert spread == pytest.approx(sd, rel=0.2)
    assert found.log_evidence == pytest.approx(evidence, abs=0.3)


def test_the_order_of_trials_does_not_matter():
    rng = np.random.default_rng(1)
    phi, u = rng.normal(size=(30, 4)), rng.uniform(-2, 2, 30)
    diverged = (rng.random(30) < special.expit(8 * u)).astype(float)
    sds, order = np.full((1, 4), 0.5), rng.permutation(30)
    one, two = fit(phi, u, diverged, sds), fit(phi[order], u[order], diverged[order], sds)
    assert one.weights == pytest.approx(two.weights, abs=1e-3)
    assert one.means == pytest.approx(two.means, abs=1e-2)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="finite coordinates"):
        fit(np.ones((2, 1)), np.array([0.0, bad]), np.zeros(2), np.ones((1, 1)))
    with pytest.raises(ValueError, match="outcomes that are 0 or 1"):
        fit(np.ones((1, 1)), np.zeros(1), np.array([0.5]), np.ones((1, 1)))


def test_a_level_that_lapses_alone_exceed_is_refused():
    with pytest.raises(ValueError, match=r"allowed: 0\.02 to 0\.98"):
        offsets(0.02, STEEPNESS)


def test_quantiles_of_a_mixture():
    weights, means, sds = np.array([0.3, 0.7]), np.array([[0.0], [2.0]]), np.array([[1.0], [0.5]])
    at = mixture_quantile(0.2, weights, means, sds)[0]
    assert weights @ norm.cdf(at, means[:, 0], sds[:, 0]) == pytest.approx(0.2, abs=1e-6)


def trials(n, truth, rng, space):
    settings = [
        {"lr": 10 ** rng.uniform(-6, 0), **{p.name: p.at(rng.random()) for p in space.others}}
        for _ in range(n)
    ]
    u, contexts = space.coordinates(settings)
    return settings, u, contexts, truth(u, contexts, rng)


def test_the_gain_is_the_drop_that_refitting_would_bring():
    rng, space = np.random.default_rng(3), Space(LR, OTHERS[:1])
    known = features(space)

    def truth(u, contexts, rng):
        return rng.random(len(u)) < GAMMA + SPAN * special.expit(8 * (u - 0.5 * contexts[:, 0]))

    _, u, contexts, diverged = trials(25, truth, rng, space)
    phi = known.expand(contexts)
    before = fit(phi, u, diverged.astype(float), known.prior_sds)
    references = known.expand(space.contexts([{"lr": 1e-3, "weight": w} for w in (0.2, 1.0, 5.0)]))

    def variance(posterior):
        means, variances = posterior.boundary(references)
        found = 0.0
        for level in LEVELS:
            places = means + offsets(level, posterior.betas)[:, None]
            middle = posterior.weights @ places
            found += (posterior.weights @ (variances + places**2) - middle**2).mean()
        return found

    at, where = np.linspace(-2.5, 2.5, 11), known.expand(space.contexts([{"lr": 1e-3, "weight": 1.0}]))
    expected, predicted = [], gain(before, np.repeat(where, 11, axis=0), at, references)
    for own in at:
        p = float(before.weights @ probit_probability(before, where, np.array([own]))[0][:, 0])
        after = [
            fit(
                np.vstack([phi, where]),
                np.append(u, own),
                np.append(diverged, y).astype(float),
                known.prior_sds,
            )
            for y in (0, 1)
        ]
        expected.append(variance(before) - (1 - p) * variance(after[0]) - p * variance(after[1]))
    assert np.corrcoef(expected, predicted)[0, 1] > 0.95
    assert abs(np.argmax(expected) - np.argmax(predicted)) <= 1
    assert 0.5 < predicted.max() / max(expected) < 2  # refitting also moves what was approximated before


def test_running_trials_only_narrow():
    rng, space = np.random.default_rng(4), Space(LR, OTHERS[:1])
    known = features(space)
    _, u, contexts, diverged = trials(20, lambda u, c, r: u > 0, rng, space)
    before = fit(known.expand(contexts), u, diverged.astype(float), known.prior_sds)
    after = with_running(before, known.expand(contexts[:3]), np.zeros(3))
    one, two = (p.boundary(known.expand(contexts))[1] for p in (before, after))
    assert (two <= one + 1e-12).all() and (two < one - 1e-6).any()
    assert (after.means == before.means).all() and (after.weights == before.weights).all()


def test_known_boundaries_lie_in_their_intervals():
    held = []
    for seed in range(12):
        rng, space = np.random.default_rng(seed), Space(LR, OTHERS[:1])
        shift, slope = rng.normal(0, 0.5), rng.uniform(5, 30)

        def truth(u, contexts, rng, shift=shift, slope=slope):
            return rng.random(len(u)) < GAMMA + SPAN * special.expit(slope * (u - shift * contexts[:, 0]))

        settings, *_, diverged = trials(80, truth, rng, space)
        found = locate(space, settings, diverged.tolist())
        for weight, c in ((0.1, -1.0), (1.0, 0.0), (10.0, 1.0)):
            reading = found.at({"lr": 1.0, "weight": weight})
            half = space.value_at(shift * c)
            rare = space.value_at(shift * c + math.log(0.03 / 0.93) / slope)
            held.append((reading.p50.low <= half <= reading.p50.high, reading.p05_lower <= rare))
    assert np.mean(held, axis=0) == pytest.approx([1.0, 1.0], abs=0.1)


def test_a_parameter_that_diverges_at_small_values_is_the_mirror_image():
    rng = np.random.default_rng(5)
    lrs = 10 ** rng.uniform(-6, 0, 50)
    diverged = lrs > 10**-2.5
    up = locate(Space(LR), [{"lr": v} for v in lrs], diverged.tolist()).at({})
    mirrored = [{"lr": 1e-6 / v} for v in lrs]
    down = locate(Space(LR, rising=False), mirrored, diverged.tolist()).at({})
    assert down.p50.value == pytest.approx(1e-6 / up.p50.value)
    assert (down.p50.low, down.p50.high) == pytest.approx((1e-6 / up.p50.high, 1e-6 / up.p50.low))
    assert down.p05_lower == pytest.approx(1e-6 / up.p05_lower)


def test_where_nothing_diverged_the_boundary_is_beyond_the_range():
    lrs = np.logspace(-6, 0, 40)
    reading = locate(Space(LR), [{"lr": v} for v in lrs], [False] * 40).at({})
    assert reading.p50.value is None and reading.p50.high is None
    assert 0.02 < reading.p05_lower <= 1.0


def test_where_everything_diverged_nothing_is_stated():
    lrs = np.logspace(-6, 0, 40)
    reading = locate(Space(LR), [{"lr": v} for v in lrs], [True] * 40).at({})
    assert reading.p05_lower is None and reading.p50.value is None


def test_too_few_trials_say_nothing():
    for n in range(4):
        found = locate(Space(LR), [{"lr": 10.0**-i} for i in range(1, n + 1)], [True] * n)
        assert not found.speaks and found.at({}).p05_lower is None and found.bound({}) is None


def test_a_smaller_risk_gives_a_smaller_bound():
    rng = np.random.default_rng(6)
    lrs = 10 ** rng.uniform(-4, 0, 80)
    diverged = rng.random(80) < GAMMA + SPAN * special.expit(6 * (np.log10(lrs) + 2))
    found = locate(Space(LR), [{"lr": v} for v in lrs], diverged.tolist())
    bounds = [found.bound({}, risk) for risk in (0.025, 0.05, 0.1, 0.3)]
    assert bounds == sorted(bounds) and bounds[1] < found.at({}).p05.value < found.at({}).p50.value
    assert found.near(10**-2.0) == int((abs(np.log10(lrs) + 2) <= 0.2).sum())
    low, high = found.risk([{"lr": 1e-4}, {"lr": 1.0}])
    assert low < 0.06 and high > 0.9


def test_a_band_of_divergence_below_the_boundary_withdraws_the_claim():
    rng = np.random.default_rng(7)
    at = rng.uniform(-6, 0, 120)
    diverged = ((at > -1) | ((at > -4) & (at < -3))) & (rng.random(120) < 0.95)
    found = locate(Space(LR), [{"lr": 10**v} for v in at], diverged.tolist())
    assert not found.monotone and found.bound({}) is None and found.at({}).p50.value is None
    band, gap = found.risk([{"lr": 10**-3.5}, {"lr": 10**-2.0}])
    assert band > 0.5 > gap


def test_stray_divergences_seldom_withdraw_it():
    withdrawn = 0
    for seed in range(60):
        rng = np.random.default_rng([seed, 8])
        at = rng.uniform(-6, 0, 60)
        diverged = rng.random(60) < GAMMA + SPAN * special.expit(10 * (at + 2))
        withdrawn += not locate(Space(LR), [{"lr": 10**v} for v in at], diverged.tolist()).monotone
    assert withdrawn <= 6
