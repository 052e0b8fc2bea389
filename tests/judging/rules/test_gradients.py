"""Finite gradients that are too large or too small, clipping, and who makes up the gradient."""

import math

import pytest
from courses import INF, NAN, events, measured, noisy

from stability.judging.policy import Policy
from stability.records import Severity, Step


def with_norms(norms):
    return [Step(i, {"mel": 1.0 + 0.1 * (i % 3)}, grad_norm=norm) for i, norm in enumerate(norms)]


def explosions(steps, **options):
    return [(event.where, event.step) for event in events(steps, kind="grad_explosion", **options)]


def test_a_gradient_norm_a_thousand_times_the_early_ones():
    early = [0.1, 0.2, 0.1, 0.2, 0.1]
    [event] = events(with_norms([*early, *[500.0] * 4]), kind="grad_explosion")
    assert (event.where, event.step, event.threshold) == ("grad_norm/early", 7, 1e3)
    assert event.value == 2500.0  # by then the middle of seven is 0.2
    assert event.severity is Severity.WARNING
    assert explosions(with_norms([*early, *[90.0] * 40])) == []
    assert explosions(with_norms([*early, 500.0, 500.0, 0.1, 500.0, 500.0])) == []  # three in a row
    assert explosions(with_norms([*early[:2], *[500.0] * 9])) == []  # the early ones are too few
    assert explosions(with_norms([0.0] * 10 + [150.0] * 9)) == []  # and zeros are no measure


def test_a_large_norm_is_none_that_was_always_large():
    assert explosions(with_norms([5000.0] * 200)) == []


def test_it_is_the_first_norms_that_count_whatever_came_since():
    growing = [0.1 * 1.05**i for i in range(250)]
    [(where, step)] = explosions(with_norms(growing))
    usual = 0.1 * 1.05**31.5  # the middle of the first 64
    assert (where, step) == ("grad_norm/early", 2 + next(i for i, v in enumerate(growing) if v > 1e3 * usual))


@pytest.mark.parametrize("factor", [1e3, 1e-3])
def test_the_unit_of_a_norm_changes_nothing(factor):
    norms = [*noisy(80), *noisy(20, lambda t: 3e3)]
    assert explosions(with_norms([factor * v for v in norms])) == explosions(with_norms(norms)) != []


@pytest.mark.parametrize("value", [NAN, INF, -INF, None])
def test_a_norm_that_is_not_finite_is_another_rules_business(value):
    assert explosions(with_norms([0.1] * 10 + [value] * 3 + [0.1] * 3)) == []


def test_healthy_norms_are_silent():
    for seed in range(10):
        assert explosions(with_norms(noisy(500, lambda t: 10 * math.exp(-4 * t), 0.7, seed))) == []


def test_a_first_layer_that_comes_to_have_far_more_gradient_than_the_last():
    [event] = events(measured(grad_rms_first=[0.01] * 3 + [0.8] * 3, grad_rms_last=0.01), kind="grad_explosion")
    assert (event.where, event.step, event.value) == ("grad_rms_first/grad_rms_last", 5, 80.0)
    assert event.threshold == 70.0
    assert explosions(measured(grad_rms_first=[0.01] * 3 + [0.8, 0.8, 0.1, 0.8], grad_rms_last=0.01)) == []
    assert explosions(measured(grad_rms_first=0.01, grad_rms_last=0.8)) == []
    assert explosions(measured(grad_rms_first=0.8, grad_rms_last=0.0)) == []


def test_a_first_layer_that_always_had_more_must_come_to_have_more_still():
    assert explosions(measured(grad_rms_first=0.8, grad_rms_last=0.01)) == []
    grown = [0.8] * 3 + [80.0] * 3
    [event] = events(measured(grad_rms_first=grown, grad_rms_last=0.01), kind="grad_explosion")
    assert (event.step, event.threshold) == (5, pytest.approx(70.0 * 80.0))


def vanishing(steps, **options):
    return [(event.where, event.step) for event in events(steps, kind="vanishing", **options)]


def test_gradients_of_nearly_nothing():
    assert vanishing(measured(grad_rms=5e-8)) == [("grad_rms", 19)]
    assert vanishing(measured(grad_rms=2e-7)) == []
    assert vanishing(measured(grad_rms=([5e-8] * 19 + [1e-3]) * 3)) == []  # it must last


def test_a_first_layer_without_gradient():
    [event] = events(measured(grad_rms_first=1e-6, grad_rms_last=1e-2), kind="vanishing")
    assert (event.where, event.step) == ("grad_rms_first/grad_rms_last", 19)
    assert event.value == pytest.approx(1e-4) and event.threshold == 1e-3
    assert vanishing(measured(grad_rms_first=1e-3, grad_rms_last=10.0)) == []  # not small by itself
    assert vanishing(measured(grad_rms_first=5e-5, grad_rms_last=1e-2)) == []  # nor beside the last


def test_a_first_layer_without_gradient_in_a_training_that_learns():
    small = {"grad_rms_first": 1e-6, "grad_rms_last": 1e-2}

    def fallen_to(share):
        return [Step(i, {"mel": 1.0 if i == 0 else share}, measures=small) for i in range(40)]

    assert vanishing(fallen_to(0.7)) == []
    assert vanishing(fallen_to(0.8)) == [("grad_rms_first/grad_rms_last", 19)]
    assert vanishing(fallen_to(0.8), policy=Policy(vanishing_learned=0.9)) == []
    dips = [Step(i, {"mel": 0.5 if i % 3 == 2 else 1.0}, measures=small) for i in range(40)]
    assert vanishing(dips) == [("grad_rms_first/grad_rms_last", 19)]  # no single loss says that it learns
    broken = [Step(i, {"mel": NAN}, measures=small) for i in range(40)]
    assert vanishing(broken) == [("grad_rms_first/grad_rms_last", 19)]


def test_a_zero_initialised_head_lets_gradients_through_by_and_by():
    rising = [1e-7 * i for i in range(150)]
    assert vanishing(measured(grad_rms_first=rising, grad_rms_last=[1e-2] * 150)) == []
    dead = [0.0] * 25
    assert vanishing(measured(grad_rms_first=dead, grad_rms_last=[1e-2] * 25)) == [
        ("grad_rms_first/grad_rms_last", 19)
    ]


def test_gradients_that_are_mostly_zeros():
    sampled = [0.9 if i % 10 == 0 else None for i in range(40)]
    assert vanishing(measured(zero_grad_share=sampled)) == [("zero_grad_share", 20)]
    assert vanishing(measured(zero_grad_share=[0.9, 0.9, 0.6, 0.9, 0.9])) == []


def test_a_training_that_is_done_needs_no_gradient():
    small = {"grad_rms": 1e-9}
    done = [Step(i, {"mel": 1.0 if i == 0 else 1e-5 / (i + 1)}, measures=small) for i in range(40)]
    assert vanishing(done) == []
    not_done = [Step(i, {"mel": 1.0 if i == 0 else 0.5 / (i + 1)}, measures=small) for i in range(40)]
    assert vanishing(not_done) == [("grad_rms", 19)]


def test_skipped_steps_and_nan_say_nothing_of_vanishing():
    skipped = [Step(i, {"mel": 1.0 / (i + 1)}, skipped=True, measures={"grad_rms": 0.0}) for i in range(40)]
    assert vanishing(skipped) == []
    assert vanishing(measured(grad_rms=NAN, grad_rms_first=NAN, grad_rms_last=NAN, zero_grad_share=NAN)) == []


def clip_facts(factors):
    found = events(measured(clip_factor=factors), kind="clip_saturation", finished=True)
    assert all(event.severity is Severity.FACT for event in found)
    return [(event.value, event.threshold) for event in found]


def test_clipping_always_or_never_is_a_fact():
    assert clip_facts([0.5] * 40) == [(1.0, 0.95)]
    assert clip_facts([1.0] * 40) == [(0.0, 0.01)]
    assert clip_facts([0.5] * 20 + [1.0] * 20) == []
    assert clip_facts([0.5] * 9) == []  # too few steps
    assert clip_facts([1.0 - 1e-7] * 40) == [(0.0, 0.01)]  # rounding is no clipping


def test_steps_without_a_finite_factor_are_counted_on_neither_side():
    assert clip_facts([0.5] * 20 + [NAN, INF] * 20) == [(1.0, 0.95)]
    assert clip_facts([NAN] * 40) == []


def test_facts_wait_for_the_end():
    assert events(measured(clip_factor=0.5), kind="clip_saturation", finished=False) == []


def dominance(**series):
    names = {name.replace("__", "/").replace("_and_", ","): values for name, values in series.items()}
    found = events(measured(**names), kind="dominance")
    assert all(event.severity is Severity.FACT for event in found)
    return [(event.where, event.step, event.threshold) for event in found]


def test_a_component_that_makes_up_the_gradient_is_a_fact():
    assert dominance(grad_share__kl=0.95, grad_share__mel=0.05) == [("grad_share/kl", 2, 0.9)]
    assert dominance(grad_share__kl=[0.95, 0.95, 0.5] * 3, grad_share__mel=[0.05, 0.05, 0.5] * 3) == []
    assert dominance(grad_share__mel=1.0) == []  # the only one
    assert dominance(grad_share__kl=NAN, grad_share__mel=NAN) == []


def test_components_that_pull_against_each_other_are_a_fact():
    assert dominance(grad_cosine__kl_and_mel=-0.6) == [("grad_cosine/kl,mel", 2, -0.5)]
    assert dominance(grad_cosine__kl_and_mel=-0.4) == [] and dominance(grad_cosine__kl_and_mel=0.9) == []


def test_limits_are_those_of_the_policy():
    steps = with_norms([1.0] * 5 + [20.0] * 5)
    assert explosions(steps, policy=Policy(grad_explosion_rise=10.0)) == [("grad_norm/early", 7)]
    assert explosions(steps, policy=Policy(grad_explosion_rise=10.0, samples=1)) == [("grad_norm/early", 5)]
    assert vanishing(measured(grad_rms=1e-3), policy=Policy(vanishing_rms=1e-2, vanishing_steps=5)) == [
        ("grad_rms", 4)
    ]
