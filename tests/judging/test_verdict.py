"""Outcome is not verdict: what each combination of records and ending means, in which words."""

import math

import pytest

from stability.judging.monitor import scan
from stability.judging.policy import Policy
from stability.judging.verdict import SYMPTOMS, describe, judge
from stability.judging.yardstick import yardstick
from stability.records import (
    BEFORE_TRAINING,
    Direction,
    Ending,
    Evaluation,
    Event,
    EventKind,
    Measure,
    Outcome,
    Records,
    Severity,
    Step,
    VerdictLabel,
)

NAN, INF = math.nan, math.inf
LOST, WARNING, FACT = Severity.LOST, Severity.WARNING, Severity.FACT
FALL = tuple(1.0 + 2.0 * math.exp(-i / 30) for i in range(200))
UNFINISHED = [outcome for outcome in Outcome if outcome is not Outcome.FINISHED]


def steps(values, **extra):
    return tuple(Step(i, {"mel": value}, total=value, **extra) for i, value in enumerate(values))


def at(kind, where, value, threshold=None, step=41, severity=WARNING):
    return Event(step, EventKind(kind), where, value, threshold, severity)


def verdict(values=FALL, events=(), outcome=Outcome.FINISHED, evaluations=(), weights=None, **options):
    """Of the events given, and of no others."""
    records = Records(steps(values), tuple(evaluations), tuple(events))
    return judge(records, Ending(outcome), weights or {"mel": 1.0}, **options)


def watched(records, outcome=Outcome.FINISHED):
    """Of the events that the rules find."""
    found = scan(records, {}, Policy(), finished=outcome is Outcome.FINISHED)
    return judge(Records(records.steps, records.evaluations, tuple(found)), Ending(outcome), {})


NAN_LOSS = at("nan_loss", "mel", NAN, step=3, severity=LOST)
BACK = [*FALL[:100], *[9.0] * 100]
STUCK = [3.0 + 0.01 * math.sin(i * i) for i in range(200)]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_lost_trial_is_diverged_however_its_process_ended(outcome):
    assert verdict(events=[NAN_LOSS], outcome=outcome).label is VerdictLabel.DIVERGED
    assert verdict([*FALL[:-1], NAN], outcome=outcome).kind is EventKind.NAN_LOSS
    back = verdict(BACK, outcome=outcome)
    if outcome in (Outcome.LOST, Outcome.OUT_OF_MEMORY):  # cut off from outside, and tried again
        assert back.label is VerdictLabel.INCONCLUSIVE
        return
    assert (back.label, back.kind, back.step) == (VerdictLabel.DIVERGED, EventKind.GAVE_BACK, 100)


@pytest.mark.parametrize("outcome", UNFINISHED)
@pytest.mark.parametrize("values", [FALL, STUCK, ()])
def test_an_unfinished_process_says_nothing_else_about_the_training(outcome, values):
    found = verdict(values, outcome=outcome)
    assert (found.label, found.evidence) == (VerdictLabel.INCONCLUSIVE, outcome.value)
    warned = verdict(values, [at("blow_up", "total", 9.0, 3.0)], outcome)
    assert warned.label is VerdictLabel.INCONCLUSIVE
    told = judge(Records(steps(values)), Ending(outcome, error="ValueError: no"), {})
    assert told.evidence == "ValueError: no"


def test_a_finished_training_is_what_its_course_says():
    assert verdict().label is VerdictLabel.STABLE
    assert verdict(STUCK).label is VerdictLabel.STUCK
    assert verdict([3.0, 2.0]).label is VerdictLabel.INCONCLUSIVE
    part = verdict([*FALL[:100], *[2.2 + 0.001 * (i % 3) for i in range(100)]])
    assert (part.label, part.kind) == (VerdictLabel.UNSTABLE, EventKind.GAVE_BACK)


def test_a_training_without_steps_is_inconclusive():
    assert verdict([]).evidence == "the trainer recorded no step"


def test_a_trial_never_evaluated_after_training_is_inconclusive_unless_it_is_lost():
    before = [Evaluation(0, BEFORE_TRAINING, {"mel": 3.0})]
    found = verdict(evaluations=before)
    assert found.label is VerdictLabel.INCONCLUSIVE
    assert found.evidence == "evaluated before training, but never after it"
    assert verdict(BACK, evaluations=before).label is VerdictLabel.DIVERGED


def test_stable_says_what_it_rests_on():
    evaluated = [Evaluation(0, BEFORE_TRAINING, {"mel": 2.0}), Evaluation(200, 0, {"mel": 1.0})]
    found = verdict(evaluations=evaluated, weights={"mel": 1.5})
    assert (found.step, found.kind, found.where) == (None, None, None)
    assert found.evidence == "yardstick 3 to 1.5 in 200 steps, every recorded number finite"
    assert verdict().evidence == "total 3 to 1.003 in 200 steps, every recorded number finite"


def test_stable_does_not_claim_more_than_it_knows():
    """A step that a scaler skipped, and a gradient that an integration did not mark as skipped."""
    skipped = [Step(i, {"mel": v}, grad_norm=INF if i in (7, 9) else 1.0, skipped=i == 7) for i, v in enumerate(FALL)]
    found = watched(Records(tuple(skipped)))
    assert found.label is VerdictLabel.STABLE
    assert found.evidence == "sum of losses 3 to 1.003 in 200 steps, not every number finite in 2 of them"


def test_stuck_tells_the_first_and_the_last_number():
    found = verdict([3.0, *STUCK[1:-1], 3.004])
    assert (found.step, found.kind, found.where) == (199, EventKind.STUCK, "total")
    assert found.evidence == "total 3 to 3.004 in 200 steps: no change beyond its noise"


def test_the_first_bad_step_is_the_earliest_one():
    late = at("nonfinite_weight", "weight_norm", NAN, step=9, severity=LOST)
    found = verdict(events=[late, NAN_LOSS], outcome=Outcome.STOPPED)
    assert (found.step, found.kind, found.where) == (3, EventKind.NAN_LOSS, "mel")


def test_what_was_lost_is_dated_by_the_nonfinite_numbers_just_before_it():
    gradient = at("nan_grad", "grad_norm", INF, step=2)
    found = verdict(events=[gradient, NAN_LOSS], outcome=Outcome.STOPPED)
    assert (found.step, found.kind, found.evidence) == (2, EventKind.NAN_GRAD, "gradient norm inf at step 2")
    long_before = at("nan_grad", "grad_norm", INF, step=0)
    assert verdict(events=[long_before, NAN_LOSS], outcome=Outcome.STOPPED).step == 3
    spike = at("spike", "total", 9.0, 6.0, step=2)
    assert verdict(events=[spike, NAN_LOSS], outcome=Outcome.STOPPED).step == 3


def test_a_crash_after_nan_is_diverged_and_one_without_is_inconclusive():
    assert watched(Records(steps([3.0, 2.0, NAN])), Outcome.CRASHED).label is VerdictLabel.DIVERGED
    assert watched(Records(steps([3.0, NAN, 2.0, 1.9])), Outcome.CRASHED).label is VerdictLabel.INCONCLUSIVE
    came_back = [*FALL[:50], NAN, *FALL[51:]]
    assert watched(Records(steps(came_back))).label is VerdictLabel.UNSTABLE
    assert watched(Records(steps(came_back)), Outcome.CRASHED).label is VerdictLabel.INCONCLUSIVE


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind not in SYMPTOMS])
def test_warnings_that_count_make_a_training_that_learned_unstable(kind):
    if kind is EventKind.VANISHING:
        return  # its sentence needs one of its own quantities: below
    found = verdict(events=[at(kind, "mel", 2.0, 1.0)])
    assert found.label is (VerdictLabel.STABLE if kind is EventKind.STUCK else VerdictLabel.UNSTABLE)
    assert verdict(events=[at(kind, "grad_cosine/a,b", 2.0, 1.0, severity=FACT)]).label is VerdictLabel.STABLE


@pytest.mark.parametrize("kind", sorted(SYMPTOMS))
def test_symptoms_say_nothing_against_a_training_that_learned(kind):
    symptom = [at(kind, "grad_rms", 2.0, 1.0)]
    assert verdict(events=symptom).label is VerdictLabel.STABLE
    assert verdict(STUCK, symptom).kind is EventKind.STUCK
    assert verdict(BACK, symptom).kind is EventKind.GAVE_BACK


def test_the_whole_course_comes_before_warnings_and_those_before_being_stuck():
    late, early = at("nan_loss", "mel", NAN, step=30), at("inf_loss", "mel", INF, step=5)
    assert verdict(events=[late, early]).kind is EventKind.INF_LOSS
    assert verdict(STUCK, [late]).label is VerdictLabel.UNSTABLE
    part = [*FALL[:100], *[2.2 + 0.001 * (i % 3) for i in range(100)]]
    assert verdict(part, [early]).kind is EventKind.GAVE_BACK


def test_declared_directions_are_heard():
    games = Records(tuple(Step(i, {"disc": value}) for i, value in enumerate(FALL)))
    assert judge(games, Ending(Outcome.FINISHED), {}).label is VerdictLabel.INCONCLUSIVE
    declared = {"disc": Direction.DOWN}
    assert judge(games, Ending(Outcome.FINISHED), {}, directions=declared).label is VerdictLabel.STABLE


def test_another_policy_gives_another_verdict():
    part = [*FALL[:100], *[2.2 + 0.001 * (i % 3) for i in range(100)]]
    assert verdict(part, policy=Policy(given_back=0.55)).label is VerdictLabel.DIVERGED


LAYERS = "grad_rms_first/grad_rms_last"
SENTENCES = [
    (at("nan_loss", "mel", NAN, step=3), "mel loss nan at step 3"),
    (at("nan_loss", "loss", NAN, step=3), "loss nan at step 3"),
    (at("inf_loss", "yardstick/mel", -INF, step=3), "yardstick/mel loss -inf at step 3"),
    (at("nan_grad", "grad_norm", INF, step=2), "gradient norm inf at step 2"),
    (at("nan_grad", "skipped steps", INF, step=40), "the gradient scaler skips one step after another, at step 40"),
    (at("nonfinite_weight", "weight_norm", NAN, step=1), "weight norm nan after step 1"),
    (at("masked_nonfinite", "mel", 0.0, 3.0, step=4), "mel loss stayed at exactly 0 for 3 steps up to step 4"),
    (at("blow_up", "total", 1234.5, 3.0), "total rose from 3 to 1234, for good from step 41 on"),
    (at("gave_back", "total", 0.83), "total gave back 83% of what it had learned, from step 41 on"),
    (at("gave_back", "total", 1.5), "total gave back more than all of what it had learned, from step 41 on"),
    (at("returned", "total", 51.0, 3.0), "total went up to 51 and came back to 3, where it began"),
    (at("excursion", "total", 91.0, 3.0), "total went up to 91 on its way from 3, at step 41"),
    (at("spike", "total", 8.21, 6.0),
     "total 8.21 robust standard deviations above its running median at step 41, and the gradient norm with it (limit 6)"),
    (at("grad_explosion", "grad_norm/early", 2210.0, 1e3),
     "gradient norm 2.21e+03 times what it was in the first steps at step 41 (limit 1e+03)"),
    (at("grad_explosion", LAYERS, 90.0, 70.0), "gradient of the first layer 90 times that of the last at step 41 (limit 70)"),
    (at("vanishing", "grad_rms", 3e-9, 1e-7), "root mean square of the gradient 3e-09 at step 41 (limit 1e-07)"),
    (at("vanishing", LAYERS, 2e-4, 1e-3), "gradient of the first layer 0.0002 times that of the last at step 41 (limit 0.001)"),
    (at("vanishing", "zero_grad_share", 0.8, 0.7), "share of gradient elements that are exactly 0: 0.8 at step 41 (limit 0.7)"),
    (at("stuck", "yardstick", 2.99, 3.0, step=15), "yardstick 3 to 2.99 in 16 steps: no change beyond its noise"),
    (at("update_ratio", "update_ratio", 0.05, 0.03), "updates change the weights by 0.05 of their norm at step 41 (limit 0.03)"),
    (at("update_ratio", "update_ratio", 2e-9, 1e-6),
     "no sampled update changed the weights by more than 2e-09 of their norm (limit 1e-06)"),
    (at("clip_saturation", "clip_factor", 0.984, 0.95, severity=FACT),
     "98.4% of the steps were clipped: clipping normalises the gradient, and nothing can be traced to the clip value"),
    (at("clip_saturation", "clip_factor", 0.0, 0.01, severity=FACT), "0.0% of the steps were clipped: clipping is inactive"),
    (at("attention_logits", "attention_logit", 61.0, 50.0), "largest attention logit 61 at step 41 (limit 50)"),
    (at("dominance", "grad_share/kl", 0.957, 0.9, severity=FACT),
     "kl makes up 95.7% of the weighted gradients at step 41 (limit 0.9)"),
    (at("dominance", "grad_cosine/kl,mel", -0.6, -0.5, severity=FACT),
     "gradients of kl and mel pull against each other: cosine -0.6 at step 41 (limit -0.5)"),
    (at("oscillation", "total", 0.123, 0.05), "total goes up and down in turn by 12.3% at step 41 (limit 0.05)"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "sentence"), SENTENCES)
def test_an_event_in_words(event, sentence):
    assert describe(event) == sentence


def test_every_kind_of_event_is_among_them():
    assert {event.kind for event, _ in SENTENCES} == set(EventKind)


def test_the_measures_that_rules_look_at_are_spelt_as_they_are_recorded():
    assert f"{Measure.GRAD_RMS_FIRST}/{Measure.GRAD_RMS_LAST}" == LAYERS


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_the_yardstick_hides_nothing(value):
    assert not math.isfinite(yardstick({"mel": value, "kl": 1.0}, {"mel": 1.0, "kl": 0.5}))
    assert not math.isfinite(yardstick({"mel": value}, {"mel": 1.0, "kl": 0.5}))
    with pytest.raises(KeyError):
        yardstick({"mel": 1.0}, {"mel": 1.0, "kl": 0.5})
