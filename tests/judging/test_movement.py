"""What a number is, from how it moves."""

import math
import random

import pytest

from stability.judging.movement import is_counter, is_loss_scale, scatters_about_zero
from stability.judging.trend import trend


def noise(level, scatter, n, seed=3):
    dice = random.Random(seed)
    return [dice.gauss(level, scatter) for _ in range(n)]


def falling(start, end, scatter, n=300):
    dice = random.Random(5)
    return [end + (start - end) * math.exp(-6.0 * i / n) + dice.gauss(0.0, scatter) for i in range(n)]


@pytest.mark.parametrize(
    ("values", "scatters"),
    [
        (noise(0.0, 0.1, 200), True),  # a policy's
        (noise(0.0, 0.1, 29), False),  # too few to tell
        (noise(5.0, 0.1, 200), False),
        (falling(0.0, -2.0, 0.8), True),  # an energy's: nothing tells true from drawn at first
        (falling(-1.0, 0.0, 0.02), True),  # a critic's gap that closes
        (falling(8.0, 0.0, 0.5), False),  # a log-likelihood that ends at 0
        (falling(8.0, -8.0, 0.5), False),
        (
            [-999.0, *noise(3e4, 2e4, 20), *noise(-998.0, 0.3, 200)],
            False,
        ),  # came down through 0 from an explosion
    ],
)
def test_a_number_that_scatters_about_0(values, scatters):
    assert scatters_about_zero(values, trend(values)) is scatters


def test_the_unit_of_a_number_does_not_matter():
    values = noise(0.0, 0.1, 200)
    for factor in (1e-3, 1e3):
        other = [factor * value for value in values]
        assert scatters_about_zero(other, trend(other))


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ([1.0, 2.0, 3.0, 4.0, 5.0], True),
        ([0.0, 50.0, 100.0, 150.0, 200.0], True),
        ([1.0, 2.0, 3.0, 4.0], False),  # few
        ([5.0, 4.0, 3.0, 2.0, 1.0], False),
        ([1.0, 2.0, 4.0, 8.0, 16.0], False),
        ([1.5, 2.5, 3.5, 4.5, 5.5], False),
        ([7.0, 7.0, 7.0, 7.0, 7.0], False),
        ([1.0, 2.0, math.nan, 4.0, 5.0], False),
        ([1.0, 2.0, math.inf, 4.0, 5.0], False),
    ],
)
def test_a_counter(values, counts):
    assert is_counter(values) is counts


@pytest.mark.parametrize(
    ("values", "scales"),
    [
        ([65536.0] * 4 + [32768.0] * 4, True),
        ([2.0, 4.0, 8.0, 16.0, 32.0], False),  # a loss that doubles with each number
        ([65536.0] * 8, False),
        ([3.0] * 4 + [6.0] * 4, False),
        ([math.nan] * 4 + [32768.0] * 4, False),
    ],
)
def test_a_loss_scale(values, scales):
    assert is_loss_scale(values) is scales
