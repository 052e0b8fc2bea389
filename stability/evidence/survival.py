"""When did trials diverge? Kaplan-Meier and log-rank; a trial that ended otherwise is censored."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from stability.evidence.selection import diverged


@dataclass(frozen=True, slots=True)
class Curve:
    """The share of trials still training after each number of `steps`, with its pointwise 95% interval.

    Log-log interval (Greenwood); None where it is not defined: before the first event, and at 0.
    """

    steps: list[float]
    share: list[float]
    low: list[float | None]
    high: list[float | None]
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
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is not defined everywhere is said by None
        interval = curve.confidence_interval(0.95, method="log-log")
    low, high = (
        [None, *(float(p) if np.isfinite(p) else None for p in side.probabilities)]
        for side in (interval.low, interval.high)
    )
    steps = [0.0, *map(float, curve.quantiles)]
    return Curve(steps, [1.0, *map(float, curve.probabilities)], low, high, len(own))


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
    own = trials[trials["arm"] == arm]
    steps = pd.to_numeric(own["steps"])
    own = own.assign(time=(pd.to_numeric(own["event_step"]) + 1).where(diverged(own)).fillna(steps))
    return own[diverged(own) | (steps > 0)]


def _censored_data(own: pd.DataFrame) -> stats.CensoredData:
    return stats.CensoredData.right_censored(own["time"].to_numpy(dtype=float), (~diverged(own)).to_numpy())


def _median(data: stats.CensoredData) -> float | None:
    curve = stats.ecdf(data).sf
    below = curve.quantiles[curve.probabilities <= 0.5]
    return float(below[0]) if len(below) else None
