"""Which numbers the question whether a training learned is asked of, and what it says of them at the end."""

import math

import pytest
from courses import INF, NAN, course, events, noisy

from stability.judging.policy import Policy
from stability.judging.rules.progress import Progress
from stability.judging.rules.rule import Context
from stability.records import BEFORE_TRAINING, Direction, Evaluation, EventKind, Severity, Step, VerdictLabel

FALL = [1.0 + 2.0 * math.exp(-i / 30) for i in range(200)]
RISE = [4.0 - value for value in FALL]
WEIGHTS = {"mel": 1.0}


def concluded(steps, evaluations=(), *, weights=WEIGHTS, directions=None):
    rule = Progress(Context(Policy(), weights, directions or {}))
    for step in steps:
        assert not list(rule.step(step))
    for evaluation in evaluations:
        assert not list(rule.evaluation(evaluation))
    return rule.conclusion()


def evaluated(*values, first=BEFORE_TRAINING):
    return [Evaluation(20 * i, i + first, {"mel": value}) for i, value in enumerate(values)]


def test_the_total_is_asked_where_every_step_has_one():
    steps = [Step(i, {"mel": rise}, total=fall) for i, (rise, fall) in enumerate(zip(RISE, FALL, strict=True))]
    assert concluded(steps).evidence == "total 3 to 1.003"
    steps[50] = Step(50, {"mel": RISE[50]})
    assert concluded(steps).evidence.startswith("sum of losses 1 to 2.997")


def test_components_without_direction_are_left_out_of_the_sum():
    steps = [Step(i, {"mel": fall, "disc": 9.0 * i, "acc": i}) for i, fall in enumerate(FALL)]
    found = concluded(steps)
    assert (found.label, found.evidence) == (VerdictLabel.STABLE, "sum of losses 3 to 1.003")


def test_a_sum_of_nothing_that_should_fall_is_undecided_until_its_direction_is_declared():
    steps = [Step(i, {"disc": fall}) for i, fall in enumerate(FALL)]
    found = concluded(steps)
    assert found.label is VerdictLabel.INCONCLUSIVE and "evaluate, so that" in found.evidence
    assert concluded(steps, directions={"disc": Direction.DOWN}).label is VerdictLabel.STABLE
    assert concluded(course(*FALL), directions={"mel": Direction.NONE}).label is VerdictLabel.INCONCLUSIVE


def test_the_yardstick_is_asked_first_where_there_is_one():
    assert concluded(course(*FALL), evaluated(3.0, 2.0, 1.5, 1.0)).evidence == "yardstick 3 to 1"
    assert concluded(course(*FALL), evaluated(3.0, 2.0, 1.5, 1.0), weights={}).evidence.startswith("sum of losses")
    assert concluded(course(*FALL), evaluated(3.0, 2.0, 1.5, 1.0), weights={"mel": 2.0}).evidence == "yardstick 6 to 2"


def test_fewer_than_four_evaluations_need_one_before_training():
    assert concluded(course(*FALL), evaluated(3.0, 1.0)).evidence.startswith("yardstick")
    assert concluded(course(*FALL), evaluated(3.0, 1.0, first=0)).evidence.startswith("sum of losses")
    assert concluded(course(*FALL), evaluated(NAN, 3.0, 1.0)).evidence.startswith("sum of losses")


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_numbers_that_are_not_finite_are_left_out(value):
    broken = [value if i % 20 == 3 else fall for i, fall in enumerate(FALL)]
    assert concluded(course(*broken)).label is VerdictLabel.STABLE
    assert concluded(course(*[value] * 50)).label is VerdictLabel.INCONCLUSIVE
    assert concluded(course(*FALL), evaluated(3.0, value, 2.0, 1.5, value)).evidence == "yardstick 3 to 1.5"


def test_what_is_bad_is_an_event_of_the_end():
    values = [*FALL[:100], *noisy(100, lambda t: 8.0, 0.01)]
    assert events(course(*values)) == []
    [event] = events(course(*values), finished=True)
    assert (event.kind, event.where, event.severity) == (EventKind.GAVE_BACK, "sum of losses", Severity.LOST)
    assert event.step == 100
    [event] = events(course(*noisy(200, sigma=0.01)), finished=True)
    assert (event.kind, event.step, event.severity) == (EventKind.STUCK, 199, Severity.WARNING)
    assert events(course(*FALL), finished=True) == []


def test_steps_and_evaluations_have_the_numbers_they_were_recorded_with():
    values = [*FALL[:100], *noisy(100, lambda t: 8.0, 0.01)]
    [event] = events([Step(50 * i, {"mel": v}) for i, v in enumerate(values)], finished=True)
    assert event.step == 5000
    [event] = events(evaluations=evaluated(3.0, 1.0, 1.0, 9.0, 9.0, 9.0), weights=WEIGHTS, finished=True)
    assert (event.where, event.step) == ("yardstick", 59)  # the evaluation after 60 steps


def test_a_step_without_losses_has_no_sum_of_0():
    steps = [Step(2 * i, {"mel": fall}) for i, fall in enumerate(FALL)] + [Step(2 * i + 1, {}) for i in range(200)]
    assert concluded(sorted(steps, key=lambda step: step.step)).evidence == "sum of losses 3 to 1.003"
    found = concluded([Step(i, {}, grad_norm=1.0) for i in range(50)])
    assert found.evidence == "0 numbers of sum of losses: at least 4 are needed to tell how it goes"


def test_nothing_recorded_is_nothing_said():
    assert concluded([]).event is None and events(finished=True) == []
