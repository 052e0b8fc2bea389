"""When did trials diverge? Kaplan-Meier and log-rank; a trial that ended otherwise is censored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from stability.evidence.selection import diverged, independent_of

ALPHA = 0.05
"""1 - the confidence of a curve's intervals, which are central."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The share of trials still training after each number of `steps`, with its pointwise 95% interval.

    An interval holds from its step up to the next. It is that of the beta product confidence procedure by
    moments (Fay, Brittain, Proschan, Biostatistics 14:723, 2013): Clopper-Pearson's while nothing is
    censored, wider with fewer trials at risk, and defined before the first event and at 0 too.
    """

    steps: list[float]
    share: list[float]
    low: list[float]
    high: list[float]
    n: int


@dataclass(frozen=True, slots=True)
class Survival:
    """Steps to divergence of one arm; the median is None where the curve stays above a half."""

    median_steps: float | None
    n_events: int
    n_censored: int


def arm_survival(trials: pd.DataFrame, arm: str) -> Survival:
    """Kaplan-Meier median of the arm; time-outs and infrastructure failures are censored, not events."""
    own = _observed(trials, arm)
    if own.empty:
        return Survival(None, 0, 0)
    events = int(diverged(own).sum())
    return Survival(_median(_censored_data(own)) if events else None, events, len(own) - events)


def survival_curve(trials: pd.DataFrame, arm: str) -> Curve | None:
    """Kaplan-Meier's curve of one arm, from 1 at step 0; None where no trial was observed."""
    own = _observed(trials, arm)
    if own.empty:
        return None
    curve = stats.ecdf(_censored_data(own)).sf
    steps = [0.0, *map(float, curve.quantiles)]
    low, high = _limits(own["time"].to_numpy(dtype=float), diverged(own).to_numpy(dtype=bool), steps)
    return Curve(steps, [1.0, *map(float, curve.probabilities)], low, high, len(own))


def _limits(times: np.ndarray, lost: np.ndarray, steps: list[float]) -> tuple[list[float], list[float]]:
    """Limits of the share from each step on: products of one beta variable for each step with events.

    Up to the next step nobody censored at this one is known to train on; at the last step all of them are.
    """
    product, low, high = _Product(), [], []
    for step in steps:
        events, at_risk = int((lost & (times == step)).sum()), int((times >= step).sum())
        if events:
            product = product.times(at_risk - events + 1, events)
        known = at_risk - events if step == steps[-1] else int((times > step).sum())
        high.append(product.quantile(1 - ALPHA / 2))
        low.append(product.times(known, 1).quantile(ALPHA / 2) if known else 0.0)
    return low, high


@dataclass(frozen=True, slots=True)
class _Product:
    """A product of independent beta variables by its `mean` and its mean `square`."""

    mean: float = 1.0
    square: float = 1.0

    def times(self, a: float, b: float) -> _Product:
        mean = a / (a + b)
        return _Product(self.mean * mean, self.square * mean * (a + 1) / (a + b + 1))

    def quantile(self, share: float) -> float:
        """Of the beta distribution with these moments; exact for the steps of a sample without censoring."""
        variance = self.square - self.mean**2
        if variance <= 0:  # no factor yet
            return self.mean
        scale = (self.mean - self.square) / variance
        return float(special.betaincinv(self.mean * scale, (1 - self.mean) * scale, share))


def logrank(trials: pd.DataFrame, baseline: str, treatment: str) -> float | None:
    """Two-sided log-rank p-value (Mantel 1966, asymptotic); None without an event or without an arm."""
    sides = [_observed(trials, arm) for arm in (baseline, treatment)]
    if any(side.empty for side in sides) or not any(diverged(side).any() for side in sides):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):  # every trial at one single step: variance 0
        p_value = float(stats.logrank(*map(_censored_data, sides)).pvalue)
    return p_value if np.isfinite(p_value) else None


def _observed(trials: pd.DataFrame, arm: str) -> pd.DataFrame:
    """The arm's trials with their `time` in steps: up to the first bad one, or all that were done."""
    own = independent_of(trials[trials["arm"] == arm])
    steps = pd.to_numeric(own["steps"])
    own = own.assign(time=(pd.to_numeric(own["event_step"]) + 1).where(diverged(own)).fillna(steps))
    return own[diverged(own) | (steps > 0)]


def _censored_data(own: pd.DataFrame) -> stats.CensoredData:
    return stats.CensoredData.right_censored(own["time"].to_numpy(dtype=float), (~diverged(own)).to_numpy())


def _median(data: stats.CensoredData) -> float | None:
    curve = stats.ecdf(data).sf
    below = curve.quantiles[curve.probabilities <= 0.5]
    return float(below[0]) if len(below) else None
