"""Which setting made the difference: planted effects are found, nothing is found where nothing is."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import special

from stability.evidence.attributed import Limit, Response
from stability.evidence.attribution import attribute_divergence, attribute_yardstick, holm

NAMES = ["lr", "warmup", "clip"]


def table(names=NAMES, seeds=8) -> pd.DataFrame:
    """Every cell at every seed, stable and finished with a yardstick of 1."""
    cells = pd.DataFrame(list(product((0, 1), repeat=len(names))), columns=names)
    return cells.merge(pd.DataFrame({"seed": range(seeds)}), how="cross").assign(
        verdict="STABLE", outcome="FINISHED", yardstick_final=1.0
    )


def with_divergence(trials: pd.DataFrame, where) -> pd.DataFrame:
    verdicts = np.where(where, "DIVERGED", trials["verdict"])
    return trials.assign(verdict=verdicts, outcome=np.where(where, "STOPPED", trials["outcome"]))


def with_yardstick(trials: pd.DataFrame, log_value, noise=0.05, seed=0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    of_seed = rng.normal(0, 1, trials["seed"].max() + 1)[trials["seed"]]
    return trials.assign(yardstick_final=np.exp(log_value + of_seed + rng.normal(0, noise, len(trials))))


def additive(found) -> bool:
    return math.isclose(sum(own.effect for own in found.effects.values()), found.total_effect, abs_tol=1e-9)


def test_the_setting_that_makes_trials_diverge_is_named():
    trials = table()
    found = attribute_divergence(with_divergence(trials, trials["lr"] == 1), NAMES)
    assert found.response is Response.DIVERGED and found.n == 64 and found.seeds == 8 and found.cells == 8
    assert found.total_effect > 0.8 and additive(found)
    lr = found.effects["lr"]
    assert lr.effect > 0.8 and lr.ci[0] > 0.3 and lr.p_adjusted < 0.01
    for other in ("warmup", "clip"):
        assert abs(found.effects[other].effect) < 0.03 and found.effects[other].p_adjusted > 0.5
    assert found.levels[1] - found.levels[0] == pytest.approx(found.total_effect)
    assert found.limits == ()


def test_a_planted_interaction_is_shared_by_its_two_settings():
    """Only lr and warmup together diverge: one-factor-at-a-time would see neither."""
    trials = table(seeds=12)
    found = attribute_divergence(
        with_divergence(trials, (trials["lr"] == 1) & (trials["warmup"] == 1)), NAMES
    )
    assert found.effects["lr"].effect == pytest.approx(found.effects["warmup"].effect, abs=0.03)
    assert found.effects["lr"].effect == pytest.approx(0.5, abs=0.08)
    together = {part.factors: part for part in found.interactions}
    assert together["lr", "warmup"].effect > 0.6 and together["lr", "warmup"].p_adjusted < 0.03
    assert together["lr", "clip"].p_adjusted > 0.2


def test_effects_of_the_yardstick_are_differences_of_its_log():
    trials = table()
    log_value = 0.5 * trials["lr"] - 0.2 * trials["clip"] + 0.3 * trials["lr"] * trials["warmup"]
    found = attribute_yardstick(with_yardstick(trials, log_value), NAMES)
    assert found.response is Response.YARDSTICK and found.levels is None and additive(found)
    for name, truth in {"lr": 0.65, "warmup": 0.15, "clip": -0.2}.items():
        effect = found.effects[name]
        assert effect.effect == pytest.approx(truth, abs=0.03) and effect.ci[0] < truth < effect.ci[1]
        assert effect.p_adjusted < 0.01
    together = {part.factors: part for part in found.interactions}
    assert together["lr", "warmup"].effect == pytest.approx(0.3, abs=0.05)
    assert together["lr", "warmup"].p_adjusted < 0.01 < together["lr", "clip"].p_adjusted


def test_a_seed_s_own_level_is_no_effect():
    """Seeds differ by orders of magnitude; within a seed the effect is small and clear."""
    trials = table().assign(
        yardstick_final=lambda t: 10.0 ** t["seed"] * np.exp(0.01 * t["lr"] + 1e-4 * (t.index % 3))
    )
    effect = attribute_yardstick(trials, NAMES).effects["lr"]
    assert effect.effect == pytest.approx(0.01, abs=1e-3) and effect.p_adjusted < 0.01


def test_the_yardstick_of_a_diverged_trial_is_left_out_and_counted():
    trials = with_yardstick(table(), 0.4 * table()["warmup"])
    lost = with_divergence(trials, (trials["lr"] == 1) & (trials["seed"] < 3))
    lost.loc[lost["verdict"] == "DIVERGED", "yardstick_final"] = np.resize([np.nan, np.inf, 1e9], 12)
    found = attribute_yardstick(lost, NAMES)
    assert (found.n, found.excluded, found.dropped) == (52, 12, 0)
    assert Limit.SURVIVORS_ONLY in found.limits
    assert found.effects["warmup"].effect == pytest.approx(0.4, abs=0.05)
    assert abs(found.effects["lr"].effect) < 0.05


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 0.0, -1.0])
def test_a_yardstick_without_a_logarithm_is_left_out(bad):
    trials = with_yardstick(table(), 0.4 * table()["lr"])
    trials.loc[5, "yardstick_final"] = bad
    found = attribute_yardstick(trials, NAMES)
    assert found.excluded == 1 and found.effects["lr"].effect == pytest.approx(0.4, abs=0.05)


def test_trials_that_the_infrastructure_failed_are_dropped_and_counted():
    trials = with_divergence(table(), table()["lr"] == 1)
    trials.loc[[0, 9, 40], "verdict"] = "INCONCLUSIVE"
    found = attribute_divergence(trials, NAMES)
    assert (found.n, found.dropped, found.excluded, found.cells) == (61, 3, 0, 8)
    assert found.effects["lr"].effect > 0.8 and additive(found)


def test_a_cell_that_lost_all_its_trials_is_said():
    trials = with_divergence(table(seeds=4), table(seeds=4)["lr"] == 1)
    trials.loc[trials[NAMES].sum(axis=1) == 3, "verdict"] = "INCONCLUSIVE"
    found = attribute_divergence(trials, NAMES)
    assert found.cells == 7 and Limit.CELLS_LOST in found.limits and additive(found)


@pytest.mark.parametrize(("all_", "limit"), [(False, Limit.NONE_DIVERGED), (True, Limit.ALL_DIVERGED)])
@pytest.mark.parametrize("names", [["lr"], NAMES])
def test_where_all_end_alike_there_is_no_effect_but_an_interval(all_, limit, names):
    found = attribute_divergence(with_divergence(table(names), all_), names)
    assert found.total_effect == 0.0 and limit in found.limits and found.levels is None
    for own in found.effects.values():
        assert own.effect == 0.0 and own.ci[0] < 0 < own.ci[1] and own.p_adjusted > 0.5
    assert all(part.effect == 0.0 for part in found.interactions)
    assert -0.6 < found.total_ci[0] < -0.02 and 0.02 < found.total_ci[1] < 0.6


def test_more_trials_without_a_divergence_leave_less_room_for_an_effect():
    widths = [np.diff(attribute_divergence(table(seeds=seeds), NAMES).total_ci)[0] for seeds in (1, 4, 16)]
    assert widths[0] > widths[1] > widths[2]


def test_yardsticks_that_are_equal_within_each_seed():
    found = attribute_yardstick(table().assign(yardstick_final=lambda t: 1.0 + t["seed"]), NAMES)
    assert found.total_effect == 0.0 and found.total_ci is None and Limit.ALL_EQUAL in found.limits
    assert all(
        own.effect == 0.0 and own.ci is None and own.p_adjusted == 1.0 for own in found.effects.values()
    )


def test_two_values_with_many_ties():
    trials = table().assign(yardstick_final=lambda t: np.where(t["clip"] == 1, 2.0, 1.0))
    found = attribute_yardstick(trials, NAMES)
    assert found.effects["clip"].effect == pytest.approx(math.log(2), rel=1e-3)
    assert found.effects["lr"].effect == pytest.approx(0.0, abs=1e-3)


def test_one_seed():
    trials = with_divergence(table(seeds=1), table(seeds=1)["lr"] == 1)
    found = attribute_divergence(trials, NAMES)
    assert Limit.ONE_SEED in found.limits and found.seeds == 1 and found.effects["lr"].effect > 0.4
    values = attribute_yardstick(with_yardstick(table(seeds=1), 1.0 * table(seeds=1)["lr"]), NAMES)
    assert Limit.ONE_SEED in values.limits and values.effects["lr"].effect == pytest.approx(1.0, abs=0.2)


def test_a_single_setting_has_all_of_the_effect():
    trials = with_divergence(
        table(["lr"], 20), (table(["lr"], 20)["lr"] == 1) & (table(["lr"], 20)["seed"] < 10)
    )
    found = attribute_divergence(trials, ["lr"])
    assert found.interactions == () and found.effects["lr"].effect == pytest.approx(found.total_effect)
    assert found.total_effect == pytest.approx(0.5, abs=0.1) and found.total_ci[0] > 0.1


@pytest.mark.parametrize("attribute", [attribute_divergence, attribute_yardstick])
def test_nothing_gave_evidence(attribute):
    found = attribute(table().assign(verdict="INCONCLUSIVE"), NAMES)
    assert found.total_effect is None and found.total_ci is None and found.effects == {}
    assert (found.n, found.dropped) == (0, 64) and Limit.NO_TRIALS in found.limits


def test_seeds_with_one_value_each_compare_nothing():
    trials = with_yardstick(table(seeds=1), 0.0).assign(seed=range(8))
    found = attribute_yardstick(trials, NAMES)
    assert found.total_effect is None and Limit.NO_NOISE_KNOWN in found.limits


def test_interactions_that_a_fraction_cannot_tell_apart_name_each_other():
    """2^(4-1) with D = ABC: AB = CD, AC = BD, AD = BC."""
    names = list("abcd")
    trials = table(names, 4)
    half = with_divergence(trials, trials["a"] == 1)[trials[names].sum(axis=1) % 2 == 0]
    found = attribute_divergence(half, names)
    assert Limit.INTERACTIONS_ALIASED in found.limits and Limit.MAIN_EFFECTS_ALIASED not in found.limits
    aliases = {part.factors: part.aliases for part in found.interactions}
    assert aliases["a", "b"] == (("c", "d"),) and aliases["b", "c"] == (("a", "d"),)
    assert all(own.aliases == () for own in found.effects.values()) and additive(found)


def test_settings_that_always_changed_together_are_said():
    trials = table()
    found = attribute_divergence(
        with_divergence(trials, trials["lr"] == 1)[trials["lr"] == trials["clip"]], NAMES
    )
    assert Limit.MAIN_EFFECTS_ALIASED in found.limits
    assert ("clip",) in found.effects["lr"].aliases
    assert found.effects["lr"].effect == pytest.approx(found.effects["clip"].effect, abs=0.05)


def test_values_of_settings_that_always_changed_together_are_shared():
    trials = with_yardstick(table(), 0.6 * table()["lr"])
    found = attribute_yardstick(trials[trials["lr"] == trials["clip"]], NAMES)
    assert found.effects["lr"].effect == pytest.approx(0.3, abs=0.05)
    assert found.effects["clip"].effect == pytest.approx(0.3, abs=0.05)
    assert found.effects["lr"].p_adjusted > 0.5 and found.total_ci[0] > 0.5


def test_the_same_trials_give_the_same_numbers_in_any_order_of_settings():
    trials = table()
    rng = np.random.default_rng(2)
    diverged = rng.random(len(trials)) < special.expit(-1 + 2 * trials["lr"] + trials["clip"])
    trials = with_divergence(trials, diverged)
    one, again = attribute_divergence(trials, NAMES), attribute_divergence(trials, NAMES)
    other = attribute_divergence(trials, NAMES[::-1])
    assert one == again
    for name in NAMES:
        assert one.effects[name].effect == pytest.approx(other.effects[name].effect, abs=0.01)


def test_swapping_baseline_and_treatment_turns_the_signs():
    trials = table()
    diverged = (trials["lr"] == 1) & (trials["seed"] < 6) | (trials["clip"] == 1) & (trials["seed"] == 7)
    one = attribute_divergence(with_divergence(trials, diverged), NAMES)
    two = attribute_divergence(
        with_divergence(trials, diverged).assign(**{n: 1 - trials[n] for n in NAMES}), NAMES
    )
    assert two.total_effect == pytest.approx(-one.total_effect, abs=0.02)
    for name in NAMES:
        assert two.effects[name].effect == pytest.approx(-one.effects[name].effect, abs=0.02)


def test_holm_against_a_worked_example():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.6])) == pytest.approx([1.0, 1.0])
