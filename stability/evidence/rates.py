"""How often does each arm diverge, and do two arms differ in it? Rates come from fixed designs only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd
from scipy import stats

from stability.evidence import power
from stability.evidence.proportions import (
    NEWCOMBE_PAIRED,
    NEWCOMBE_UNPAIRED,
    Interval,
    PairTable,
    paired_difference,
    unpaired_difference,
    upper_bound,
)
from stability.evidence.selection import (
    diverged,
    failed,
    independent_of,
    pair_by_seed,
    undecided,
    with_evidence,
)
from stability.evidence.wilson import wilson
from stability.records import VerdictLabel

REFERENCE_RATES = ((0.05, 0.20), (0.05, 0.50))
"""The differences (baseline, treatment) whose sample size is stated when nothing was shown."""


class Conclusion(StrEnum):
    """What a comparison of two divergence rates supports, at the 5% level."""

    TREATMENT_DIVERGES_MORE = "TREATMENT_DIVERGES_MORE"
    BASELINE_DIVERGES_MORE = "BASELINE_DIVERGES_MORE"
    NO_DIFFERENCE_SHOWN = "NO_DIFFERENCE_SHOWN"
    INSUFFICIENT = "INSUFFICIENT"


class RateTest(StrEnum):
    """The exact tests of two divergence rates."""

    MCNEMAR = "exact McNemar"
    BARNARD = "Barnard"


@dataclass(frozen=True, slots=True)
class Rate:
    """k of n trials diverged. With n = 0 there is no rate: the numbers are None."""

    diverged: int
    n: int
    rate: float | None
    ci: Interval | None
    upper: float | None
    unstable: int = 0
    stuck: int = 0
    infrastructure_failures: int = 0
    undecided: int = 0

    @property
    def unknown(self) -> int:
        """Trials of which nobody knows whether they would have diverged."""
        return self.infrastructure_failures + self.undecided

    @property
    def worst_ci(self) -> Interval | None:
        """Wilson's interval, whose lower end counts unknown trials as calm and its upper one as diverged."""
        every = self.n + self.unknown
        if not every:
            return None
        return wilson(self.diverged, every)[0], wilson(self.diverged + self.unknown, every)[1]

    @property
    def worst_upper(self) -> float | None:
        """The bound to claim, with unknown trials counted as diverged."""
        every = self.n + self.unknown
        return upper_bound(self.diverged + self.unknown, every) if every else None


@dataclass(frozen=True, slots=True)
class Need:
    """Seeds an arm that would tell two rates apart with 80% power; None: more than could be searched."""

    baseline_rate: float
    treatment_rate: float
    seeds: int | None
    observed: bool


@dataclass(frozen=True, slots=True)
class RateComparison:
    """Treatment rate - baseline rate, and what it supports."""

    difference: float | None
    ci: Interval | None
    method: str | None
    p_value: float | None
    test: RateTest | None
    pairs: PairTable | None
    conclusion: Conclusion
    needed: tuple[Need, ...]


def rate(k: int, n: int, **counts: int) -> Rate:
    """The rate k/n: Wilson's interval to show, Clopper-Pearson's one-sided 95% bound to claim."""
    if n == 0:
        return Rate(0, 0, None, None, None, **counts)
    return Rate(k, n, k / n, wilson(k, n), upper_bound(k, n), **counts)


def arm_rate(trials: pd.DataFrame, arm: str) -> Rate:
    """The divergence rate of one arm; n counts only the trials whose training gave evidence."""
    own = independent_of(trials[trials["arm"] == arm])
    known = with_evidence(own)
    return rate(
        int(diverged(known).sum()),
        len(known),
        unstable=int((known["verdict"] == VerdictLabel.UNSTABLE).sum()),
        stuck=int((known["verdict"] == VerdictLabel.STUCK).sum()),
        infrastructure_failures=len(failed(own)),
        undecided=len(undecided(own)),
    )


def compare_rates(trials: pd.DataFrame, baseline: str, treatment: str) -> RateComparison:
    """Compare two arms: over pairs where most trials have a partner, else as independent samples.

    With fewer than 6 pairs exact McNemar cannot reject whatever happens, so those are compared as
    independent samples too, which is cautious where seeds make both arms diverge together. The choice rests
    on numbers of trials alone, never on their results.
    """
    one, two = arm_rate(trials, baseline), arm_rate(trials, treatment)
    if one.n == 0 or two.n == 0:
        needed = needs(one, two, paired=True)
        return RateComparison(None, None, None, None, None, None, Conclusion.INSUFFICIENT, needed)
    table = pair_table(pair_by_seed(trials, baseline, treatment))
    if 2 * table.n >= max(one.n, two.n) and power.can_ever_reject(table.n):
        return _compare_pairs(table, one, two)
    return _compare_independent(one, two)


def pair_table(pairs: pd.DataFrame) -> PairTable:
    """Count pairs (from `pair_by_seed`) by which arm diverged."""
    two, one = (pairs[f"verdict_{arm}"] == VerdictLabel.DIVERGED for arm in ("treatment", "baseline"))
    return PairTable(*(int(found.sum()) for found in (two & one, two & ~one, one & ~two, ~one & ~two)))


def mcnemar(table: PairTable) -> float:
    """Two-sided exact McNemar p-value: a sign test on the discordant pairs; 1 where there are none."""
    discordant = table.treatment_only + table.baseline_only
    return float(stats.binomtest(table.treatment_only, discordant).pvalue) if discordant else 1.0


def barnard(k1: int, n1: int, k2: int, n2: int) -> float:
    """Two-sided Barnard p-value of two independent rates (Barnard, Biometrika 34:123, 1947)."""
    if k1 + k2 in (0, n1 + n2):
        return 1.0  # scipy divides by a pooled variance of 0 here
    return float(stats.barnard_exact([[k1, k2], [n1 - k1, n2 - k2]]).pvalue)


def _compare_pairs(table: PairTable, one: Rate, two: Rate) -> RateComparison:
    difference = (table.treatment - table.baseline) / table.n
    p_value = mcnemar(table)
    conclusion = _conclude(difference, p_value, power.can_ever_reject(table.n))
    needed = needs(one, two, paired=True) if _undecided(conclusion) else ()
    ci = paired_difference(table)
    return RateComparison(
        difference, ci, NEWCOMBE_PAIRED, p_value, RateTest.MCNEMAR, table, conclusion, needed
    )


def _compare_independent(one: Rate, two: Rate) -> RateComparison:
    difference = two.diverged / two.n - one.diverged / one.n
    p_value = barnard(two.diverged, two.n, one.diverged, one.n)
    decidable = barnard(two.n, two.n, 0, one.n) < power.ALPHA
    conclusion = _conclude(difference, p_value, decidable)
    needed = needs(one, two, paired=False) if _undecided(conclusion) else ()
    ci = unpaired_difference(two.diverged, two.n, one.diverged, one.n)
    return RateComparison(
        difference, ci, NEWCOMBE_UNPAIRED, p_value, RateTest.BARNARD, None, conclusion, needed
    )


def _conclude(difference: float, p_value: float, decidable: bool) -> Conclusion:
    """INSUFFICIENT where not even the most extreme outcome at this n would have been significant."""
    if not decidable:
        return Conclusion.INSUFFICIENT
    if p_value >= power.ALPHA:
        return Conclusion.NO_DIFFERENCE_SHOWN
    return Conclusion.TREATMENT_DIVERGES_MORE if difference > 0 else Conclusion.BASELINE_DIVERGES_MORE


def _undecided(conclusion: Conclusion) -> bool:
    return conclusion in (Conclusion.NO_DIFFERENCE_SHOWN, Conclusion.INSUFFICIENT)


def needs(one: Rate, two: Rate, *, paired: bool) -> tuple[Need, ...]:
    """Sample sizes for the rates observed, where they differ, and for the reference differences; no looks."""
    needs = [(a, b, False) for a, b in REFERENCE_RATES]
    if one.n and two.n and one.rate != two.rate:
        needs.insert(0, (one.rate, two.rate, True))
    return tuple(Need(a, b, power.needed_seeds(a, b, paired=paired), seen) for a, b, seen in needs)
