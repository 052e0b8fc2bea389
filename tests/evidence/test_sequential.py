"""Looks before the end: the level is kept exactly, large effects end a stage, and nothing else does."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from stability.evidence import sequential
from stability.evidence.proportions import PairTable, paired_difference
from stability.evidence.rates import Conclusion, RateTest, compare_rates
from stability.evidence.sequential import Design, follow, leads
from stability.spending import Spending, schedule, spent

OBF = Spending.OBRIEN_FLEMING


def design(seeds=20, looks=4, spending=OBF, arms=("a", "b"), first=0):
    return Design("a", "b", arms, first, tuple(schedule(seeds, looks)), spending)


def trials(first=0, **arms: str) -> pd.DataFrame:
    """One letter a seed: diverged, stable or lost, as in `trials(a="sss", b="dds")`."""
    verdicts = {"d": "DIVERGED", "s": "STABLE", "l": "INCONCLUSIVE"}
    rows = [
        ("compare", arm, first + i, verdicts[letter])
        for arm, all_ in arms.items()
        for i, letter in enumerate(all_)
    ]
    return pd.DataFrame(rows, columns=["stage", "arm", "seed", "verdict"])


@cache
def limits(discordant: tuple[int, ...], spending=OBF) -> tuple[int | None, ...]:
    fractions = np.arange(1, len(discordant) + 1) / len(discordant)
    return tuple(leads(discordant, [spent(spending, t) for t in fractions]))


@pytest.mark.parametrize("spending", Spending)
@pytest.mark.parametrize("discordant", [(3, 6, 9, 12), (0, 7, 7, 13), (2, 2, 8), (9, 14), (5,), (0, 0)])
def test_every_sequence_of_coins_counted_one_by_one(spending, discordant):
    """The independent twin: all 2^m outcomes, each followed to its end; no smaller lead would be allowed."""
    found = limits(discordant, spending)
    looks = [spent(spending, k / len(discordant)) for k in range(1, len(discordant) + 1)]
    signs = np.array(list(itertools.product((-1, 1), repeat=discordant[-1]))).reshape(
        2 ** discordant[-1], discordant[-1]
    )
    alive, used = np.ones(len(signs), dtype=bool), 0.0
    for m, lead, limit in zip(discordant, found, looks, strict=True):
        now = np.abs(signs[:, :m].sum(axis=1))
        smaller = m + 2 if lead is None else lead
        if smaller >= 2:
            assert used + (alive & (now >= smaller - 2)).mean() > limit
        if lead is not None:
            used += (alive & (now >= lead)).mean()
            alive &= now < lead
        assert used <= limit


def test_many_pairs_give_the_bounds_of_a_normal_path():
    """Against quadrature over Brownian motion with the same spending, the way Lan & DeMets find bounds."""
    found = np.array(limits((4000, 8000, 12000, 16000))) / np.sqrt([4000, 8000, 12000, 16000])
    assert found == pytest.approx(_normal_bounds([spent(OBF, t) for t in (0.25, 0.5, 0.75, 1)]), abs=0.03)


def _normal_bounds(allowed):
    grid = np.linspace(-6, 6, 2401)
    width, density, used, found = grid[1] - grid[0], None, 0.0, []
    step = stats.norm.pdf(grid[:, None] - grid[None, :], scale=0.5) * width
    for k, limit in enumerate(allowed, start=1):
        density = stats.norm.pdf(grid, scale=0.5) if density is None else step @ density
        tails = np.array([density[np.abs(grid) >= c].sum() * width for c in grid[grid >= 0]])
        bound = grid[grid >= 0][np.argmax(used + tails <= limit)]
        used += density[np.abs(grid) >= bound].sum() * width
        density = np.where(np.abs(grid) >= bound, 0.0, density)
        found.append(bound / np.sqrt(k / len(allowed)))
    return found


@pytest.mark.parametrize("discordance", [0.08, 0.3, 0.5])
@pytest.mark.parametrize("spending", Spending)
def test_arms_that_do_not_differ_rarely_end_a_stage(spending, discordance):
    wrong, naive = _false_alarms(64, 4, discordance, spending, repetitions=3000)
    assert wrong <= 0.05  # 3 standard errors of the simulation are 0.012; whole counts keep it well below
    if discordance == 0.5:
        assert naive > 0.07  # the same looks without the rule: what the rule is for


def _false_alarms(seeds, looks, discordance, spending, repetitions):
    """The share of studies that a rule, and p < 0.05 at every look, end though nothing differs."""
    rng, ends = np.random.default_rng(1), np.array(schedule(seeds, looks)) - 1
    draws = rng.choice(
        [-1, 0, 1], (repetitions, seeds), p=[discordance / 2, 1 - discordance, discordance / 2]
    )
    discordant, lead = np.abs(draws).cumsum(axis=1)[:, ends], np.abs(draws.cumsum(axis=1)[:, ends])
    bounds = [
        [np.inf if c is None else c for c in limits(tuple(row), spending)] for row in discordant.tolist()
    ]
    p_value = np.minimum(2 * stats.binom.cdf((discordant - lead) // 2, discordant, 0.5), 1.0)
    return (lead >= np.array(bounds)).any(axis=1).mean(), (p_value < 0.05).any(axis=1).mean()


def test_a_large_difference_ends_the_stage_early():
    rng, plan, saved = np.random.default_rng(2), design(seeds=24), []
    for _ in range(60):
        letters = {
            arm: "".join(np.where(rng.random(24) < rate, "d", "s"))
            for arm, rate in (("a", 0.05), ("b", 0.95))
        }
        course = follow(trials(**letters), plan)
        assert course.decided
        saved.append(1 - course.trials / plan.trials)
    assert np.mean(saved) > 0.4


def test_a_small_difference_is_found_about_as_often_as_without_looks():
    """The looks cost little: at 20% against 55% over 40 pairs both find most of them."""
    rng, plan = np.random.default_rng(3), design(seeds=40)
    by_looks = at_the_end = 0
    for _ in range(90):
        letters = {
            arm: "".join(np.where(rng.random(40) < rate, "d", "s")) for arm, rate in (("a", 0.2), ("b", 0.55))
        }
        by_looks += follow(trials(**letters), plan).decided
        at_the_end += compare_rates(trials(**letters), "a", "b").p_value < 0.05
    assert at_the_end > 60 and by_looks >= 0.9 * at_the_end


def test_a_stage_that_ends_early_says_after_which_look_and_why():
    course = follow(trials(a="s" * 10, b="d" * 10), design())
    assert course.ended_early and course.trials == 20
    first, second = course.looks
    assert (first.level, first.ended) == (None, False)  # 5 pairs cannot reach 0.00009
    assert second.p_value == pytest.approx(2 * 0.5**10) and second.pairs == PairTable(0, 10, 0, 0)
    assert sequential.sentence(course) == (
        "compare ended early after look 2 of 4 (20 of 40 planned trials): exact McNemar p = 0.002, at most 0.002"
        " ends it there (O'Brien-Fleming spending, Lan-DeMets); 20 trials are not needed"
    )


def test_later_trials_change_nothing_once_a_look_has_ended_the_stage():
    early, later = trials(a="s" * 10, b="d" * 10), trials(a="s" * 10 + "d" * 10, b="d" * 10 + "s" * 10)
    assert follow(early, design()) == follow(later.sample(frac=1, random_state=0), design())


def test_a_look_waits_for_every_trial_of_every_arm():
    plan = design(arms=("a", "b", "c"))
    assert len(follow(trials(a="s" * 10, b="d" * 10, c="s" * 9), plan).looks) == 1
    course = follow(trials(a="s" * 10, b="d" * 10, c="s" * 10), plan)
    assert course.ended_early and (course.trials, plan.trials) == (30, 60)
    assert follow(trials(), plan).looks == ()


def test_a_difference_of_a_further_arm_ends_nothing():
    course = follow(trials(a="s" * 20, b="s" * 20, c="d" * 20), design(arms=("a", "b", "c")))
    assert len(course.looks) == 4 and not course.decided


def test_pairs_with_a_lost_trial_are_left_out_of_the_test_but_do_not_hold_up_a_look():
    course = follow(trials(a="s" * 10, b="ll" + "d" * 8), design())
    assert not course.decided and course.looks[1].pairs == PairTable(0, 8, 0, 0)  # 2 * 0.5^8 > 0.0056
    whole = follow(trials(a="s" * 15, b="ll" + "d" * 13), design())
    assert whole.ended_early and whole.looks[2].pairs.n == 13
    assert follow(trials(a="s" * 20, b="l" * 20), design()).looks[-1].level is None


def test_seeds_are_counted_from_the_first_one_of_the_study():
    plan = design(first=100)
    assert follow(trials(first=100, a="s" * 10, b="d" * 10), plan).ended_early
    assert follow(trials(a="s" * 10, b="d" * 10), plan).looks == ()


def test_either_arm_may_be_the_one_that_diverges_more():
    found, _ = sequential.compare(trials(a="d" * 10, b="s" * 10), design())
    assert found.conclusion is Conclusion.BASELINE_DIVERGES_MORE


def test_the_interval_is_wide_enough_for_all_looks_together():
    data = trials(a="s" * 10, b="d" * 10)
    found, course = sequential.compare(data, design())
    confidence = course.looks[-1].confidence
    assert confidence == pytest.approx(1 - (spent(OBF, 0.5) - spent(OBF, 0.25)))
    assert found.ci == paired_difference(PairTable(0, 10, 0, 0), confidence)
    assert found.ci[0] < compare_rates(data, "a", "b").ci[0] < found.ci[1]
    assert (found.difference, found.test, found.needed) == (1.0, RateTest.MCNEMAR, ())
    whole = follow(trials(a="s" * 20, b="s" * 20), design())
    assert sum(1 - look.confidence for look in whole.looks) == pytest.approx(0.05)


def test_nothing_is_concluded_between_looks():
    """14 of 20 seeds, where a test of what is there would say p = 0.0005: the look at 10 said no, so it stays no."""
    data = trials(a="s" * 14, b="ss" + "d" * 12)
    assert compare_rates(data, "a", "b").conclusion is Conclusion.TREATMENT_DIVERGES_MORE
    found, course = sequential.compare(data, design())
    assert len(course.looks) == 2 and found.pairs.n == 10
    assert found.conclusion is Conclusion.NO_DIFFERENCE_SHOWN and found.needed


def test_before_the_first_look_there_is_nothing_to_say():
    found, course = sequential.compare(trials(a="s" * 4, b="d" * 4), design())
    assert course.looks == () and found.conclusion is Conclusion.INSUFFICIENT
    assert (found.difference, found.ci, found.p_value, found.test, found.pairs) == (None,) * 5


def test_the_last_look_has_what_is_left_which_is_less_than_without_looks():
    """6 discordant pairs, all one way: p = 0.031 decides without looks and at the last of four."""
    rest = "s" * 14
    found, course = sequential.compare(trials(a=rest + "s" * 6, b=rest + "d" * 6), design())
    assert len(course.looks) == 4 and course.decided and not course.ended_early
    assert found.conclusion is Conclusion.TREATMENT_DIVERGES_MORE
    spread, _ = sequential.compare(trials(a="s" * 20, b=("s" * 10 + "d" * 5 + "s" * 5)), design())
    assert spread.conclusion is Conclusion.NO_DIFFERENCE_SHOWN  # 5 pairs: 0.0625
