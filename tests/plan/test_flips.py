"""One knob at a time: which trials the stage asks for."""

import pytest

from stability.params import Param
from stability.plan import proposals
from stability.plan.liveness import another_value
from stability.spec import load_study

STUDY = """
name: knobs
trainer: {call: "toys.py:quadratic"}
params:
  lr: {min: 1e-4, max: 1.0, log: true}
  warmup: {min: 0, max: 100}
  huber: {values: [false, true]}
  optimizer: {values: [adamw, sgd, lion]}
  dropout: 0.1
plan: [liveness]
yardstick: {square: 1.0}
seed: 3
"""
ARMS = """
arms:
  one: {lr: 1e-3, warmup: 10, huber: false, optimizer: adamw}
  two: {lr: 1e-2, warmup: 10, huber: true, optimizer: adamw}
"""
COMPARED = ARMS + "compare: {baseline: one, treatment: two}\n"


def propose(tmp_path, text):
    (tmp_path / "s.yaml").write_text(text.replace("dropout: 0.1", "dropout: {value: 0.1}"))
    spec = load_study(tmp_path / "s.yaml")
    return proposals(spec, spec.plan[0])


def test_a_knob_that_differs_is_changed_on_both_sides_and_another_on_one(tmp_path):
    found = {proposal.key: proposal.params for proposal in propose(tmp_path, STUDY + COMPARED)}
    assert list(found) == [
        *("one/reference", "one/repeat", "one/flip-lr", "one/flip-warmup", "one/flip-huber"),
        *("one/flip-optimizer", "two/reference", "two/repeat", "two/flip-lr", "two/flip-huber"),
    ]
    assert found["one/repeat"] == found["one/reference"] == {
        "lr": 1e-3, "warmup": 10, "huber": False, "optimizer": "adamw", "dropout": 0.1,
    }  # fmt: skip
    assert found["one/flip-lr"] == {**found["one/reference"], "lr": 1e-2}
    assert found["two/flip-lr"] == {**found["two/reference"], "lr": 1e-3}
    assert found["one/flip-warmup"]["warmup"] == 75 and found["one/flip-optimizer"]["optimizer"] == "sgd"


def test_all_trials_share_the_seed_of_the_study(tmp_path):
    assert {proposal.seed for proposal in propose(tmp_path, STUDY + COMPARED)} == {3}


@pytest.mark.parametrize(("arms", "side"), [("", "middle"), (ARMS, "one")])
def test_without_a_comparison_there_is_one_side(tmp_path, arms, side):
    found = propose(tmp_path, STUDY + arms)
    knobs = ("lr", "warmup", "huber", "optimizer")
    assert [p.key for p in found] == [
        f"{side}/{name}" for name in ("reference", "repeat", *(f"flip-{k}" for k in knobs))
    ]


@pytest.mark.parametrize(
    ("param", "value", "other"),
    [
        (Param("lr", "float", low=1e-4, high=1.0, log=True), 1e-4, 0.1),
        (Param("lr", "float", low=1e-4, high=1.0, log=True), 1.0, 1e-3),
        (Param("layers", "int", low=1, high=2), 2, 1),
        (Param("huber", "choice", choices=(False, True)), True, False),
    ],
)
def test_another_value_is_in_the_range_and_far(param, value, other):
    found = another_value(param, value)
    assert found == pytest.approx(other) and param.problem(found) is None
