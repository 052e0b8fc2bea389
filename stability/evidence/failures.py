"""Do two arms differ in how often trials fail? And what holds whatever those would have shown?

A crash, a hang or a lack of memory says nothing of the training, but it may follow a setting. So failures
are compared between arms like divergences, and a difference of rates is also looked at with them counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stability.evidence import power
from stability.evidence.independent import IDENTITY
from stability.evidence.proportions import Interval
from stability.evidence.rates import Conclusion, RateComparison, RateTest, compare_rates
from stability.evidence.selection import failed, independent_of, undecided
from stability.records import VerdictLabel

Arms = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FailureComparison:
    """How many of each arm's trials failed, (baseline, treatment), and whether that differs."""

    failed: tuple[int, int]
    n: tuple[int, int]
    p_value: float
    test: RateTest

    @property
    def differ(self) -> bool:
        return self.p_value < power.ALPHA


@dataclass(frozen=True, slots=True)
class WorstCase:
    """The difference of two rates with `counted` trials without evidence taken either way.

    `ci` holds all of their intervals. Where a difference was shown, `holds` says whether it still is with
    those trials counted against it, and `p_value` is that test's.
    """

    counted: int
    ci: Interval | None
    holds: bool | None
    p_value: float | None


def compare_failures(trials: pd.DataFrame, arms: Arms) -> FailureComparison | None:
    """The exact test of `compare_rates`, of failing; None where no trial failed, or an arm has none."""
    own = independent_of(trials[trials["arm"].isin(arms)])
    lost = own.index.isin(failed(own).index)
    if not lost.any():
        return None
    labels = np.where(lost, VerdictLabel.DIVERGED, VerdictLabel.STABLE)
    found = compare_rates(_relabelled(own, labels), *arms)
    if found.p_value is None:
        return None
    n = tuple(int((own["arm"] == arm).sum()) for arm in arms)
    return FailureComparison(
        tuple(int((lost & (own["arm"] == arm)).sum()) for arm in arms), n, found.p_value, found.test
    )


def worst_case(
    trials: pd.DataFrame,
    arms: Arms,
    shown: RateComparison,
    compare: Callable[[pd.DataFrame], RateComparison],
) -> WorstCase | None:
    """`compare` with the trials without evidence taken for diverged in one arm, for calm in the other.

    `shown` is what it finds without them.
    """
    own = independent_of(trials[trials["arm"].isin(arms)])
    unknown = pd.concat([failed(own), undecided(own)])
    if unknown.empty:
        return None
    sides = {arm: compare(_counted(own, unknown, diverged=arm)) for arm in arms}
    ends = [found.ci for found in (shown, *sides.values()) if found.ci is not None]
    ci = (min(low for low, _ in ends), max(high for _, high in ends)) if ends else None
    against = {Conclusion.TREATMENT_DIVERGES_MORE: arms[0], Conclusion.BASELINE_DIVERGES_MORE: arms[1]}
    if shown.conclusion not in against:
        return WorstCase(len(unknown), ci, None, None)
    hardest = sides[against[shown.conclusion]]
    return WorstCase(len(unknown), ci, hardest.conclusion is shown.conclusion, hardest.p_value)


def _counted(own: pd.DataFrame, unknown: pd.DataFrame, *, diverged: str) -> pd.DataFrame:
    """The trials with a verdict for each: the unknown ones of the arm `diverged` are, the others are calm."""
    filled = own["verdict"].to_numpy(dtype=object).copy()
    filled[own.index.isin(unknown.index)] = VerdictLabel.STABLE
    filled[own.index.isin(unknown.index) & (own["arm"] == diverged).to_numpy()] = VerdictLabel.DIVERGED
    return _relabelled(own, filled)


def _relabelled(own: pd.DataFrame, verdicts: np.ndarray) -> pd.DataFrame:
    """What repeats another trial is out already."""
    return own.drop(columns=list(IDENTITY), errors="ignore").assign(verdict=verdicts)
