"""Real runs of `liveness` and `attribute`: a planted culprit is found, confirmed, and reported; resuming adds nothing."""

import pytest

TRAINER = """
def train(trial, recorder):
    p, x = trial.params, 1.0 + 0.01 * (trial.seed % 1009) / 1009 * 7
    recorder.define(square="x^2", total="square")
    recorder.evaluate({"square": x * x}, epoch=-1)
    rate = p["lr"] * (1.5 if p["boost"] else 1.0)
    for step in range(8):
        gradient = 2 * x
        x -= rate * gradient
        recorder.step({"square": x * x}, total=x * x, lr=p["lr"], grad_norm=abs(gradient), epoch=0)
    recorder.evaluate({"square": x * x}, epoch=0)
"""
STUDY = """
name: toy
trainer: {call: "train.py:train"}
budget: {epochs: 1, batch_size: 1, timeout_s: 60}
params:
  lr: {min: 1e-3, max: 10.0, log: true}
  boost: {values: [false, true]}
  dead: {values: [1, 2]}
arms:
  gentle: {lr: 0.05, boost: false, dead: 1}
  rough: {lr: LR, boost: true, dead: 2}
compare: {baseline: gentle, treatment: rough}
plan: [liveness, {compare: {seeds: 4}}, {attribute: {trials: 16, confirm: 4}}]
yardstick: {square: 1.0}
"""


@pytest.fixture
def run(reported):
    return lambda lr: reported(TRAINER, STUDY.replace("LR", lr))


def test_a_setting_that_diverges_alone_is_found_and_confirmed(run):
    trials, twin, text = run("2.0")
    own = trials[trials.stage == "attribute"]
    assert twin["liveness"] == {"lr": "live", "boost": "live", "dead": "inert"}
    found = twin["attribution"]
    assert "which of their settings made a difference is a question of its own" in text
    assert found["response"] == "diverged" and found["n"] == 16 and set(found["effects"]) == {"lr", "boost"}
    assert found["total_effect"] > 0.6  # of 1, shrunk: 16 trials of 4 combinations
    assert sum(part["effect"] for part in found["effects"].values()) == pytest.approx(found["total_effect"])
    assert found["effects"]["lr"]["effect"] > 0.5 and found["effects"]["lr"]["p_adjusted"] < 0.05
    assert found["confirmation"]["param"] == "lr"
    assert found["confirmation"]["added"]["rate_difference"] == 1.0
    assert found["confirmation"]["removed"]["rate_difference"] == -1.0
    assert len(own) == 16 + 4 * 4
    assert (
        "with `lr` of the other arm alone, on fresh seeds, the divergence rate of `gentle` changes by 100%"
        in text
    )
    assert text.index("These settings change nothing, bit for bit: `dead`") < text.index("diverged")
    assert "## Which setting made the difference" in text


def test_a_stage_that_was_done_is_not_done_again(run):
    first, _, _ = run("2.0")
    again, _, _ = run("2.0")
    assert list(again.key) == list(first.key) and again.key.groupby(again.stage).nunique().sum() == len(again)


def test_where_nothing_diverges_the_yardstick_is_attributed(run):
    _, twin, text = run("0.1")
    found = twin["attribution"]
    assert found["response"] == "yardstick" and found["others"][0]["limits"][0] == "NONE_DIVERGED"
    assert (
        found["total_effect"] < 0
        and found["effects"]["lr"]["effect"] < found["effects"]["boost"]["effect"] < 0
    )
    # Every pair of fresh seeds has the same ratio, so there is no interval to state.
    assert "a part in the difference is shown of `lr`, `boost`, not confirmed on fresh seeds" in text
    assert "None of the 16 trials diverged" in text
