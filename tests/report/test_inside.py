"""What lies inside a bound: trials that learned nothing, and those that nobody knows of."""

import math

import numpy as np
import pandas as pd
import pytest

from stability.evidence.boundary.strict import Strict
from stability.evidence.boundary.studied import studied
from stability.evidence.inside import Inside, inside
from stability.params import Param
from stability.report.gate import gate
from stability.report.patch import recommend
from stability.spec import from_document

LR = Param("lr", "float", low=1e-6, high=1.0, log=True)
EDGE = -2.0
SPEC = from_document(
    {
        "name": "planted",
        "trainer": "tts",
        "params": {"lr": {"min": 1e-6, "max": 1.0, "log": True}},
        "arms": {"calm": {"lr": 1e-4}, "hot": {"lr": 0.5}},
        "compare": {"baseline": "calm", "treatment": "hot"},
        "plan": [{"compare": {"seeds": 4}}, {"boundary": {"param": "lr", "trials": 60}}],
        "yardstick": {"mel": 1.0},
    }
)


def trials(*ends, stage="boundary", arm=None):
    """(lr, verdict, outcome) of each trial."""
    rows = [
        {"params": {"lr": lr}, "verdict": verdict, "outcome": outcome, "seed": i, "key": f"trial-{i}"}
        for i, (lr, verdict, outcome) in enumerate(ends)
    ]
    frame = pd.DataFrame(rows).assign(stage=stage, arm=arm, steps=16, yardstick_final=1.0)
    return frame.assign(trial_id=frame.index, number=frame.index, trajectory_sha256=None)


def around_the_edge():
    rng = np.random.default_rng(0)
    for lr in 10 ** rng.uniform(-5, -0.5, 60):
        lost = math.log10(lr) > EDGE
        yield float(lr), "DIVERGED" if lost else "STABLE", "STOPPED" if lost else "FINISHED"


def crashed(*lrs):
    return [(lr, "INCONCLUSIVE", "CRASHED") for lr in lrs]


def test_trials_are_counted_on_the_calm_side_alone():
    known = trials(
        *[(lr, "STUCK", "FINISHED") for lr in (1e-6, 3e-6, 0.5)],
        *[(lr, "STABLE", "FINISHED") for lr in (1e-4, 2e-3)],
        (1e-2, "UNSTABLE", "FINISHED"),
        (1e-3, "DIVERGED", "STOPPED"),
        *crashed(1e-5, 0.9),
        (1e-5, "INCONCLUSIVE", "FINISHED"),
    )
    below = inside(known, "lr", 0.03, rising=True)
    assert below == Inside(6, 2, (1e-6, 3e-6), 3, (1e-4, 1e-2), 1, 1)
    above = inside(known, "lr", 0.03, rising=False)
    assert above == Inside(1, 1, (0.5, 0.5), 0, None, 1, 0)


def strict(*more):
    known = trials(*around_the_edge(), *more)
    return Strict(studied(known, {"lr": LR}, "lr", True), known)


def test_without_unknown_trials_a_bound_is_what_it_was():
    own = strict()
    found = own.bound({"lr": 1e-4}, 0.05)
    assert found.value == found.plain == own.found.bound({"lr": 1e-4}, 0.05) and found.counted.failed == 0


def test_failures_beyond_a_bound_do_not_touch_it():
    assert (
        strict(*crashed(0.3, 0.5)).bound({"lr": 1e-4}, 0.05).value == strict().bound({"lr": 1e-4}, 0.05).value
    )


def test_failures_inside_narrow_a_bound_as_divergences_would():
    found = strict(*crashed(3e-3, 4e-3, 5e-3)).bound({"lr": 1e-4}, 0.05)
    lost = trials(*around_the_edge(), *[(lr, "DIVERGED", "STOPPED") for lr in (3e-3, 4e-3, 5e-3)])
    inside_plain = [lr for lr in (3e-3, 4e-3, 5e-3) if lr <= found.plain]
    assert inside_plain and found.counted.failed == len(inside_plain)
    assert found.value < found.plain
    if len(inside_plain) == 3:
        assert found.value == pytest.approx(studied(lost, {"lr": LR}, "lr", True).bound({"lr": 1e-4}, 0.05))


def test_failures_far_inside_leave_no_bound():
    found = strict(*crashed(*[2e-5] * 6)).bound({"lr": 1e-4}, 0.05)
    assert found.value is None and found.plain is not None and found.counted.failed == 6


def told(*more, arm="calm"):
    return gate(SPEC, trials(*around_the_edge(), *more), arm, 0.05)


def test_the_gate_says_what_lies_inside():
    found = told((1e-6, "STUCK", "FINISHED"), (3e-6, "STUCK", "FINISHED"))
    assert found.facts["passed"] and found.facts["inside_stuck_range"] == [1e-6, 3e-6]
    assert (
        "2 of " in found.told[0]
        and "learned nothing (lr 1e-06..3e-06); those that learned lie at " in found.told[0]
    )


def test_stuck_trials_close_below_a_bound_are_told():
    known = trials(
        *[(float(lr), "STABLE", "FINISHED") for lr in np.geomspace(1e-5, 1e-3, 30)],
        *[(float(lr), "STUCK", "FINISHED") for lr in np.geomspace(2e-3, 1e-2, 10)],
        *[(float(lr), "DIVERGED", "STOPPED") for lr in np.geomspace(0.1, 1.0, 30)],
    )
    found = gate(SPEC, known, "calm", 0.05)
    assert 2.86e-3 < found.facts["bound"] < 3.4e-3
    assert (
        "3 of 33 trials inside learned nothing (lr 0.002..0.00286); those that learned lie at 1e-05..0.001."
        in found.told[0]
    )


def test_the_gate_fails_where_failures_inside_leave_no_bound():
    found = told(*crashed(*[2e-5] * 6))
    assert not found.facts["passed"] and found.facts["counted_failed"] == 6
    assert "no bound on lr is stated" in found.told[0]
    advice, patch = recommend(SPEC, trials(*around_the_edge(), *crashed(*[2e-5] * 6)), 0.05)
    assert patch == {} and "with the 6 failed and 0 undecided trials inside it counted" in advice[0].told[0]


def compared(*ends):
    return trials(*((1e-4, *each) for each in ends), stage="compare", arm="calm")


STABLE, CRASHED, OPEN = ("STABLE", "FINISHED"), ("INCONCLUSIVE", "CRASHED"), ("INCONCLUSIVE", "FINISHED")


@pytest.mark.parametrize(("unknown", "passed"), [((), True), ((CRASHED,), False), ((OPEN,), False)])
def test_the_gate_counts_an_arms_failures_as_diverged(unknown, passed):
    found = gate(SPEC, compared(*[STABLE] * 59, *unknown), "calm", 0.05)
    assert found.facts["passed"] is passed
    assert any("are counted as diverged in the upper bound" in text for text in found.told) is bool(unknown)


def test_an_arm_that_crashes_does_not_pass_by_its_boundary():
    known = pd.concat([trials(*around_the_edge()), compared(*[CRASHED] * 20)], ignore_index=True)
    found = gate(SPEC, known, "calm", 0.05)
    assert found.facts["headroom"] > 0 and not found.facts["passed"]
    assert "calm: with them counted as diverged, a rate of 5% or less is excluded" in " ".join(found.told)


def test_a_search_edge_tells_what_lies_inside():
    from study_frames import BASIC, ENVIRONMENT, StudyFrames, make_spec

    from stability.report import build

    study = StudyFrames()
    for i, lr in enumerate((1e-5, 1e-4, 1e-3)):
        study.trial("search", None, i, params=BASIC | {"lr": lr}, verdict="STUCK" if i != 1 else "STABLE")
    study.failed("search", None, 3, params=BASIC | {"lr": 5e-4})
    study.diverged("search", None, 4, params=BASIC | {"lr": 0.1})
    [found] = build(make_spec(), study.frames(), ENVIRONMENT)["recommendations"]
    assert (found["stuck"], found["failed"], found["undecided"]) == (2, 1, 0)
    assert found["text"].endswith(
        "2 of 3 trials inside learned nothing (lr 1e-05..0.001); those that learned lie at 0.0001. Of the 1 failed"
        " and 0 undecided trials there nobody knows whether they would have diverged."
    )
