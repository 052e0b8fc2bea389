"""How much of the difference between two corners of a cube of values belongs to each factor.

A cube holds a value for each of the 2^k combinations of k factors; what is computed is linear
in it, so functions return operators, to be multiplied with any number of cubes. No statistics, no names.
"""

from __future__ import annotations

from math import comb

import numpy as np


def corners(factors: int) -> np.ndarray:
    """All combinations in a cube's order: integers 0 and 1, [2^k, k], the first factor changing fastest."""
    return np.arange(2**factors)[:, None] >> np.arange(factors) & 1


def shares(factors: int) -> np.ndarray:
    """Operator [k, 2^k] on a cube: each factor's Shapley value; they add up to the last corner - the first.

    The mean over all k! orders of switching the factors on of what switching this one does (Shapley, A Value
    for n-Person Games, 1953). The weight of a combination S without the factor is |S|! (k - |S| - 1)! / k!,
    which is 1 / (k * binomial(k - 1, |S|)).
    """
    cells = corners(factors)
    on = cells == 1
    others = cells.sum(axis=1)[:, None] - cells  # how many of the other factors are on
    weight = np.array([1 / (factors * comb(factors - 1, size)) for size in range(factors)])[others]
    return np.where(on, weight, -weight).T


def pairs(factors: int) -> list[tuple[int, int]]:
    """All pairs of factors, in the order that everything about interactions has."""
    return [(i, j) for j in range(factors) for i in range(j)]


def interactions(factors: int) -> np.ndarray:
    """Operator [pairs, 2^k]: by how much two factors together do more than each alone.

    The Shapley interaction index (Grabisch & Roubens, Int. J. Game Theory 28:547, 1999): the second
    difference over both, weighed over combinations S of the others by |S|! (k - |S| - 2)! / (k - 1)!.
    """
    cells, both = corners(factors), pairs(factors)
    sizes = np.array([1 / ((factors - 1) * comb(factors - 2, size)) for size in range(factors - 1)])
    rows = [_second_difference(cells, pair, sizes) for pair in both]
    return np.array(rows).reshape(len(both), len(cells))


def _second_difference(cells: np.ndarray, pair: tuple[int, int], sizes: np.ndarray) -> np.ndarray:
    one, two = cells[:, pair[0]], cells[:, pair[1]]
    sign = np.where(one == two, 1.0, -1.0)
    return sign * sizes[cells.sum(axis=1) - one - two]
