"""The answer: where each context's boundary lies, and how likely a setting diverges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr
from scipy.stats import qmc

from stability.evidence.boundary import guard as guards
from stability.evidence.boundary.features import Features, features
from stability.evidence.boundary.guard import Guard
from stability.evidence.boundary.model import Posterior, fit, probit_probability
from stability.evidence.boundary.quantiles import DISCREPANCY, mixture_quantile, place_quantile, tempered
from stability.evidence.boundary.space import Space
from stability.params import Scalar

FEWEST = 4
"""Fewer trials support no statement about a boundary."""
CONFIDENCE = 0.95
REFERENCES = 64
NEAR = 0.2
"""Of u: a trial so close to a value tells of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A value of the bounded parameter with its 95% interval; None for what lies outside the range."""

    value: float | None
    low: float | None
    high: float | None


NOWHERE = Place(None, None, None)


@dataclass(frozen=True, slots=True)
class Reading:
    """The boundary in one context: where P(diverge), lapses included, passes 50% and 5%.

    `p05_lower` is on the calm side of the 5% point with 95% credibility: below it where larger values
    diverge, above it where smaller ones do. None: not in the range, too few trials, or not monotone.
    """

    p50: Place
    p05: Place
    p05_lower: float | None
    n: int
    monotone: bool


@dataclass(frozen=True, slots=True)
class Boundary:
    """What `n` trials, of which `diverged` diverged, show of the boundary in `space`."""

    space: Space
    features: Features
    posterior: Posterior
    wavy: Posterior
    guard: Guard
    u: np.ndarray
    diverged: int

    @property
    def n(self) -> int:
        return len(self.u)

    @property
    def monotone(self) -> bool:
        return self.guard.monotone

    @property
    def speaks(self) -> bool:
        """Whether the trials support any statement about where the boundary is."""
        return self.n >= FEWEST and self.monotone

    def at(self, setting: Mapping[str, Any]) -> Reading:
        """The boundary in the context of `setting`, whose value of the bounded parameter is not read."""
        if not self.speaks:
            return Reading(NOWHERE, NOWHERE, None, self.n, self.monotone)
        phi = self.features.expand(self.space.contexts([setting]))
        return Reading(self._place(phi, 0.5), self._place(phi, 0.05), self.bound(setting), self.n, True)

    def risk(self, settings: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """P(diverge) [n] of the next trial at each setting; by the wavy model where that is not monotone."""
        u, contexts = self.space.coordinates(settings)
        phi = self.features.expand(contexts)
        if self.monotone:
            return self.posterior.weights @ probit_probability(self.posterior, phi, u)[0]
        phi = np.column_stack([phi, guards.waves(u, contexts)])
        return self.wavy.weights @ probit_probability(self.wavy, phi, u)[0]

    def bound(self, setting: Mapping[str, Any], risk: float = 0.05) -> float | None:
        """Up to where P(diverge) is below `risk` with 95% credibility, in the context of `setting`.

        Down to where, if smaller values diverge. None: nowhere in the range, too few trials, or not monotone.
        Raises `ValueError` for a risk that the lapses alone exceed.
        """
        if not self.speaks:
            return None
        return self._value(float(self.bounds([setting], risk)[0]), "bound")

    def bounds(self, settings: Sequence[Mapping[str, Any]], risk: float = 0.05) -> np.ndarray:
        """`bound` in u [n], wherever it lies."""
        phi = self.features.expand(self.space.contexts(settings))
        return place_quantile(1 - CONFIDENCE, self.posterior, phi, risk)

    def near(self, value: float) -> int:
        """How many trials lie within `NEAR` of `value`."""
        return int((np.abs(self.u - self.space.u_of(value)) <= NEAR).sum())

    def spread(self, contrast: np.ndarray) -> tuple[float, float, float, float]:
        """Of contrast [p] times the weights: median, 95% interval, and how likely its sign is another.

        In decades where the parameter is on a log scale, else in its own units.
        """
        means, variances = self.posterior.boundary(contrast[None])
        weights, sds = tempered(self.posterior), np.sqrt(variances + DISCREPANCY**2)
        tail = (1 - CONFIDENCE) / 2
        middle, low, high = (
            float(mixture_quantile(q, weights, means, sds)[0]) for q in (0.5, tail, 1 - tail)
        )
        below = float(weights @ ndtr(-means / sds)[:, 0])
        return *(self._unit() * value for value in (middle, low, high)), min(below, 1 - below)

    def _unit(self) -> float:
        bounded = self.space.bounded
        return 1.0 if bounded.log else (bounded.high - bounded.low) / self.space.range_u

    def _quantile(self, phi: np.ndarray, level: float, share: float) -> float:
        return float(place_quantile(share, self.posterior, phi, level)[0])

    def _place(self, phi: np.ndarray, level: float) -> Place:
        tail = (1 - CONFIDENCE) / 2
        low, middle, high = (self._quantile(phi, level, q) for q in (tail, 0.5, 1 - tail))
        ends = [self._value(low, "bound"), self._value(high, "ceiling")]
        return Place(self._value(middle, "inside"), *(ends if self.space.rising else ends[::-1]))

    def _value(self, u: float, kind: str) -> float | None:
        """The value at `u`. Past the range nothing was seen: a bound there ends at the range, or is none."""
        half = self.space.range_u / 2
        if kind == "bound" and u > half or kind == "ceiling" and u < -half:
            u = half if kind == "bound" else -half
        return self.space.value_at(u) if abs(u) <= half else None


def locate(space: Space, settings: Sequence[Mapping[str, Any]], diverged: Sequence[bool]) -> Boundary:
    """The boundary from all trials that gave evidence: their settings and whether they diverged.

    Never fails for want of trials or of divergences: it then says what it does not know. Raises `ValueError`
    for a setting without a place in the space, or lists of different lengths.
    """
    if len(settings) != len(diverged):
        raise ValueError(f"{len(settings)} settings but {len(diverged)} outcomes")
    u, contexts = space.coordinates(settings)
    outcomes = np.array(diverged, dtype=float)
    known = features(space)
    phi = known.expand(contexts)
    posterior = fit(phi, u, outcomes, known.prior_sds)
    wavy = _wavy(known, phi, (u, contexts), outcomes)
    lower = place_quantile(1 - CONFIDENCE, posterior, phi, 0.05)
    checked = guards.guard(u, lower, outcomes, (posterior, wavy))
    return Boundary(space, known, posterior, wavy, checked, u, int(outcomes.sum()))


def _wavy(known: Features, phi: np.ndarray, coordinates, outcomes: np.ndarray) -> Posterior:
    """The same model with waves along u too: a random-feature Gaussian process classifier."""
    u, contexts = coordinates
    sds = np.full((len(known.prior_sds), guards.WAVES), guards.WAVE_SD)
    both = np.column_stack([phi, guards.waves(u, contexts)])
    return fit(both, u, outcomes, np.column_stack([known.prior_sds, sds]))


def reference_settings(space: Space, count: int = REFERENCES) -> list[dict[str, Scalar]]:
    """`count` settings, a power of two, that fill the ranges of the other parameters evenly."""
    if not space.others:
        return [{}]
    quantiles = qmc.Sobol(len(space.others), rng=0).random(count)
    return [{p.name: p.at(float(q)) for p, q in zip(space.others, row, strict=True)} for row in quantiles]
