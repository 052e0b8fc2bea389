"""Which combinations of baseline's and treatment's values to try, so that every setting's part can be told.

A cell is a row of 0 (baseline's value) and 1 (treatment's). The design is the largest of the fractions below
that fits twice into the trials, so that each cell has two seeds: 2^k <= trials / 2 gives the full factorial.

Every fraction is *even*: in the coding -1, +1 a generated factor is the product of an odd number of basic
factors, so all defining words have an even number of letters. That gives three things at once: no main effect
is aliased with another or with a two-factor interaction (words of 4 letters and more: resolution IV); both
corners belong to it; and a fold-over on a factor, which parts interactions, is the next larger fraction (Box,
Hunter & Hunter, Statistics for Experimenters, 2nd ed., chapter 6).

Arithmetic only: no arms, no settings' names, no random numbers.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

MOST_FACTORS = 12
"""The predicted cube has 2^k corners."""

GENERATORS: dict[int, tuple[str, ...]] = {
    3: ("ABC",),
    4: ("ABC", "BCD", "ACD", "ABD"),
    5: ("ABCDE", "ABC", "ABD", "ACE", "ADE", "ABE", "ACD"),
    6: ("ABCDE", "ABCDF", "ABCEF", "ABDEF", "ACDEF", "BCDEF"),
    7: ("ABCDEFG", "ABCDE", "ABCFG", "ADF", "ABDEG"),
    8: ("ABCDEFG", "ABCDH", "ABEFH", "ACEGH"),
    9: ("ABCDEFGHI", "ABCDE", "ABCFG"),
    10: ("ABCDEFGHI", "ABCDEFJ"),
    11: ("ABCDEFGHIJK",),
}
"""p basic factors, 2^p cells -> what the factors after them are products of; k factors use the first k - p.

Each next one is the odd product that adds the fewest words of four letters to those before: the fewest pairs
of interactions that cannot be told apart. With p = 3 and 4 all choices are alike.
"""


def design(factors: int, trials: int) -> np.ndarray:
    """The cells to run at every seed: integers 0 and 1, [cells, factors], in the order to run them.

    The first two are the corners and cells come in mirrored pairs, so that a seed that was cut short is still
    balanced; of a full factorial the first 2^m are themselves of resolution IV as soon as some 2^m cells are.

    Raises ValueError where so few trials hold no such fraction, or for more than 12 factors.
    """
    if not 1 <= factors <= MOST_FACTORS:
        raise ValueError(f"{factors} settings differ; a factorial design takes 1 to {MOST_FACTORS}")
    sizes = [p for p in range(1, factors + 1) if _holds(p, factors)]
    if trials < 2 ** sizes[0]:
        raise ValueError(f"{factors} settings need at least {2 ** sizes[0]} trials; {trials} were given")
    basic = max((p for p in sizes if 2 ** (p + 1) <= trials), default=sizes[0])
    return _nested(fraction(factors, basic))


def fraction(factors: int, basic: int) -> np.ndarray:
    """The even fraction of 2^`basic` cells, in standard order: integers 0 and 1, [2^basic, factors]."""
    cells = np.arange(2**basic)[:, None] >> np.arange(basic) & 1
    words = GENERATORS.get(basic, ())[: factors - basic]
    made = [cells[:, [ord(letter) - ord("A") for letter in word]].sum(axis=1) % 2 for word in words]
    return np.column_stack([cells, *made])  # a sum modulo 2 of 0 and 1 is an odd product of -1 and +1


def run_order(cells: np.ndarray, trials: int) -> list[tuple[int, int]]:
    """(cell, seed index) for each trial: seed by seed the whole design, the last seed as far as trials go.

    Trials with one seed index start from the same seed, so that cells are paired within it.
    """
    return [(trial % len(cells), trial // len(cells)) for trial in range(trials)]


def _holds(basic: int, factors: int) -> bool:
    """Whether 2^basic cells hold the factors at resolution IV: there are 2^(basic - 1) odd products."""
    return basic == factors or (basic < factors <= 2 ** (basic - 1))


def _nested(cells: np.ndarray) -> np.ndarray:
    """The same cells, ordered so that the first 2^m are a fraction which holds the factors apart if it can.

    Sums modulo 2 of cells are cells, so each next cell doubles the fraction: it is the one that parts most
    pairs of factors not parted yet. The second cell is the corner 1...1, so cells come in mirrored pairs.
    """
    corner = np.ones(cells.shape[1], dtype=int)
    order, patterns = np.array([0 * corner, corner]), 0 * corner
    while len(order) < len(cells):
        known = {tuple(cell) for cell in order.tolist()}
        further = [cell for cell in cells if tuple(cell.tolist()) not in known]
        best = min(further, key=lambda cell: _alike(2 * patterns + cell))
        patterns = 2 * patterns + best
        order = np.vstack([order, (order + best) % 2])
    return order


def _alike(patterns: np.ndarray) -> int:
    """Pairs of factors with the same pattern, counted twice, and each factor with itself."""
    return sum(count * count for count in Counter(patterns.tolist()).values())
