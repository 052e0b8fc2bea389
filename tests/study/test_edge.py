"""Real runs of stage `boundary`: a known edge is found, from either side, and resuming adds nothing."""

import functools
import math

import pytest

from stability.records import UserError

TRAINER = """
def train(trial, recorder):
    p, x = trial.params, 1.0 + 0.01 * (trial.seed % 1009) / 1009 * 7
    recorder.define(square="x^2", total="square")
    recorder.evaluate({"square": x * x}, epoch=-1)
    rate = p.get("lr", 1.0) * (2.0 if p["boost"] else 1.0) / p.get("damping", 1.0)
    for step in range(12):
        gradient = 2 * x
        x -= rate * gradient
        recorder.step({"square": x * x}, total=x * x, grad_norm=abs(gradient), epoch=0)
    recorder.evaluate({"square": x * x}, epoch=0)
"""
"""Gradient descent on a square: it grows once the rate is above 1, and by half a decade sooner with the boost."""
STUDY = """
name: toy
trainer: {call: "train.py:train"}
budget: {epochs: 1, batch_size: 1, timeout_s: 60}
params:
  lr: {min: 1e-3, max: 100.0, log: true}
  boost: {values: [false, true]}
  dead: {min: 1.0, max: 2.0}
arms:
  gentle: {lr: 0.01, boost: false, dead: 1.0}
  rough: {lr: 3.0, boost: true, dead: 2.0}
compare: {baseline: gentle, treatment: rough}
plan: [liveness, {boundary: {param: lr, trials: 40}}]
yardstick: {square: 1.0}
"""


@pytest.fixture
def run(reported):
    return functools.partial(reported, TRAINER)


def test_a_known_edge_is_found_in_every_arm_with_what_each_knob_costs(run):
    trials, twin, text = run(STUDY)
    own = trials[trials.stage == "boundary"]
    assert len(own) == 40 and {"STABLE", "DIVERGED"} <= set(own.verdict)
    assert abs(own.params.map(lambda p: math.log10(p["lr"]))).quantile(0.5) < 0.6  # gathered around it
    gentle, rough = twin["boundary"]["gentle"], twin["boundary"]["rough"]
    assert gentle["monotone"] and gentle["n"] == 40 and gentle["scale"] == "log10"
    assert gentle["p50_ci"][0] < 1.0 < gentle["p50_ci"][1] and 0.6 < gentle["p50"] < 1.8
    assert rough["p50_ci"][0] < 0.5 < rough["p50_ci"][1] and 0.3 < rough["p50"] < 0.9
    assert 0.2 < gentle["p05_lower"] < 1.0 and 0.1 < rough["p05_lower"] < 0.5
    assert gentle["headroom"] == pytest.approx(math.log10(gentle["p05_lower"] / 0.01))
    assert rough["headroom"] < 0 and gentle["risk"] < 0.05 < 0.9 < rough["risk"]
    (price,) = twin["boundary_details"]["prices"]  # `dead` changes nothing and is not asked about
    assert (
        price["param"] == "boost" and price["ci"][0] < math.log10(2) < price["ci"][1] and price["ci"][0] > 0
    )
    assert twin["attribution"]["response"] == "boundary"
    assert twin["attribution"]["effects"]["boost"]["effect"] == pytest.approx(-price["cost"], abs=0.02)
    assert f"`gentle`: `lr <= {gentle['p05_lower']:.2g}"[:22] in text
    assert "The `lr = 3` of `rough` lies" in text and "outside" in text
    first = twin["recommendations"][0]
    assert (first["arm"], first["op"], first["value"]) == ("gentle", "<=", gentle["p05_lower"])
    assert twin["ranges"]["rough"][0]["holds"] is False


def test_a_parameter_that_diverges_at_small_values(run):
    study = STUDY.replace("  lr: {min: 1e-3, max: 100.0, log: true}", "  damping: {min: 0.5, max: 5.0}")
    study = study.replace("lr: 0.01", "damping: 4.0").replace("lr: 3.0", "damping: 1.0")
    study = study.replace("{param: lr, trials: 40}", "{param: damping, trials: 40, diverges: below}")
    _, twin, text = run(study)
    gentle, rough = twin["boundary"]["gentle"], twin["boundary"]["rough"]
    assert gentle["scale"] == "linear" and gentle["p50_ci"][0] < 1.0 < gentle["p50_ci"][1]
    assert 1.0 < gentle["p05_lower"] < 3.0 and rough["p05_lower"] > 2.0
    assert gentle["headroom"] == pytest.approx(4.0 - gentle["p05_lower"]) and rough["headroom"] < 0
    assert f"damping >= {gentle['p05_lower']:.1f}"[:12] in text
    assert twin["recommendations"][0]["op"] == ">="


def test_resuming_adds_nothing_and_more_trials_go_on_from_there(run):
    first, _, _ = run(STUDY, "plan.boundary.trials=8")
    again, _, _ = run(STUDY, "plan.boundary.trials=8")
    assert list(first.params) == list(again.params)
    more, twin, _ = run(STUDY, "plan.boundary.trials=12")
    assert len(more) == len(first) + 4 and twin["boundary"]["gentle"]["n"] == 12


def test_the_staircase_is_another_way_to_look(run):
    trials, twin, _ = run(STUDY.replace("trials: 40}", "trials: 32, sampler: staircase}"))
    assert (trials.stage == "boundary").sum() == 32 and twin["boundary_details"]["sampler"] == "staircase"
    assert twin["boundary"]["gentle"]["p50_ci"][0] < 1.0 < twin["boundary"]["gentle"]["p50_ci"][1]


def test_trials_of_another_question_are_not_continued(run):
    run(STUDY, "plan.boundary.trials=4")
    with pytest.raises(UserError, match="was drawn by 'v_optimal along lr, diverging above'"):
        run(STUDY, "plan.boundary.trials=4", "plan.boundary.diverges=below")
