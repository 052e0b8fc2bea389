"""What knobs cost, which part two arms' boundaries, and over which ranges an arm keeps its distance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special

from stability.evidence.attributed import Response
from stability.evidence.boundary import Space, locate
from stability.evidence.boundary.model import GAMMA, SPAN
from stability.evidence.boundary.prices import attribute_boundary, prices
from stability.evidence.boundary.ranges import ranges
from stability.evidence.boundary.studied import studied
from stability.params import Param

LR = Param("lr", "float", 1e-6, 1.0, log=True)
OTHERS = (
    Param("weight", "float", 0.1, 10.0, log=True),
    Param("amp", "choice", choices=(False, True)),
    Param("norm", "choice", choices=("pre", "post")),
)
SPACE = Space(LR, OTHERS)
COST = {"weight": 0.8, "amp": 0.45, "norm": 0.0}
TOGETHER = 0.3
"""Decades that `amp` and `post` take beyond what each does alone."""


def place(own):
    """log10 of the learning rate where half diverge."""
    weight = (np.log10(own["weight"]) + 1) / 2
    both = TOGETHER * (own["amp"] and own["norm"] == "post")
    return -1.0 - COST["weight"] * weight - COST["amp"] * own["amp"] - both


def sampled(seed, n=150):
    """Trials within a decade of the boundary, where a search would put them."""
    rng = np.random.default_rng(seed)
    settings = [{p.name: p.at(rng.random()) for p in OTHERS} for _ in range(n)]
    distance = rng.uniform(-1, 1, n)
    for own, away in zip(settings, distance, strict=True):
        own["lr"] = float(np.clip(10 ** (place(own) + away), 1e-6, 1.0))
    return settings, rng.random(n) < GAMMA + SPAN * special.expit(15 * distance)


@pytest.fixture(scope="module")
def found():
    located = [locate(SPACE, *sampled(seed)) for seed in range(20)]
    monotone = [one for one in located if one.speaks]  # stray divergences withdraw a few
    assert len(monotone) >= 16
    return monotone


def test_prices_are_what_was_planted(found):
    mean = {"weight": 0.8, "amp": 0.45 + TOGETHER / 2, "norm": TOGETHER / 2}
    for name, truth in mean.items():
        own = [next(p for p in prices(one) if p.name == name) for one in found]
        assert np.mean([price.cost for price in own]) == pytest.approx(truth, abs=0.2)  # shrunk towards none
        assert np.mean([price.ci[0] <= truth <= price.ci[1] for price in own]) >= 0.85
    assert np.mean([p.ci[0] > 0 for one in found for p in prices(one) if p.name == "weight"]) > 0.6


def test_parts_add_up_and_share_what_settings_do_together(found):
    baseline = {"lr": 1e-3, "weight": 1.0, "amp": False, "norm": "pre"}
    treatment = {"lr": 1e-2, "weight": 1.0, "amp": True, "norm": "post"}
    parts = [attribute_boundary(one, baseline, treatment) for one in found]
    assert {part.response for part in parts} == {Response.BOUNDARY}
    assert all(part.effects.keys() == {"amp", "norm"} and part.cells == 4 for part in parts)
    for part in parts:
        assert sum(e.effect for e in part.effects.values()) == pytest.approx(part.total_effect, abs=0.02)
    assert np.mean([part.total_effect for part in parts]) == pytest.approx(-0.75, abs=0.2)
    assert np.mean([part.effects["amp"].effect for part in parts]) == pytest.approx(-0.6, abs=0.15)
    assert np.mean([part.effects["amp"].p_adjusted < 0.05 for part in parts]) > 0.8
    back = attribute_boundary(found[0], treatment, baseline)
    assert back.total_effect == pytest.approx(-parts[0].total_effect, abs=1e-6)


def test_arms_that_differ_in_the_bounded_parameter_alone_have_one_boundary(found):
    one = {"lr": 1e-3, "weight": 1.0, "amp": False, "norm": "pre"}
    assert attribute_boundary(found[0], one, one | {"lr": 0.1}) is None


def test_a_range_ends_before_the_limit_and_not_far_from_it(found):
    arm = {"lr": 10**-1.8, "weight": 0.15, "amp": False, "norm": "pre"}
    rare = np.log(0.03 / 0.93) / 15  # where 5% diverge, beside the middle
    limit = 10 ** (2 * (0.8 + rare) / COST["weight"] - 1)
    own = [ranges(one, arm)[0] for one in found]
    own = [one for one in own if one.holds and one.limited[1]]
    assert len(own) >= len(found) / 3 and all(one.low == 0.1 for one in own)
    assert np.mean([one.high <= limit for one in own]) >= 0.9
    assert np.median([one.high for one in own]) > limit / 4


def test_an_arm_far_inside_meets_no_limit_and_one_outside_has_no_range(found):
    far = {"lr": 1e-5, "weight": 1.0, "amp": False, "norm": "pre"}
    weight, amp, norm = ranges(found[0], far)
    assert (weight.low, weight.high, weight.limited) == (0.1, 10.0, (False, False))
    assert amp.choices == (False, True) and norm.choices == ("pre", "post")
    assert not any(one.holds for one in ranges(found[0], far | {"lr": 0.9}))


def test_inert_settings_and_failed_trials_are_left_out():
    settings, diverged = sampled(0)
    trials = pd.DataFrame(
        {"stage": "boundary", "params": settings, "verdict": np.where(diverged, "DIVERGED", "STABLE")}
    )
    trials.loc[:9, "verdict"] = "INCONCLUSIVE"
    params = {param.name: param for param in (LR, *OTHERS)}
    one = studied(trials, params, "lr", True, {"norm"})
    assert one.n == 140 and [p.name for p in prices(one)] == ["weight", "amp"]
    assert studied(trials.assign(stage="search"), params, "lr", True) is None
