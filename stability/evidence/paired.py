"""How much lower or higher is the treatment, pair by pair? Diverged trials are worst, never averaged."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from scipy import stats

from stability.evidence.proportions import Interval
from stability.evidence.selection import of_stage, pair_by_seed, with_evidence
from stability.records import Outcome, VerdictLabel

BOOTSTRAP_FROM = 10
"""Pairs from which the BCa bootstrap is used; below it a t interval on the log ratios."""
RESAMPLES = 9999
BOOTSTRAP_SEED = 0
RESAMPLED_AT_ONCE = 2**18
"""Numbers held at a time; the interval is the same however many they are."""


class IntervalMethod(StrEnum):
    """Where the interval of a ratio comes from."""

    BCA = "BCa bootstrap"
    STUDENT = "t interval on log ratios"
    ONE_PAIR = "none: fewer than two pairs"
    ALL_EQUAL = "none: every pair has the same ratio"


@dataclass(frozen=True, slots=True)
class PairedRatio:
    """treatment / baseline over pairs, and who wins.

    `ratio` uses the `used` pairs in which both trials finished; wins, losses, ties and the Wilcoxon test
    also rank the pairs in which a trial diverged. `dropped` seeds have no partner or no value.
    """

    ratio: float | None
    ci: Interval | None
    method: IntervalMethod
    used: int
    dropped: int
    baseline_diverged_only: int
    treatment_diverged_only: int
    both_diverged: int
    wins: int
    losses: int
    ties: int
    wilcoxon_p: float | None

    @property
    def ranked(self) -> int:
        return self.wins + self.losses + self.ties

    @property
    def win_probability(self) -> float | None:
        """P(treatment below baseline), a tie counting half."""
        return (self.wins + self.ties / 2) / self.ranked if self.ranked else None


def paired_ratio(trials: pd.DataFrame, values: pd.Series, baseline: str, treatment: str) -> PairedRatio:
    """Compare `values` (trial_id -> a positive loss, lower is better) between two arms, paired by seed.

    A trial that diverged is worse than every one that did not (worst-rank scores: Lachin, Controlled
    Clinical Trials 20:408-422, 1999).
    """
    pairs = pair_by_seed(trials, baseline, treatment)
    sides = {arm: _side(pairs, values, arm) for arm in ("baseline", "treatment")}
    one, two = sides["baseline"], sides["treatment"]
    usable = one["finished"] & two["finished"]
    logs = np.log(two["value"][usable].to_numpy()) - np.log(one["value"][usable].to_numpy())
    ranked = _worst_ranks(logs, one, two)
    seeds = trials[trials["arm"].isin([baseline, treatment])]["seed"].nunique()
    ratio, ci, method = ratio_interval(logs)
    return PairedRatio(
        ratio,
        ci,
        method,
        used=len(logs),
        dropped=seeds - len(ranked),
        baseline_diverged_only=int((one["diverged"] & two["finished"]).sum()),
        treatment_diverged_only=int((two["diverged"] & one["finished"]).sum()),
        both_diverged=int((one["diverged"] & two["diverged"]).sum()),
        wins=int((ranked < 0).sum()),
        losses=int((ranked > 0).sum()),
        ties=int((ranked == 0).sum()),
        wilcoxon_p=_wilcoxon(ranked),
    )


def ratio_interval(logs: np.ndarray) -> tuple[float | None, Interval | None, IntervalMethod]:
    """exp(mean log ratio) with its 95% interval: BCa (Efron, JASA 82:171, 1987) or Student's t.

    Infinite where it is larger than a number can be.
    """
    if len(logs) == 0:
        return None, None, IntervalMethod.ONE_PAIR
    ratio = _exp(logs.mean())
    if len(logs) == 1:
        return ratio, None, IntervalMethod.ONE_PAIR
    if np.ptp(logs) <= 1e-12:  # rounding noise has no sampling distribution
        return ratio, None, IntervalMethod.ALL_EQUAL
    if len(logs) < BOOTSTRAP_FROM:
        low, high = stats.t.interval(0.95, len(logs) - 1, logs.mean(), stats.sem(logs))
        return ratio, (_exp(low), _exp(high)), IntervalMethod.STUDENT
    rng, batch = np.random.default_rng(BOOTSTRAP_SEED), max(1, RESAMPLED_AT_ONCE // len(logs))
    found = stats.bootstrap((logs,), np.mean, n_resamples=RESAMPLES, batch=batch, method="BCa", rng=rng)
    low, high = found.confidence_interval
    return ratio, (_exp(low), _exp(high)), IntervalMethod.BCA


def _exp(log: float) -> float:
    return math.exp(log) if log <= math.log(sys.float_info.max) else math.inf


def yardstick_values(trials: pd.DataFrame) -> pd.Series:
    """trial_id -> the yardstick after the last epoch."""
    return pd.to_numeric(trials.set_index("trial_id")["yardstick_final"])


def epoch_values(epochs: pd.DataFrame, source: str, component: str, epoch: int | None = None) -> pd.Series:
    """trial_id -> one component after `epoch`, or after each trial's own last epoch."""
    own = epochs[(epochs["source"] == source) & (epochs["component"] == component) & (epochs["epoch"] >= 0)]
    if epoch is not None:
        own = own[own["epoch"] == epoch]
    last = own.sort_values("epoch").drop_duplicates("trial_id", keep="last")
    return pd.to_numeric(last.set_index("trial_id")["value"])


def finished(trials: pd.DataFrame, arm: str, stage: str = "compare") -> pd.DataFrame:
    """The arm's trials that ran to the end of their budget without diverging."""
    own = of_stage(trials, stage)
    own = with_evidence(own[own["arm"] == arm])
    return own[(own["outcome"] == Outcome.FINISHED) & (own["verdict"] != VerdictLabel.DIVERGED)]


def _side(pairs: pd.DataFrame, values: pd.Series, arm: str) -> pd.DataFrame:
    """Per pair: the arm's value, whether it diverged (worst rank), whether it finished with a value."""
    value = pd.to_numeric(pairs[f"trial_id_{arm}"].map(values)).astype(float)
    infinite = np.isinf(value)
    lost = (pairs[f"verdict_{arm}"] == VerdictLabel.DIVERGED) | infinite
    whole = pairs[f"outcome_{arm}"] == Outcome.FINISHED
    return pd.DataFrame({"value": value, "diverged": lost, "finished": whole & ~lost & (value > 0)})


def _worst_ranks(logs: np.ndarray, one: pd.DataFrame, two: pd.DataFrame) -> np.ndarray:
    """Signed differences in which a lone divergence outranks every finite difference."""
    worst = float(np.abs(logs).max(initial=0.0)) + 1.0
    lost = np.full(int((two["diverged"] & one["finished"]).sum()), worst)
    won = np.full(int((one["diverged"] & two["finished"]).sum()), -worst)
    tied = np.zeros(int((one["diverged"] & two["diverged"]).sum()))
    return np.concatenate([logs, lost, won, tied])


def _wilcoxon(ranked: np.ndarray) -> float | None:
    """Two-sided Wilcoxon signed-rank p-value; ties with zero keep their rank (Pratt, JASA 54:655, 1959)."""
    if len(ranked) == 0:
        return None
    if not ranked.any():
        return 1.0
    return float(stats.wilcoxon(ranked, zero_method="pratt").pvalue)
