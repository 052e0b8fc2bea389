"""A response over all combinations of k settings, from trials at some of them.

Main effects and two-factor interactions in the coding -1, +1, so that terms of a balanced design are
orthogonal. Prior scales are not chosen but averaged over, each weighed by its evidence: few trials then leave
them open, and intervals say so. For divergence interactions have half the scale of main effects or a quarter;
on a value only interactions are shrunk, since only they outnumber the trials.

Seeds are blocks. Divergence has a random intercept per seed; from a value the mean of its seed is taken out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from scipy import special

from stability.evidence import ridge
from stability.evidence.ridge import Fit
from stability.evidence.shapley import corners, pairs

LOGIT_SCALES = {0.25: 0.15, 0.5: 0.3, 1.0: 0.3, 2.0: 0.2, 4.0: 0.05}
"""Standard deviation of a main effect, in logits per half of the step between two values -> its prior weight.

A setting that changes the odds of divergence e-fold to e^4-fold is the most likely one.
"""
SEED_SCALES = {0.0: 0.7, 0.75: 0.15, 1.5: 0.1, 3.0: 0.05}
"""Standard deviation of the intercept between seeds, in logits -> its prior weight.

Two or three seeds cannot tell it, and what they leave open widens every interval: hence the weight on 0.
"""
NOISE_SCALES = {0.05: 0.9, 0.5: 0.03, 1.0: 0.03, 2.0: 0.02, 6.0: 0.02}
"""Standard deviation of an interaction's effect on a value, in units of the noise within seeds -> its weight.

In few trials interactions cannot be told from noise. They count as noise, which widens intervals, until the
evidence for them is strong: with equal weights, intervals from 8 trials held the truth in 90% instead of 95%.
"""
UNSHRUNK = 100.0
"""The same of a main effect: it shrinks nothing, but settings that only changed together share an effect."""
INTERACTION_SCALES = {0.5: 0.5, 0.25: 0.5}
"""Scale of interactions in units of that of main effects -> its prior weight; most are small."""
INTERCEPT_SCALE = 5.0
"""In logits: rates from 0.00005 to 0.99995 within two of them."""
DRAWS = 4000
AT_ONCE = 500
SEED = 0


@dataclass(frozen=True, slots=True)
class Surface:
    """Possible responses of all 2^k cells: coefficients [draws, 1 + k + pairs], the intercept first.

    `shrink` [draws] is None for a value. For a rate it multiplies the logits: the rate over all seeds.
    """

    factors: int
    coefficients: np.ndarray
    shrink: np.ndarray | None

    def project(self, operators: np.ndarray) -> np.ndarray:
        """`operators` [m, 2^k] applied to the cube of each draw: [draws, m]."""
        at = terms(corners(self.factors)).T
        starts = range(0, len(self.coefficients), AT_ONCE)
        return np.vstack([self._cubes(slice(s, s + AT_ONCE), at) @ operators.T for s in starts])

    def _cubes(self, part: slice, at: np.ndarray) -> np.ndarray:
        score = self.coefficients[part] @ at
        return score if self.shrink is None else special.expit(score * self.shrink[part, None])


def terms(cells: np.ndarray) -> np.ndarray:
    """[n, 1 + k + k (k - 1) / 2]: 1, then main effects -1 and +1, then their products, as in `pairs`."""
    signs = 2.0 * cells - 1.0
    products = [signs[:, i] * signs[:, j] for i, j in pairs(cells.shape[1])]
    return np.column_stack([np.ones(len(cells)), signs, *products])


def of_divergence(cells: np.ndarray, seeds: np.ndarray, diverged: np.ndarray) -> Surface:
    """P(diverge) over seeds like these; `cells` [n, k] of 0 and 1, `seeds` [n], `diverged` [n].

    Laplace's approximation is kept on purpose. Where a setting parts those that diverged from those that did
    not, it is wider than the posterior; the posterior's own intervals (by slice sampling from here) held the
    truth in 91 to 95% of simulated trials instead of 95 to 97%, and estimates were no better.
    """
    models = _models(cells, seeds)
    fits = [ridge.logistic(model.design, diverged, model.precision) for model in models]
    counts = _counts(fits, [model.weight for model in models])
    coefficients = _draws(fits, counts, terms(cells).shape[1])
    spread = np.repeat([model.spread for model in models], counts)
    return Surface(cells.shape[1], coefficients, 1 / np.sqrt(1 + math.pi / 8 * spread**2))


def of_values(cells: np.ndarray, seeds: np.ndarray, values: np.ndarray) -> Surface:
    """A value over seeds like these, less the mean over all cells; needs `spare` values and noise.

    Main effects are least squares, so that their intervals are Student's wherever interactions are few.
    """
    effects = _within(terms(cells)[:, 1:], seeds)
    left, freedom = _within(values[:, None], seeds)[:, 0], spare(cells, seeds)
    precisions = [_precision(cells.shape[1], UNSHRUNK, scale / UNSHRUNK) for scale in NOISE_SCALES]
    fits = [ridge.linear(effects, left, precision, freedom) for precision in precisions]
    coefficients = _draws(fits, _counts(fits, list(NOISE_SCALES.values())), effects.shape[1])
    return Surface(cells.shape[1], np.column_stack([np.zeros(len(coefficients)), coefficients]), None)


def spare(cells: np.ndarray, seeds: np.ndarray) -> int:
    """Values left to tell noise by, after a mean a seed and the main effects."""
    levels = pd.get_dummies(pd.Series(seeds)).to_numpy(float)
    return len(cells) - int(np.linalg.matrix_rank(np.hstack([levels, cells])))


@dataclass(frozen=True, slots=True)
class _Model:
    """One choice of prior scales: columns, their prior precisions, its weight, how much seeds differ."""

    design: np.ndarray
    precision: np.ndarray
    weight: float
    spread: float


def _models(cells: np.ndarray, seeds: np.ndarray) -> list[_Model]:
    block = pd.get_dummies(pd.Series(seeds)).to_numpy(float)
    paired = 1 < block.shape[1] < len(seeds)  # else differences between seeds are unidentifiable
    scales = product(LOGIT_SCALES, INTERACTION_SCALES, SEED_SCALES if paired else (0.0,))
    return [_model(terms(cells), block, *own) for own in scales]


def _model(at: np.ndarray, block: np.ndarray, scale: float, ratio: float, spread: float) -> _Model:
    """The intercept, the effects, and where seeds differ an intercept a seed.

    What is predicted is not for these seeds: `Surface.shrink` averages over others. E[sigma(x + e)] with
    e ~ N(0, s^2) is about sigma(x / sqrt(1 + pi s^2 / 8)) (MacKay, Neural Computation 4:720, 1992).
    """
    factors = (math.isqrt(8 * at.shape[1] - 7) - 1) // 2  # columns = 1 + k (k + 1) / 2
    own = np.concatenate([[INTERCEPT_SCALE**-2], _precision(factors, scale, ratio)])
    weight = LOGIT_SCALES[scale] * INTERACTION_SCALES[ratio] * SEED_SCALES[spread]
    if spread == 0:
        return _Model(at, own, weight, spread)
    wide = np.concatenate([own, np.full(block.shape[1], spread**-2)])
    return _Model(np.hstack([at, block]), wide, weight, spread)


def _precision(factors: int, scale: float, ratio: float) -> np.ndarray:
    """Of main effects, then interactions: [k + pairs]."""
    scales = [scale] * factors + [scale * ratio] * len(pairs(factors))
    return np.array(scales) ** -2.0


def _within(columns: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Each column less its mean over the seed."""
    return columns - pd.DataFrame(columns).groupby(seeds).transform("mean").to_numpy()


def _counts(fits: list[Fit], prior: list[float]) -> list[int]:
    """How many draws come from each fit: as many as it is probable, `DRAWS` in all."""
    edges = np.rint(np.cumsum(ridge.weights(fits, prior)) * DRAWS).astype(int)
    return np.diff(edges, prepend=0).tolist()


def _draws(fits: list[Fit], counts: list[int], terms: int) -> np.ndarray:
    """The first coefficients, those of cells: [draws, terms], fit by fit."""
    rng = np.random.default_rng(SEED)
    drawn = [ridge.draws(fit, count, rng) for fit, count in zip(fits, counts, strict=True)]
    return np.vstack([own[:, :terms] for own in drawn])
