"""Outcome is not verdict: what each combination of records and ending means."""

import math

import pytest

from stability.records import (
    BEFORE_TRAINING,
    Ending,
    Evaluation,
    Event,
    EventKind,
    Outcome,
    Records,
    Severity,
    Step,
    VerdictLabel,
)
from stability.verdict import judge, yardstick

STEPS = (Step(0, {"mel": 1.0}, total=1.0), Step(1, {"mel": 0.5}, total=0.5))
NAN_LOSS = Event(3, EventKind.NAN_LOSS, "mel", math.nan)
NAN_GRAD = Event(2, EventKind.NAN_GRAD, "grad_norm", math.inf)
WARNING = Event(8, EventKind.BLOW_UP, "yardstick", 1.4, 1.25, Severity.WARNING)


def label(outcome, events=(), steps=STEPS):
    return judge(Records(steps, events=events), Ending(outcome), {"mel": 1.0}).label


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_lost_trial_is_diverged_however_its_process_ended(outcome):
    assert label(outcome, (NAN_LOSS,)) is VerdictLabel.DIVERGED


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.FINISHED])
def test_an_unfinished_process_says_nothing_about_the_training(outcome):
    assert label(outcome) is VerdictLabel.INCONCLUSIVE
    assert label(outcome, (WARNING,)) is VerdictLabel.INCONCLUSIVE


def test_finished_trials():
    assert label(Outcome.FINISHED) is VerdictLabel.STABLE
    assert label(Outcome.FINISHED, (WARNING,)) is VerdictLabel.UNSTABLE
    assert label(Outcome.FINISHED, steps=()) is VerdictLabel.INCONCLUSIVE


def test_the_first_bad_step_is_the_earliest_one():
    verdict = judge(Records(STEPS, events=(NAN_LOSS, NAN_GRAD)), Ending(Outcome.STOPPED), {"mel": 1.0})
    assert (verdict.step, verdict.kind, verdict.where) == (2, EventKind.NAN_GRAD, "grad_norm")
    assert verdict.evidence == "gradient norm inf at step 2"


@pytest.mark.parametrize(
    ("event", "evidence"),
    [
        (NAN_LOSS, "mel loss nan at step 3"),
        (Event(1, EventKind.NONFINITE_WEIGHT, "weight_norm", math.nan), "weight norm nan after step 1"),
        (Event(4, EventKind.MASKED_NONFINITE, "mel", 0.0, 3.0), "mel loss stayed at exactly 0 for 3 steps up to step 4"),
        (Event(7, EventKind.BLOW_UP, "yardstick", 2.345, 2.0),
         "yardstick 2.35x its value at the start after 8 steps (limit 2x)"),
    ],
)  # fmt: skip
def test_evidence_carries_the_number(event, evidence):
    assert judge(Records(STEPS, events=(event,)), Ending(Outcome.STOPPED), {}).evidence == evidence


def test_stable_says_what_it_rests_on():
    evaluations = (Evaluation(0, BEFORE_TRAINING, {"mel": 2.0}), Evaluation(2, 0, {"mel": 1.0}))
    verdict = judge(Records(STEPS, evaluations), Ending(Outcome.FINISHED), {"mel": 1.5})
    assert verdict.evidence == "yardstick 3 to 1.5 in 2 steps, every recorded number finite"
    without = judge(Records(STEPS), Ending(Outcome.FINISHED), {"mel": 1.0})
    assert without.evidence == "total 1 to 0.5 in 2 steps, every recorded number finite"


def test_a_trial_too_short_for_the_blow_up_rule_is_judged_by_its_end():
    evaluations = (Evaluation(0, BEFORE_TRAINING, {"mel": 1.0}), Evaluation(2, 0, {"mel": 1e4}))
    verdict = judge(Records(STEPS, evaluations), Ending(Outcome.FINISHED), {"mel": 1.0})
    assert (verdict.label, verdict.kind, verdict.step) == (VerdictLabel.DIVERGED, EventKind.BLOW_UP, 1)


def test_a_trial_never_evaluated_after_training_is_inconclusive():
    records = Records(STEPS, (Evaluation(0, BEFORE_TRAINING, {"mel": 1.0}),))
    verdict = judge(records, Ending(Outcome.FINISHED), {"mel": 1.0})
    assert verdict.label is VerdictLabel.INCONCLUSIVE
    assert verdict.evidence == "evaluated before training, but never after it"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_yardstick_hides_nothing(value):
    result = yardstick({"mel": value, "kl": 1.0}, {"mel": 1.0, "kl": 0.5})
    assert not math.isfinite(result)
    with pytest.raises(KeyError):
        yardstick({"mel": 1.0}, {"mel": 1.0, "kl": 0.5})
