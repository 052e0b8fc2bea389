"""What the boundary may depend on: a context's features and how far each may move it, a priori.

Linear in its weights, so that everything after the fit is Gaussian algebra.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from stability.evidence.boundary.space import Space

WIDTHS = ((0.5, 0.2, 0.2), (0.5, 0.2, 0.05), (0.15, 0.06, 0.05))
"""Prior standard deviations of the weights, in units of u (decades): main effects; products; waves.

The trials choose between knobs that move the boundary by a decade over their ranges and leave it rough, those
that leave it smooth, and knobs that hardly move it at all.
"""
WAVES = 16
WAVE_LENGTHS = (0.8, 0.4)
"""Length scales of the waves in turn, where a range is 2 long: what no quadratic follows, but no noise."""
WAVE_SEED = 20240501
INTERCEPT_SHARE = 0.5
"""Prior standard deviation of the boundary in the middle of the context, as a share of the bounded range."""


@dataclass(frozen=True, slots=True)
class Features:
    """Which products of columns to form, the waves [columns, waves] with phases [waves], prior sds [K, p]."""

    pairs: tuple[tuple[int, int], ...]
    waves: np.ndarray
    phases: np.ndarray
    prior_sds: np.ndarray

    def expand(self, contexts: np.ndarray) -> np.ndarray:
        """phi [n, p] of contexts [n, columns]: 1, columns, products and squares, random Fourier features.

        Source of the last: Rahimi & Recht, Random features for large-scale kernel machines, NIPS 2007.
        """
        products = [contexts[:, i] * contexts[:, j] for i, j in self.pairs]
        waves = np.cos(contexts @ self.waves + self.phases)
        return np.column_stack([np.ones(len(contexts)), contexts, *products, waves])


def features(space: Space) -> Features:
    """The features of a space. The waves are drawn with a fixed seed: the same trials, the same answer."""
    rng = np.random.default_rng(WAVE_SEED)
    pairs = tuple(_products(space))
    width = len(space.owners)
    count = WAVES if width else 0
    intercept = INTERCEPT_SHARE * space.range_u
    sds = [
        [intercept] + [main] * width + [product] * len(pairs) + [wave] * count
        for main, product, wave in (WIDTHS if width else WIDTHS[:1])
    ]
    waves = rng.standard_normal((width, count)) / np.resize(WAVE_LENGTHS, count)
    return Features(pairs, waves, rng.uniform(0, 2 * np.pi, count), np.array(sds))


def _products(space: Space) -> list[tuple[int, int]]:
    """Pairs of columns of different knobs, and squares. Columns of one choice exclude one another."""
    owners, binary = space.owners, space.binary
    return [
        (i, j)
        for i, j in itertools.combinations_with_replacement(range(len(owners)), 2)
        if (i == j and not binary[i]) or owners[i] != owners[j]
    ]
