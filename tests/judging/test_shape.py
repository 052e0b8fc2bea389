"""What a curve did: each course by a small drawn curve, and in any unit and at any rate of logging."""

import math
import random

import pytest

from stability.judging.policy import Policy
from stability.judging.shape import Course, shape
from stability.judging.trend import trend

POLICY = Policy()


def drawn(n, level, sigma=0.02, seed=0):
    """`level`, a function of the share done, with noise of that size."""
    dice = random.Random(seed)
    return [level(i / (n - 1)) + dice.gauss(0.0, sigma) for i in range(n)]


def falling(t):
    return 1.0 + 2.0 * math.exp(-6.0 * t)


def back(t):
    """Down to 1 in the first half, up to 4 in the second."""
    return falling(2 * t) if t < 0.5 else 4.0


CURVES = {
    "a fall": (falling, Course.LEARNED),
    "a fall to below 0": (lambda t: falling(t) - 2.5, Course.LEARNED),
    "a fall that goes on": (lambda t: 3.0 - 2.0 * t, Course.LEARNED),
    "a fall with a bump half its height": (
        lambda t: falling(t) + (1.0 if 0.4 < t < 0.45 else 0.0),
        Course.LEARNED,
    ),
    "a fall that rises a little": (lambda t: falling(2 * t) + 0.4 * t, Course.LEARNED),
    "a fall with an excursion of 50 times": (
        lambda t: 100.0 if 0.4 < t < 0.45 else falling(t),
        Course.SPIKED,
    ),
    "a fall, and 60% of it back": (lambda t: falling(2 * t) if t < 0.5 else 2.2, Course.PART),
    "a fall, and all of it back": (back, Course.BACK),
    "nothing": (lambda t: 3.0, Course.FLAT),
    "up at once and never back": (lambda t: 3.0 if t < 0.01 else 9.0 + 3.0 * t, Course.ABOVE),
    "up in a straight line": (lambda t: 3.0 + 6.0 * t, Course.ROSE),
    "up to 150 times, by ever larger steps": (lambda t: math.exp(5.0 * t), Course.EXPLODED),
    "up and back to the start": (lambda t: 50.0 if 0.01 < t < 0.1 else 3.0, Course.RETURNED),
    "a working level near 0, neared slowly": (lambda t: 0.1 + 2.0 * (1 - math.exp(-4 * t)), Course.ROSE),
    "a fall, and at the very end up": (lambda t: falling(t) if t < 0.98 else 500.0, Course.EXPLODED),
}


@pytest.mark.parametrize("n", [300, 1000])
@pytest.mark.parametrize("name", CURVES)
def test_the_course_of_a_curve(name, n):
    level, course = CURVES[name]
    assert [shape(drawn(n, level, seed=seed), POLICY).course for seed in range(2)] == [course] * 2


@pytest.mark.parametrize("factor", [1.0, 1e3, 1e-3])
@pytest.mark.parametrize("name", CURVES)
def test_its_unit_changes_nothing(name, factor):
    values = drawn(300, CURVES[name][0])
    found, scaled = shape(values, POLICY), shape([factor * value for value in values], POLICY)
    assert (scaled.course, scaled.at) == (found.course, found.at)
    assert scaled.given_back == pytest.approx(found.given_back)


@pytest.mark.parametrize("shift", [-1000.0, -3.0, 1000.0])
@pytest.mark.parametrize("name", CURVES)
def test_a_constant_in_it_changes_nothing(name, shift):
    values = drawn(300, CURVES[name][0])
    found, moved = shape(values, POLICY), shape([value + shift for value in values], POLICY)
    assert (moved.course, moved.at) == (found.course, found.at)
    assert moved.given_back == pytest.approx(found.given_back)


@pytest.mark.parametrize("every", [2, 3, 5, 10])
@pytest.mark.parametrize("name", CURVES)
def test_logging_every_nth_number_of_a_long_curve_changes_nothing(name, every):
    level, course = CURVES[name]
    assert shape(drawn(3000, level)[::every], POLICY).course is course


def test_where_it_began():
    """At the first number above the middle between what it left and where it ended."""
    assert 150 <= shape(drawn(300, back), POLICY).at <= 151
    assert 120 <= shape(drawn(300, CURVES["a fall with an excursion of 50 times"][0]), POLICY).at <= 135
    assert 2 <= shape(drawn(300, CURVES["up at once and never back"][0]), POLICY).at <= 4
    assert 292 <= shape(drawn(300, CURVES["a fall, and at the very end up"][0]), POLICY).at <= 295
    assert 5 <= shape(drawn(300, CURVES["up and back to the start"][0]), POLICY).at <= 31


def test_how_much_was_given_back():
    assert shape(drawn(300, CURVES["a fall, and 60% of it back"][0]), POLICY).given_back == pytest.approx(
        0.6, abs=0.03
    )
    assert shape(drawn(300, back), POLICY).given_back == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize(
    ("values", "course"),
    [
        ([], Course.SHORT),
        ([1.0], Course.SHORT),
        ([1.0, 0.5], Course.SHORT),
        ([3.0, 2.0, 1.0], Course.SHORT),
        ([1.0, 2.0, 3.0], Course.SHORT),
        ([1.0, 1e9], Course.ABOVE),
        ([1.0, 2.0, 1e9], Course.ABOVE),
        ([4.0, 3.0, 2.0, 1.0], Course.LEARNED),
        ([1.0, 2.0, 4.0, 8.0, 16.0], Course.ABOVE),
        ([3.0, 3.0, 3.0, 3.0], Course.FLAT),
        ([1.0, 2.0, 3.0, 4.0], Course.ROSE),
        ([-999.0, -997.0, -991.0, -973.0], Course.ABOVE),  # 1, 3, 9, 27 with a constant
        ([101.0, 103.0, 106.0, 111.0], Course.ROSE),
        ([4.0, 1.0, 1.0, 1.0, 6.0, 6.0, 6.0], Course.BACK),
    ],
)
def test_few_numbers(values, course):
    assert shape(values, POLICY).course is course


@pytest.mark.parametrize("last", [2, 4, 7, 10, 11, 13, 16, 20, 30])
def test_an_explosion_is_one_however_late_it_came(last):
    """A window is 20 numbers here."""
    values = drawn(200, lambda t: 3.0 if t < 0.1 else 1.0)[:-last] + [90.0] * last
    assert shape(values, POLICY).course in (Course.EXPLODED, Course.BACK)


def test_three_numbers_in_order_are_chance_and_four_are_not():
    """Of all orders of three numbers one of six falls, of four one of twenty-four."""
    assert shape([3.0, 2.0, 1.0], POLICY).course is Course.SHORT
    assert shape([4.0, 3.0, 2.0, 1.0], POLICY).course is Course.LEARNED


def test_noise_alone_is_seldom_more_than_flat():
    for n in (200, 1000):
        found = [shape(drawn(n, lambda t: 3.0, sigma=0.5, seed=seed), POLICY).course for seed in range(100)]
        assert found.count(Course.FLAT) >= 90
        assert set(found) <= {Course.FLAT, Course.LEARNED, Course.ROSE}


def test_a_share_that_was_given_back_is_a_limit_of_the_policy():
    values = drawn(300, CURVES["a fall, and 60% of it back"][0])
    assert shape(values, Policy(given_back=0.55)).course is Course.BACK
    assert shape(values, Policy(given_back_part=0.65)).course is Course.LEARNED


def test_the_trend_that_it_saw_is_told():
    values = drawn(100, falling)
    assert shape(values, POLICY).trend == trend(values) and shape([], POLICY).trend is None
    assert shape(values, POLICY, exact_start=True).trend.start == values[0]


def test_a_few_numbers_far_above_the_first_are_enough_where_they_are_declared_to_fall():
    values = [4.5, 8.0, 12.0, 12.1, 12.3, 11.9, 12.2, 12.0, 12.1, 12.2, 12.0, 12.1]
    assert shape(values, POLICY).course is Course.ROSE
    assert shape(values, POLICY, declared=True).course is Course.ABOVE


def test_few_numbers_that_gave_most_back_are_not_called_learned():
    assert shape([10.8, 6.4, 9.9, 9.9, 9.9], POLICY).course is Course.FLAT
    assert shape([10.8, 9.9, 7.1, 6.9, 6.8], POLICY).course is Course.LEARNED


@pytest.mark.parametrize("n", [4, 30, 300])
def test_a_thousandfold_spike_among_equal_numbers_is_no_accident(n):
    """A dead network on the same batch every time: its loss repeats to the last bit."""
    spiked = [0.6931] * n
    spiked[1] = 3000.0
    found = shape(spiked, POLICY)
    assert (found.course, found.at) == (Course.RETURNED, 1)
    spiked[1] = 0.70  # the last digit of a printed one
    assert shape(spiked, POLICY).course is Course.FLAT


def test_what_was_learned_is_given_back_even_where_single_numbers_scatter_as_much():
    dice = random.Random(2)
    values = [dice.gauss(2.3 if i < 150 or i > 1000 else 2.0, 0.28) for i in range(2000)]
    assert shape(values, POLICY).course is Course.BACK
