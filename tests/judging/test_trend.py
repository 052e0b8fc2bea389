"""Levels, scatter and the test for a steady fall: by hand, against counting, and in any unit."""

import itertools
import math
import random

import pytest

from stability.judging.trend import blocks, falls, median, scatter, trend


def noise(n, sigma=1.0, seed=0):
    dice = random.Random(seed)
    return [dice.gauss(0.0, sigma) for _ in range(n)]


def test_the_median_of_few_numbers():
    assert median([3.0]) == 3.0 and median([1.0, 9.0, 2.0]) == 2.0 and median([1.0, 2.0, 4.0, 9.0]) == 3.0
    assert median([1.5e308, 1.7e308]) == 1.6e308  # no overflow


def test_a_fall_in_ten_numbers_is_seen_number_by_number():
    t = trend([10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    assert (t.n, t.window) == (10, 1)
    assert (t.start, t.end, t.best, t.highest) == (10.0, 1.0, 1.0, 1.0)
    assert (t.tail, t.top, t.peak, t.peak_at) == (2.0, 10.0, 9.5, 0)
    assert t.blocks == (10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0)


def test_levels_are_medians_of_a_tenth():
    values = [5.0] * 10 + [4.0] * 60 + [1.0] * 10 + [3.0] * 20
    values[70 + 5] = -50.0  # one number moves no level
    values[30] = 70.0
    t = trend(values)
    assert (t.window, t.start, t.best, t.highest, t.end) == (10, 5.0, 1.0, 3.0, 3.0)
    assert (t.top, t.peak, t.tail) == (70.0, 5.0, 3.0)
    assert t.blocks == (5.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 1.0, 3.0, 3.0)


def test_the_peak_is_one_number_where_each_is_exact():
    values = [5.0, 4.0, 9.0, 3.0, 2.0]
    assert (trend(values).peak, trend(values, exact_start=True).peak) == (5.0, 9.0)


def test_the_last_window_ends_with_the_last_number():
    for n in range(1, 60):
        values = [0.0] * n
        window = max(1, -(-n // 10))
        values[-window:] = [1.0] * window
        assert trend(values).end == 1.0, n


def test_scatter_is_the_standard_deviation_of_noise_whatever_the_slope():
    values = noise(4000, 2.0)
    assert scatter(values) == pytest.approx(2.0, rel=0.05)
    assert scatter([v - 0.01 * i for i, v in enumerate(values)]) == pytest.approx(2.0, rel=0.05)
    assert scatter([1.0]) == scatter([]) == scatter([2.0] * 9) == 0.0
    assert scatter([0.0, 1.0, 0.0, 1.0]) == pytest.approx(1.4826 / math.sqrt(2.0))


def test_noise_is_that_of_a_quiet_stretch():
    values = noise(500, 5.0) + noise(500, 0.1, seed=1)
    t = trend(values)
    assert t.noise < 0.2 and t.end_noise == pytest.approx(0.1, rel=0.5)
    assert t.error(1.0) == pytest.approx(math.sqrt(math.pi / 2) / 10)  # a median of 100


def test_the_start_is_a_level_where_the_loss_stays_and_the_first_number_where_it_leaves():
    stays = [3.0 + v for v in noise(400, 0.1)]
    t = trend(stays)
    assert t.start == median(stays[:40]) and t.start_error == pytest.approx(0.1 * 1.2533 / math.sqrt(40), rel=0.5)
    falls_at_once = [3.0] + [1.0 + v for v in noise(399, 0.1)]
    t = trend(falls_at_once)
    assert t.start == 3.0 and 0.0 < t.start_error < 0.2
    explodes_at_once = [3.0] + [50.0 + v for v in noise(399, 0.1)]
    assert (trend(explodes_at_once).start, trend(explodes_at_once).start_error) == (3.0, 0.0)


def test_a_first_number_without_noise_is_the_start():
    t = trend([2.0, *noise(99)], exact_start=True)
    assert (t.start, t.start_error) == (2.0, 0.0)


@pytest.mark.parametrize("n", range(1, 8))
def test_falls_counts_orders(n):
    """The share of all orders of n different numbers that fall as steadily as these, or more."""

    def score(order):
        return sum((a > b) - (a < b) for a, b in itertools.combinations(order, 2))

    scores = sorted(score(order) for order in itertools.permutations(range(n)))
    for order in random.Random(n).sample(list(itertools.permutations(range(n))), min(20, math.factorial(n))):
        share = sum(one >= score(order) for one in scores) / len(scores)
        assert falls(order) == pytest.approx(share)


def test_falls_of_many_numbers():
    assert falls(range(30, 0, -1)) < 1e-9 and falls(range(30)) > 1.0 - 1e-9
    assert falls([1.0] * 30) > 0.5 and falls([1.0] * 5) > 0.5 and falls([]) == 1.0
    unlikely = sum(falls(noise(40, seed=seed)) < 0.05 for seed in range(400))
    assert 8 <= unlikely <= 34  # 20 by chance
    assert falls([3.0, 2.0, 1.0]) == pytest.approx(1 / 6)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3, 7, 19, 20, 33, 200])
@pytest.mark.parametrize(("factor", "shift"), [(8.0, 0.0), (2.0**-10, 0.0), (1.0, -64.0), (4.0, 1024.0)])
def test_levels_move_with_the_numbers_and_scatter_does_not(n, factor, shift, exact):
    """Powers of two, and numbers of few digits, so that nothing is rounded."""
    dice = random.Random(n)
    values = [dice.randrange(-512, 512) / 64 + 20 * (1 - i / n) // 1 for i in range(n)]
    moved = [factor * value + shift for value in values]
    t, u = trend(values, exact_start=exact), trend(moved, exact_start=exact)
    for level in ("start", "best", "highest", "end", "tail", "peak", "top"):
        assert getattr(u, level) == factor * getattr(t, level) + shift, level
    for spread in ("start_error", "noise", "best_noise", "end_noise"):
        assert getattr(u, spread) == factor * getattr(t, spread), spread
    assert u.peak_at == t.peak_at
    assert u.blocks == tuple(factor * level + shift for level in t.blocks)


def test_blocks_of_few_numbers_are_the_numbers():
    assert blocks([3.0, 1.0]) == (3.0, 1.0)
    assert blocks([float(i // 3) for i in range(30)]) == tuple(map(float, range(10)))
