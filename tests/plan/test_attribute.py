"""Combinations of the settings in which two arms differ, and what confirms a finding."""

import numpy as np
import pytest

from stability.plan import attribute, proposals
from stability.records import UserError
from stability.spec import AttributeStage, load_study

STUDY = """
name: parts
trainer: {call: "toys.py:quadratic"}
params:
  lr: {min: 1e-4, max: 1.0, log: true}
  momentum: {values: [0.0, 0.9]}
  huber: {values: [false, true]}
  warmup: {min: 0, max: 100}
  layers: {value: 2}
arms:
  one: {lr: 1e-3, momentum: 0.0, huber: false, warmup: 10}
  two: {lr: 1e-2, momentum: 0.9, huber: true, warmup: 10}
compare: {baseline: one, treatment: two}
plan:
  - attribute: {trials: 35, confirm: 2}
yardstick: {square: 1.0}
seed: 7
"""


@pytest.fixture
def spec(tmp_path):
    (tmp_path / "s.yaml").write_text(STUDY)
    return load_study(tmp_path / "s.yaml")


def test_every_seed_runs_every_combination_of_what_differs(spec):
    found = proposals(spec, spec.plan[0])
    assert len(found) == 35 and len({proposal.key for proposal in found}) == 35
    first = [proposal for proposal in found if proposal.key.endswith("/seed-0")]
    settings = {tuple(proposal.params[name] for name in ("lr", "momentum", "huber")) for proposal in first}
    assert len(settings) == 8 and {proposal.seed for proposal in first} == {7 + 1_000_000}
    assert all(proposal.params["warmup"] == 10 and proposal.params["layers"] == 2 for proposal in found)


def test_the_key_names_the_cell(spec):
    by_key = {proposal.key: proposal.params for proposal in proposals(spec, spec.plan[0])}
    assert by_key["000/seed-3"] == spec.arm_params("one") and by_key["111/seed-3"] == spec.arm_params("two")
    assert by_key["010/seed-0"] == {**spec.arm_params("one"), "momentum": 0.9}


def test_settings_that_change_nothing_are_left_out(spec):
    found = proposals(spec, spec.plan[0], inert={"momentum"})
    assert {proposal.params["momentum"] for proposal in found} == {0.0}
    assert {len(proposal.key.partition("/")[0]) for proposal in found} == {2}
    assert proposals(spec, spec.plan[0], inert={"lr", "momentum", "huber"}) == []


def test_the_setting_is_confirmed_alone_on_fresh_seeds(spec):
    found = {p.key: p for p in attribute.confirm(spec, AttributeStage(confirm=2), "lr")}
    assert list(found)[:4] == [
        "baseline-lr/seed-0",
        "treatment-lr/seed-0",
        "added-lr/seed-0",
        "removed-lr/seed-0",
    ]
    assert found["added-lr/seed-1"].params == {**spec.arm_params("one"), "lr": 1e-2}
    assert found["removed-lr/seed-1"].params == {**spec.arm_params("two"), "lr": 1e-3}
    seeds = {proposal.seed for proposal in found.values()}
    assert len(seeds) == 2 and not seeds & {proposal.seed for proposal in proposals(spec, spec.plan[0])}


def test_too_few_trials_for_the_settings(tmp_path):
    (tmp_path / "s.yaml").write_text(STUDY.replace("trials: 35", "trials: 3"))
    few = load_study(tmp_path / "s.yaml")
    with pytest.raises(
        UserError, match=r"plan.attribute: error: 3 settings need at least 8 trials; 3 were given; raise"
    ):
        proposals(few, few.plan[0])


def test_without_two_arms_there_is_nothing_to_attribute(tmp_path):
    (tmp_path / "s.yaml").write_text(STUDY.replace("compare: {baseline: one, treatment: two}\n", ""))
    with pytest.raises(
        UserError, match=r"s.yaml:14:5: error: stage 'attribute' asks which setting makes two arms differ"
    ):
        load_study(tmp_path / "s.yaml")


def test_an_incomplete_seed_is_balanced_as_far_as_it_goes(spec):
    """35 trials are four whole seeds of 8 cells and 3 of a fifth, both corners first."""
    last = [proposal.key for proposal in proposals(spec, spec.plan[0])][32:]
    assert last[:2] == ["000/seed-4", "111/seed-4"] and np.unique(last).size == 3
