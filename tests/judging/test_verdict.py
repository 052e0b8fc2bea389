"""Outcome is not verdict: what each combination of records and ending means."""

import math

import pytest

from stability.judging.verdict import describe, judge, yardstick
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
        (Event(99, EventKind.NAN_GRAD, "skipped steps", 0.08, 0.05),
         "8.0% of the steps since the scaler first found its scale were skipped by it, up to step 99 (limit 5.0%)"),
    ],
)  # fmt: skip
def test_evidence_carries_the_number(event, evidence):
    assert judge(Records(STEPS, events=(event,)), Ending(Outcome.STOPPED), {}).evidence == evidence


def warned(kind, where, value, threshold, step=41, severity=Severity.WARNING):
    return Event(step, EventKind(kind), where, value, threshold, severity)


@pytest.mark.parametrize(
    ("event", "evidence"),
    [
        (warned("spike", "total", 8.21, 6.0),
         "total 8.21 robust standard deviations above its running median at step 41, and the gradient norm with it (limit 6)"),
        (warned("grad_explosion", "grad_norm", 31234.0, 1e3), "gradient norm 3.12e+04 at step 41 (limit 1e+03)"),
        (warned("grad_explosion", "grad_norm/median", 2210.0, 1e3),
         "gradient norm 2.21e+03 times its running median at step 41 (limit 1e+03)"),
        (warned("grad_explosion", "grad_rms_first/grad_rms_last", 90.0, 70.0),
         "gradient of the first layer 90 times that of the last at step 41 (limit 70)"),
        (warned("vanishing", "grad_rms", 3e-9, 1e-7), "root mean square of the gradient 3e-09 at step 41 (limit 1e-07)"),
        (warned("vanishing", "grad_rms_first/grad_rms_last", 2e-4, 1e-3),
         "gradient of the first layer 0.0002 times that of the last at step 41 (limit 0.001)"),
        (warned("vanishing", "zero_grad_share", 0.8, 0.7),
         "share of gradient elements that are exactly 0: 0.8 at step 41 (limit 0.7)"),
        (warned("update_ratio", "update_ratio", 0.05, 0.03),
         "updates change the weights by 0.05 of their norm at step 41 (limit 0.03)"),
        (warned("attention_logits", "attention_logit", 61.0, 50.0), "largest attention logit 61 at step 41 (limit 50)"),
        (warned("oscillation", "total", 0.123, 0.05), "total goes up and down in turn by 12.3% at step 41 (limit 0.05)"),
    ],
)  # fmt: skip
def test_a_warning_makes_a_finished_trial_unstable(event, evidence):
    verdict = judge(Records(STEPS, events=(event,)), Ending(Outcome.FINISHED), {})
    assert (verdict.label, verdict.evidence) == (VerdictLabel.UNSTABLE, evidence)


STUCK = warned("stuck", "yardstick", 0.0012, 0.01, step=15)
STILL = warned("update_ratio", "update_ratio", 2e-9, 1e-6, step=12)
VANISHING = warned("vanishing", "grad_rms", 3e-9, 1e-7, step=3)


def finished(*events):
    return judge(Records(STEPS, events=events), Ending(Outcome.FINISHED), {})


def test_a_trial_that_only_did_not_move_is_stuck():
    verdict = finished(STUCK)
    assert (verdict.label, verdict.step, verdict.kind) == (VerdictLabel.STUCK, 15, EventKind.STUCK)
    assert verdict.evidence == "yardstick at best 0.12% below its start in 16 steps (limit 1% below)"
    risen = warned("stuck", "sum of losses", -0.05, 0.1, step=15)
    assert (
        finished(risen).evidence == "sum of losses at best 5% above its start in 16 steps (limit 10% below)"
    )
    still = finished(STILL)
    assert (still.label, still.kind) == (VerdictLabel.STUCK, EventKind.UPDATE_RATIO)
    assert (
        still.evidence
        == "no sampled update changed the weights by more than 2e-09 of their norm (limit 1e-06)"
    )
    both = finished(VANISHING, STILL, STUCK)
    assert (both.label, both.kind) == (VerdictLabel.STUCK, EventKind.STUCK)


def test_unstable_wins_over_stuck_and_lost_over_both():
    verdict = finished(STUCK, WARNING)
    assert (verdict.label, verdict.kind) == (VerdictLabel.UNSTABLE, EventKind.BLOW_UP)
    assert finished(VANISHING).label is VerdictLabel.UNSTABLE
    assert finished(STUCK, NAN_LOSS).label is VerdictLabel.DIVERGED
    assert (
        judge(Records(STEPS, events=(STUCK,)), Ending(Outcome.CRASHED), {}).label is VerdictLabel.INCONCLUSIVE
    )


def test_the_earliest_warning_is_the_evidence_whenever_it_was_found():
    late = warned("spike", "total", 7.0, 6.0, step=20)
    early = warned("grad_explosion", "grad_norm", 2e3, 1e3, step=5)
    assert finished(late, early).kind is EventKind.GRAD_EXPLOSION


FACTS = [
    (warned("clip_saturation", "clip_factor", 0.984, 0.95, severity=Severity.FACT),
     "98.4% of the steps were clipped: clipping normalises the gradient, and nothing can be traced to the clip value"),
    (warned("clip_saturation", "clip_factor", 0.0, 0.01, severity=Severity.FACT),
     "0.0% of the steps were clipped: clipping is inactive"),
    (warned("dominance", "grad_share/kl", 0.957, 0.9, severity=Severity.FACT),
     "kl makes up 95.7% of the weighted gradients at step 41 (limit 0.9)"),
    (warned("dominance", "grad_cosine/kl,mel", -0.6, -0.5, severity=Severity.FACT),
     "gradients of kl and mel pull against each other: cosine -0.6 at step 41 (limit -0.5)"),
]  # fmt: skip


@pytest.mark.parametrize(("fact", "evidence"), FACTS)
def test_a_fact_is_evidence_for_nothing(fact, evidence):
    assert describe(fact) == evidence
    assert finished(fact).label is VerdictLabel.STABLE
    assert finished(fact, STUCK).label is VerdictLabel.STUCK
    assert finished(fact, WARNING).kind is EventKind.BLOW_UP


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_of_event_has_words(kind):
    where = {"grad_explosion": "grad_norm", "vanishing": "grad_rms"}.get(kind.value, "x/y")
    assert describe(Event(1, kind, where, 2.0, 1.0, Severity.WARNING))


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
