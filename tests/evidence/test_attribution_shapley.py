"""Shares of a cube: they add up, ignore the idle, treat alike what is alike, and equal the mean over all orders."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from stability.evidence.shapley import corners, interactions, pairs, shares

ANY_SIZE = pytest.mark.parametrize("k", [1, 2, 3, 5, 7, 12])


def index(on: set[int]) -> int:
    return sum(2**i for i in on)


def over_all_orders(cube: np.ndarray, k: int) -> np.ndarray:
    """The independent twin: switch the factors on one after the other, in every order."""
    gains = np.zeros(k)
    orders = list(permutations(range(k)))
    for order in orders:
        for place, factor in enumerate(order):
            before = set(order[:place])
            gains[factor] += cube[index(before | {factor})] - cube[index(before)]
    return gains / len(orders)


@ANY_SIZE
def test_corners_are_all_combinations_once(k):
    cells = corners(k)
    assert len(np.unique(cells, axis=0)) == 2**k
    assert [index(set(np.flatnonzero(cell))) for cell in cells] == list(range(2**k))


@pytest.mark.parametrize("k", [1, 2, 3, 4, 6])
def test_equal_to_the_mean_over_all_orders(k):
    cube = np.random.default_rng(k).normal(size=2**k)
    assert shares(k) @ cube == pytest.approx(over_all_orders(cube, k))


@ANY_SIZE
def test_shares_add_up_to_the_difference_of_the_corners(k):
    cubes = np.random.default_rng(k).random((2**k, 3))
    assert (shares(k) @ cubes).sum(axis=0) == pytest.approx(cubes[-1] - cubes[0])


@ANY_SIZE
def test_an_idle_factor_has_no_share(k):
    cells = corners(k)
    cube = np.random.default_rng(k).random(2**k)[cells[:, 1:] @ 2 ** np.arange(1, k)]  # blind to the first
    assert (shares(k) @ cube)[0] == pytest.approx(0.0, abs=1e-12)
    first = [i for i, pair in enumerate(pairs(k)) if 0 in pair]
    assert (interactions(k) @ cube)[first] == pytest.approx(np.zeros(len(first)), abs=1e-12)


def test_factors_that_can_be_exchanged_have_equal_shares():
    cube = np.random.default_rng(0).random(8)[corners(7).sum(axis=1)]
    assert shares(7) @ cube == pytest.approx(np.full(7, (cube[-1] - cube[0]) / 7))


def test_renaming_the_factors_renames_the_shares():
    k, order = 4, [2, 0, 3, 1]
    cube = np.random.default_rng(1).random(2**k)
    renamed = cube[corners(k)[:, np.argsort(order)] @ 2 ** np.arange(k)]
    assert shares(k) @ renamed == pytest.approx((shares(k) @ cube)[order])


@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_interaction_of_a_product_is_its_coefficient(k):
    cells = corners(k)
    coefficients = np.random.default_rng(k).normal(size=len(pairs(k)))
    products = np.array([cells[:, i] * cells[:, j] for i, j in pairs(k)])
    cube = 0.3 + cells @ np.arange(k) + coefficients @ products
    assert interactions(k) @ cube == pytest.approx(coefficients)


def test_a_product_is_shared_in_halves():
    cells = corners(3)
    assert shares(3) @ (cells[:, 0] * cells[:, 2]) == pytest.approx([0.5, 0.0, 0.5])


def test_one_factor_interacts_with_nothing():
    assert pairs(1) == [] and interactions(1).shape == (0, 2)
