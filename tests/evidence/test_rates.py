"""Rates and their comparison: what counts, which test, which conclusion."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy import stats

from stability.evidence.proportions import PairTable
from stability.evidence.rates import Conclusion, RateTest, arm_rate, barnard, compare_rates, mcnemar


def trials(**arms: dict[int, str]) -> pd.DataFrame:
    """One row a seed: `trials(a={0: "STABLE"})`."""
    rows = [(arm, seed, verdict) for arm, seeds in arms.items() for seed, verdict in seeds.items()]
    return pd.DataFrame(rows, columns=["arm", "seed", "verdict"])


def seeds(n: int, diverged: int = 0, start: int = 0) -> dict[int, str]:
    return {start + i: "DIVERGED" if i < diverged else "STABLE" for i in range(n)}


def test_infrastructure_failures_are_neither_diverged_nor_not():
    known = {0: "STABLE", 1: "UNSTABLE", 2: "STUCK", 3: "DIVERGED", 4: "INCONCLUSIVE", 5: "INCONCLUSIVE"}
    rate = arm_rate(trials(a=known), "a")
    assert (rate.n, rate.diverged, rate.rate) == (4, 1, 0.25)
    assert (rate.unstable, rate.stuck, rate.infrastructure_failures) == (1, 1, 2)


def test_an_arm_without_evidence_has_no_rate():
    rate = arm_rate(trials(a={0: "INCONCLUSIVE"}), "a")
    assert (rate.n, rate.rate, rate.ci, rate.upper, rate.infrastructure_failures) == (0, None, None, None, 1)


def test_mcnemar_is_a_sign_test_on_discordant_pairs():
    assert mcnemar(PairTable(4, 7, 1, 8)) == pytest.approx(2 * (1 + 8) / 2**8)
    assert mcnemar(PairTable(5, 0, 0, 5)) == 1.0


def test_barnard_agrees_with_scipy_and_survives_no_divergence():
    assert barnard(7, 12, 8, 9) == pytest.approx(stats.barnard_exact([[7, 8], [5, 1]]).pvalue)
    assert barnard(0, 5, 0, 9) == barnard(5, 5, 9, 9) == 1.0


def test_paired_seeds_use_mcnemar():
    found = compare_rates(trials(a=seeds(20), b=seeds(20, diverged=9)), "a", "b")
    assert (found.test, found.pairs) == (RateTest.MCNEMAR, PairTable(0, 9, 0, 11))
    assert found.p_value == pytest.approx(2 / 2**9)
    assert found.conclusion is Conclusion.TREATMENT_DIVERGES_MORE
    assert found.difference == pytest.approx(0.45)
    assert found.ci[0] > 0
    assert found.needed == ()


def test_the_other_way_round_the_baseline_diverges_more():
    found = compare_rates(trials(a=seeds(20, diverged=9), b=seeds(20)), "a", "b")
    assert found.conclusion is Conclusion.BASELINE_DIVERGES_MORE
    assert found.ci[1] < 0


def test_disjoint_seeds_use_barnard():
    found = compare_rates(trials(a=seeds(15), b=seeds(15, diverged=9, start=100)), "a", "b")
    assert (found.test, found.pairs) == (RateTest.BARNARD, None)
    assert found.conclusion is Conclusion.TREATMENT_DIVERGES_MORE


def test_no_divergence_in_either_arm_shows_no_difference_and_says_what_would():
    found = compare_rates(trials(a=seeds(20), b=seeds(20)), "a", "b")
    assert found.conclusion is Conclusion.NO_DIFFERENCE_SHOWN
    assert found.p_value == 1.0
    assert [need.seeds for need in found.needed] == [83, 19]


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_seeds_are_insufficient_even_when_every_trial_differs(n):
    found = compare_rates(trials(a=seeds(n), b=seeds(n, diverged=n)), "a", "b")
    assert found.conclusion is Conclusion.INSUFFICIENT
    assert found.needed[0].observed
    assert found.needed[0].seeds == 4


def test_five_seeds_against_none_are_decided_without_pairs():
    """Exact McNemar cannot reject below 6 pairs, so Barnard's test is taken there, by n alone."""
    found = compare_rates(trials(a=seeds(5), b=seeds(5, diverged=5)), "a", "b")
    assert (found.test, found.pairs) == (RateTest.BARNARD, None)
    assert found.conclusion is Conclusion.TREATMENT_DIVERGES_MORE


def test_an_arm_lost_to_infrastructure_is_insufficient():
    found = compare_rates(trials(a=seeds(9), b=dict.fromkeys(range(9), "INCONCLUSIVE")), "a", "b")
    assert found.conclusion is Conclusion.INSUFFICIENT
    assert found.difference is None


def test_a_seed_twice_in_an_arm_is_refused():
    twice = pd.concat([trials(a=seeds(3), b=seeds(3)), trials(a=seeds(1))])
    with pytest.raises(pd.errors.MergeError, match="not unique in left"):
        compare_rates(twice, "a", "b")


def test_under_no_difference_the_test_rarely_rejects():
    """The false alarm rate of the conclusion stays under its level: all outcomes of 12 pairs, p = 0.3."""
    alarms = 0.0
    for b in range(13):
        for c in range(13 - b):
            if mcnemar(PairTable(0, b, c, 12 - b - c)) < 0.05:
                alarms += float(stats.multinomial.pmf([b, c, 12 - b - c], 12, [0.21, 0.21, 0.58]))
    assert alarms < 0.05
