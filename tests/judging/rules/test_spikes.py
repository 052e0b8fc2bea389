"""Spike and oscillation: how a loss moves from step to step."""

import math
import random

import pytest
from courses import INF, NAN, events, noisy

from stability.judging.policy import Policy
from stability.judging.rules.rolling import RollingWindow
from stability.records import Severity, Step


def run(losses, norms=None, **extra):
    norms = norms or [1.0] * len(losses)
    pairs = enumerate(zip(losses, norms, strict=True))
    return [Step(i, {"mel": loss}, total=loss, grad_norm=norm, **extra) for i, (loss, norm) in pairs]


def jumping(at, gradient_at, n=60, height=3.0, seed=0):
    losses, norms = noisy(n, seed=seed), noisy(n, sigma=0.3, seed=seed + 1000)
    losses[at] *= height
    if gradient_at is not None:
        norms[gradient_at] *= 30.0
    return run(losses, norms)


@pytest.mark.parametrize("delay", [-2, -1, 0, 1, 2])
def test_a_loss_that_jumps_with_its_gradient_is_a_spike_at_the_losss_step(delay):
    [event] = events(jumping(40, 40 + delay), kind="spike")
    assert (event.step, event.where, event.severity) == (40, "total", Severity.WARNING)
    assert event.value > event.threshold == 6.0


@pytest.mark.parametrize("gradient_at", [None, 37, 43])
def test_either_alone_is_none(gradient_at):
    assert events(jumping(40, gradient_at), kind="spike") == []


def test_a_fall_is_no_spike_and_neither_is_a_jump_before_there_is_a_past():
    assert events(jumping(40, 40, height=1 / 20), kind="spike") == []
    assert events(jumping(19, 19), kind="spike") == [] and len(events(jumping(20, 20), kind="spike")) == 1


def test_a_constant_loss_has_a_least_spread():
    def bump(height):
        return run([1.0] * 30 + [height] + [1.0] * 5, [1.0] * 30 + [height] + [1.0] * 5)

    assert events(bump(1.12), kind="spike") == []
    [event] = events(bump(1.2), kind="spike")
    assert event.value == pytest.approx(math.log(1.2) / 0.02)


def test_healthy_noise_is_silent():
    for seed in range(20):
        falling = noisy(400, lambda t: 3 * math.exp(-5 * t) + 1, sigma=0.2, seed=seed)
        assert events(run(falling, noisy(400, sigma=0.5, seed=seed + 99)), kind="spike") == []


def test_the_spread_is_the_mad_of_the_window():
    dice = random.Random(3)
    values = [dice.gauss(0, 1) for _ in range(100)]
    past = RollingWindow(64)
    for value in values:
        past.add(value)
    window = sorted(values[-64:])
    median = (window[31] + window[32]) / 2
    deviations = sorted(abs(value - median) for value in window)
    assert past.median() == median
    assert past.spread(0.0) == pytest.approx(1.4826 * (deviations[31] + deviations[32]) / 2)
    assert past.above(median + 7 * past.spread(0.0), 6.0, 0.0) == pytest.approx(7.0)
    assert past.above(median + 5 * past.spread(0.0), 6.0, 0.0) is None


def test_a_lasting_change_of_level_becomes_the_past():
    losses = noisy(40) + [10 * value for value in noisy(300, seed=5)]
    norms = noisy(340, seed=6)
    norms[200] *= 100  # long after the step up: the loss is at home on its new level
    assert events(run(losses, norms), kind="spike") == []


def test_a_total_below_0_hands_over_to_the_sum_of_components_for_good():
    sums, norms = noisy(80), noisy(80, seed=1)
    sums[70] *= 4
    norms[70] *= 30
    totals = [1e-3 * value for value in sums[:30]] + [-1.0] * 5 + [1e-3] * 45
    rows = enumerate(zip(sums, totals, norms, strict=True))
    found = events([Step(i, {"mel": s}, total=t, grad_norm=g) for i, (s, t, g) in rows], kind="spike")
    assert [(event.where, event.step) for event in found] == [("sum of losses", 70)]


def test_a_nan_is_passed_over_and_spikes_are_still_found():
    steps = jumping(40, 41)
    broken = [Step(s.step, {"mel": NAN}, total=NAN, grad_norm=INF) if s.step == 30 else s for s in steps]
    assert [event.step for event in events(broken, kind="spike")] == [40]


def swinging(height, sigma, n=150, seed=0):
    return run([v * math.exp(height * (-1) ** i) for i, v in enumerate(noisy(n, sigma=sigma, seed=seed))])


def test_a_period_of_two_is_an_oscillation_even_in_noise_and_on_a_slope():
    [event] = events(swinging(0.1, 0.0), kind="oscillation")
    assert event.value == pytest.approx(0.1) and event.severity is Severity.WARNING
    assert event.step == 100  # five steps until the first change, then a full window
    assert all(events(swinging(0.15, 0.1, n=300, seed=seed), kind="oscillation") for seed in range(10))
    slope = [2 * math.exp(-i / 200) * (1 + 0.1 * (-1) ** i) for i in range(150)]
    assert len(events(run(slope), kind="oscillation")) == 1


def test_gradient_descent_at_the_edge_of_stability_oscillates_and_below_it_does_not():
    def descend(lr, n=200):
        """On a quartic-bounded quadratic of curvature 2: beyond lr 1 it settles on a period of two."""
        x, losses = 0.5, []
        for _ in range(n):
            losses.append(1.0 + x * x + 0.3 * x)
            x -= lr * (2 * x - x**3 / 2)
        return run(losses)

    assert len(events(descend(1.1), kind="oscillation")) == 1
    assert events(descend(0.9), kind="oscillation") == []


@pytest.mark.parametrize("sigma", [0.05, 0.2, 0.5])
def test_batch_noise_does_not_oscillate(sigma):
    for seed in range(10):
        assert events(run(noisy(1000, sigma=sigma, seed=seed)), kind="oscillation") == []


def test_an_oscillation_below_five_percent_or_broken_by_nan_is_none():
    assert events(swinging(0.04, 0.0), kind="oscillation") == []
    losses = [1.0 + 0.2 * (-1) ** i for i in range(300)]
    losses[::60] = [NAN] * 5
    assert events(run(losses), kind="oscillation") == []
    assert events(run([1.0] * 200), kind="oscillation") == []


def test_the_window_is_a_limit_of_the_policy():
    found = events(swinging(0.1, 0.0, n=40), kind="oscillation", policy=Policy(oscillation_window=20))
    assert [event.step for event in found] == [24]
