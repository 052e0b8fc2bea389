"""Designs: what is aliased with what, balance, corners, and never a trial too many."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from stability.plan.factorial import GENERATORS, design, fraction, run_order

SIZES = [(k, trials) for k in range(1, 13) for trials in (4, 9, 16, 37, 64, 128, 256, 600)]


def possible():
    for k, trials in SIZES:
        try:
            yield k, trials, design(k, trials)
        except ValueError:
            continue


DESIGNS = list(possible())


def alias(one: np.ndarray, two: np.ndarray) -> bool:
    """Whether two columns of -1 and +1 cannot be told apart."""
    return abs(int(one @ two)) == len(one)


@pytest.mark.parametrize(("k", "trials", "cells"), DESIGNS)
def test_main_effects_are_orthogonal_to_each_other_and_to_interactions(k, trials, cells):
    signs = 2 * cells - 1
    assert (signs.sum(axis=0) == 0).all()
    assert (signs.T @ signs == len(cells) * np.eye(k)).all()
    for i, j, other in combinations(range(k), 3):
        assert (signs[:, i] * signs[:, j]) @ signs[:, other] == 0


@pytest.mark.parametrize(("k", "trials", "cells"), DESIGNS)
def test_both_corners_once_no_cell_twice_and_room_for_all(k, trials, cells):
    assert (cells[0] == 0).all() and (cells[1] == 1).all()
    assert len(np.unique(cells, axis=0)) == len(cells) <= trials
    assert set(np.unique(cells)) == {0, 1}


@pytest.mark.parametrize(("k", "trials", "cells"), DESIGNS)
def test_a_full_factorial_wherever_it_fits_twice(k, trials, cells):
    assert (len(cells) == 2**k) == (2 ** (k + 1) <= trials or 2**k == _smallest(k))
    assert len(cells) == _smallest(k) or 2 * len(cells) <= trials


@pytest.mark.parametrize(("k", "trials", "cells"), DESIGNS)
def test_a_seed_that_was_cut_short_is_still_balanced(k, trials, cells):
    for size in (2**m for m in range(1, 13) if 2**m <= len(cells)):
        part = 2 * cells[:size] - 1
        assert (part.sum(axis=0) == 0).all()
        if size >= _smallest(k) and len(cells) == 2**k:
            assert not any(alias(part[:, i], part[:, j]) for i, j in combinations(range(k), 2))


def _smallest(k: int) -> int:
    return next(2**p for p in range(1, k + 1) if p == k or k <= 2 ** (p - 1))


def test_seven_settings_in_sixteen_cells():
    cells = 2 * fraction(7, 4) - 1
    a, b, c, d, e, f, g = cells.T
    assert (e == a * b * c).all() and (f == b * c * d).all() and (g == a * c * d).all()


def test_fold_over_parts_interactions():
    """Pairs of interactions that cannot be told apart, of 7 settings, as trials allow larger fractions."""
    found = []
    for trials in (16, 64, 128, 256):
        signs = 2 * design(7, trials) - 1
        products = [signs[:, i] * signs[:, j] for i, j in combinations(range(7), 2)]
        found.append((len(signs), sum(alias(one, two) for one, two in combinations(products, 2))))
    assert found == [(16, 21), (32, 6), (64, 0), (128, 0)]


@pytest.mark.parametrize("basic", GENERATORS)
def test_every_generator_is_an_odd_product_of_basic_factors(basic):
    letters = "ABCDEFGHIJKL"[:basic]
    words = GENERATORS[basic]
    assert len(words) == len(set(words)) and basic + len(words) == min(12, 2 ** (basic - 1))
    assert all(len(word) % 2 == 1 and len(word) >= 3 and set(word) <= set(letters) for word in words)


@pytest.mark.parametrize(("k", "trials"), [(1, 9), (2, 11), (3, 40), (7, 64), (7, 100), (12, 200)])
def test_run_order_uses_every_trial_seed_by_seed(k, trials):
    cells = design(k, trials)
    order = run_order(cells, trials)
    assert len(order) == len(set(order)) == trials
    assert [seed for _, seed in order] == sorted(seed for _, seed in order)
    blocks = [[cell for cell, own in order if own == seed] for seed in range(trials // len(cells))]
    assert blocks == [list(range(len(cells)))] * len(blocks)


@pytest.mark.parametrize(
    ("k", "needed"), [(1, 2), (2, 4), (3, 8), (4, 8), (5, 16), (7, 16), (8, 16), (12, 32)]
)
def test_too_few_trials(k, needed):
    assert len(design(k, needed)) == needed
    with pytest.raises(
        ValueError, match=rf"{k} settings need at least {needed} trials; {needed - 1} were given"
    ):
        design(k, needed - 1)


@pytest.mark.parametrize("k", [0, 13])
def test_no_settings_or_too_many(k):
    with pytest.raises(ValueError, match=f"{k} settings differ; a factorial design takes 1 to 12"):
        design(k, 10_000)
