"""Gate and recommendation over trials with a planted edge: what passes, what does not, and what is said."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import yaml

from stability.records import UserError
from stability.report.gate import gate
from stability.report.patch import as_yaml, recommend
from stability.spec import from_document

ARMS = {"calm": {"lr": 1e-4, "boost": False}, "hot": {"lr": 0.5, "boost": True}}
DOCUMENT = {
    "name": "planted",
    "trainer": "tts",
    "params": {"lr": {"min": 1e-6, "max": 1.0, "log": True}, "boost": {"values": [False, True]}},
    "arms": ARMS,
    "compare": {"baseline": "calm", "treatment": "hot"},
    "plan": [{"compare": {"seeds": 4}}, {"boundary": {"param": "lr", "trials": 60}}],
    "yardstick": {"mel": 1.0},
}
SPEC = from_document(DOCUMENT)
EDGE = -2.0
"""log10 of the learning rate from which every trial diverges; the boost takes half a decade."""


def rows(stage, settings, diverged, arms=None, **more):
    count = len(settings)
    return pd.DataFrame(
        {
            "trial_id": range(count),
            "number": range(count),
            "stage": stage,
            "arm": arms if arms is not None else [None] * count,
            "seed": range(count),
            "key": [f"trial-{i}" for i in range(count)],
            "params": list(settings),
            "verdict": np.where(diverged, "DIVERGED", "STABLE"),
            "outcome": np.where(diverged, "STOPPED", "FINISHED"),
            "yardstick_final": np.where(diverged, np.nan, 1.0),
            "steps": 16,
            "trajectory_sha256": None,
            **more,
        }
    )


def around_the_edge(count=60):
    rng = np.random.default_rng(0)
    settings = [
        {"lr": float(10 ** rng.uniform(-4, -0.5)), "boost": bool(rng.integers(2))} for _ in range(count)
    ]
    diverged = [math.log10(own["lr"]) > EDGE - 0.5 * own["boost"] for own in settings]
    return rows("boundary", settings, diverged)


def compared(arm, k, n):
    return rows("compare", [ARMS[arm]] * n, [i < k for i in range(n)], [arm] * n)


def test_an_arm_far_inside_its_bound_passes():
    found = gate(SPEC, around_the_edge(), "calm", 0.05)
    assert found.facts["passed"] and 1.0 < found.facts["headroom"] < 2.0
    assert found.facts["bound"] < 10**EDGE
    assert found.told[-1] == "gate passed: P(diverge) < 5% is shown for calm."
    assert "P(diverge within 16 steps) < 5%, 95% credible" in found.told[0]


def test_an_arm_beyond_its_bound_fails():
    found = gate(SPEC, around_the_edge(), "hot", 0.05)
    assert not found.facts["passed"] and found.facts["headroom"] < -1.0
    assert found.told[-1] == "gate failed: hot is too close to the edge for 5%."


def test_without_trials_nothing_is_shown():
    found = gate(SPEC, around_the_edge().iloc[:0], "calm", 0.05)
    assert not found.facts["passed"] and found.facts["bound"] is None
    assert found.told[0].startswith("calm: insufficient evidence")


@pytest.mark.parametrize(("n", "shown"), [(58, False), (59, True)])
def test_enough_trials_of_its_own_show_it_too(n, shown):
    found = gate(SPEC, compared("calm", 0, n), "calm", 0.05)
    assert found.facts["passed"] is shown
    assert ("is excluded" in found.told[0]) is shown


def test_trials_of_its_own_that_diverge_outweigh_the_model():
    trials = pd.concat([around_the_edge(), compared("calm", 4, 20)], ignore_index=True)
    found = gate(SPEC, trials, "calm", 0.05)
    assert not found.facts["passed"] and found.facts["rate_shows"] == "above"
    assert "a rate of 5% or less is excluded" in found.told[-2]


def test_a_smaller_risk_asks_for_more_room():
    bounds = [gate(SPEC, around_the_edge(), "calm", risk).facts["bound"] for risk in (0.03, 0.05, 0.2)]
    assert bounds == sorted(bounds) and len(set(bounds)) == 3


@pytest.mark.parametrize("risk", [0.0, 0.02, 0.5, 1.0, math.nan])
def test_a_risk_that_nothing_could_show_is_refused(risk):
    with pytest.raises(UserError, match="allowed: more than 0.02, less than 0.5"):
        gate(SPEC, around_the_edge(), "calm", risk)


def test_an_unknown_arm_is_refused():
    with pytest.raises(UserError, match="unknown arm 'clam'; did you mean 'calm'"):
        gate(SPEC, around_the_edge(), "clam", 0.05)


def test_the_patch_moves_only_the_arm_that_is_outside():
    advice, patch = recommend(SPEC, around_the_edge(), 0.05)
    assert patch.keys() == {"hot"} and 1e-4 < patch["hot"]["lr"] <= advice[1].facts["bound"] < 10 ** (
        EDGE - 0.5
    )
    again = SPEC.document | {"arms": ARMS | {"hot": ARMS["hot"] | patch["hot"]}}
    assert gate(from_document(again), around_the_edge(), "hot", 0.05).facts["passed"]
    text = as_yaml(advice, patch)
    assert yaml.safe_load(text) == {"arms": patch}
    assert "# hot: change lr = 0.5 to lr <= " in text and "# calm: lr = 0.0001 is" in text


def test_the_best_of_a_search_is_offered_only_from_inside_the_bound():
    settings = [{"lr": lr, "boost": False} for lr in (1e-4, 3e-4, 0.3)]
    searched = rows("search", settings, [False] * 3).assign(yardstick_final=[2.0, 1.0, 0.5])
    _, patch = recommend(SPEC, pd.concat([around_the_edge(), searched], ignore_index=True), 0.05)
    assert patch["search_1"] == settings[1]


def test_without_a_boundary_nothing_is_recommended():
    with pytest.raises(UserError, match="has no trials of stage `boundary`"):
        recommend(SPEC, compared("calm", 0, 5), 0.05)


def test_an_edge_that_is_none_withdraws_every_bound():
    trials = around_the_edge()
    low = trials["params"].map(lambda own: own["lr"]) < 10**-3
    trials.loc[low, "verdict"] = "DIVERGED"
    advice, patch = recommend(SPEC, trials, 0.05)
    assert patch == {} and all(own.facts["bound"] is None for own in advice)
    assert "show no single boundary" in advice[0].told[0]
    assert not gate(SPEC, trials, "calm", 0.05).facts["passed"]
