"""Which recorded quantity left its band first, before a failure at a known step."""

import math
import random

import pytest

from stability.judging.onset import began, onset
from stability.judging.policy import Policy
from stability.records import Step

BAD = 60


def course(departures, n=BAD, seed=0, **odd):
    """Noise, in which each named quantity is multiplied by 20 from its step on."""
    dice = random.Random(seed)

    def value(name, i, sigma):
        jump = 20.0 if i >= departures.get(name, n) else 1.0
        return odd.get(f"{name}_{i}", jump * math.exp(dice.gauss(0, sigma)))

    return [
        Step(
            i,
            {"mel": value("mel", i, 0.1), "kl": value("kl", i, 0.1)},
            total=value("total", i, 0.1),
            grad_norm=value("grad_norm", i, 0.3),
            weight_norm=30.0 + i / 100,
            lr=10.0**i / 1e30,
            measures={"grad_rms": value("grad_rms", i, 0.3), "grad_cosine/kl,mel": -0.2},
        )
        for i in range(n)
    ]


def test_the_first_quantity_to_leave_its_band_is_named():
    found = onset(course({"grad_norm": 54, "kl": 58}), BAD)
    assert (found.step, found.quantity) == (54, "grad_norm")
    assert found.value > 5 > found.median and found.z > 6
    assert onset(course({"kl": 50, "grad_rms": 52}), BAD).quantity == "loss/kl"
    assert onset(course({"grad_rms": 52}), BAD).quantity == "measure/grad_rms"


def test_of_two_at_once_the_farther_one():
    steps = course({"mel": 55}, **{f"kl_{i}": 500.0 for i in range(55, BAD)})
    assert onset(steps, BAD).quantity == "loss/kl"


def test_a_healthy_past_and_one_that_came_back_have_no_onset():
    assert sum(onset(course({}, seed=seed), BAD) is not None for seed in range(50)) == 0
    assert onset(course({}, grad_norm_50=1e4), BAD) is None
    assert onset(course({}, grad_norm_50=1e4, grad_norm_51=1e4), BAD) is None


def test_a_fall_is_an_onset_too_and_below_0_there_is_no_logarithm():
    found = onset(course({}, **{f"grad_norm_{i}": 1e-6 for i in range(57, BAD)}), BAD)
    assert (found.step, found.quantity) == (57, "grad_norm") and found.z < -6
    assert onset(course({}, **{f"grad_norm_{i}": 0.0 for i in range(57, BAD)}), BAD) is None


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_not_finite_is_outside(value):
    found = onset(course({}, kl_58=value, kl_59=value), BAD)
    assert (found.step, found.quantity, found.z) == (58, "loss/kl", math.inf)


def test_only_steps_before_the_failure_count():
    assert onset(course({"kl": 40}, n=80), 40) is None
    assert onset(course({"kl": 40}, n=80), 45).step == 40
    assert onset([], 5) is None and onset(course({"kl": 0}), 0) is None


def test_a_short_past_makes_no_band():
    assert onset(course({"kl": 7}, n=8), 8) is None
    assert onset(course({"kl": 8}, n=10), 10).step == 8
    assert (
        onset(course({"kl": 7}, n=10), 10).step == 7
    )  # seen from the band of the first eight, it began before
    assert onset(course({"kl": 8}, n=10), 10, Policy(onset_minimum=10)) is None


def test_sampled_measures_are_followed_over_their_gaps():
    steps = [
        Step(i, {"mel": 1.0}, measures={"attention_logit": 5.0 if i < 96 else 500.0} if i % 8 == 0 else None)
        for i in range(110)
    ]
    found = onset(steps, 110)
    assert (found.step, found.quantity, found.median) == (96, "measure/attention_logit", pytest.approx(5.0))


def steps_of(losses, norms=None):
    norms = norms or [1.0] * len(losses)
    return [Step(i, {"mel": loss}, grad_norm=norm) for i, (loss, norm) in enumerate(zip(losses, norms, strict=True))]


def test_a_failure_began_with_its_first_number_that_is_not_finite():
    assert began(steps_of([1.0] * 10 + [math.nan] * 5), 13) == 10
    assert began(steps_of([1.0] * 10 + [math.nan] * 2, [1.0] * 8 + [math.inf] * 4), 11) == 8


def test_a_failure_began_with_its_explosion():
    losses = [1.0] * 20 + [5e3, 1e6, 1e12, math.inf, math.nan, math.nan]
    assert began(steps_of(losses), 25) == 20


def test_a_number_that_recovered_is_not_where_a_later_failure_began():
    losses = [1.0] * 5 + [math.nan] + [1.0] * 5 + [math.nan] * 3
    assert began(steps_of(losses), 13) == 11


def test_a_failure_without_such_numbers_began_where_the_rule_says():
    assert began(steps_of([1.0 + i for i in range(20)]), 12) == 12
    assert began([], 3) == 3


def test_a_measure_that_is_not_finite_is_no_failure():
    steps = [Step(i, {"mel": 1.0}, measures={"grad_rms": math.nan}) for i in range(5)]
    assert began(steps, 4) == 4
