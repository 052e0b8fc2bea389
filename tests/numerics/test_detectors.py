"""Every rule on planted records, and on healthy look-alikes that must stay silent."""

import math

import pytest

from stability.numerics.detectors import Monitor, scan
from stability.records import BEFORE_TRAINING, Evaluation, EventKind, Policy, Records, Severity, Step

NAN, INF = math.nan, math.inf


def events(steps=(), evaluations=()):
    records = Records(tuple(steps), tuple(evaluations))
    return scan(records, {"mel": 1.0, "kl": 0.5}, Policy())


def course(*values, name="mel", **extra):
    return [Step(i, {name: value}, lr=0.1, **extra) for i, value in enumerate(values)]


def kinds(found):
    return [(event.kind.value, event.where, event.step) for event in found]


def test_each_component_has_its_own_first_event_in_order():
    steps = [
        Step(0, {"mel": 1.0, "kl": 1.0}, total=2.0),
        Step(1, {"mel": 1.0, "kl": INF}, total=INF),
        Step(2, {"mel": NAN, "kl": NAN}, total=NAN),
    ]
    assert kinds(events(steps)) == [("inf_loss", "kl", 1), ("inf_loss", "total", 1), ("nan_loss", "mel", 2)]


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_nonfinite_gradient_and_weight(value):
    steps = [Step(0, {"mel": 1.0}, grad_norm=value, weight_norm=value)]
    assert kinds(events(steps)) == [("nan_grad", "grad_norm", 0), ("nonfinite_weight", "weight_norm", 0)]


def test_skipped_steps_of_a_scaler_are_no_nan_until_three_in_a_row():
    def skipping(pattern):
        return [
            Step(i, {"mel": 1.0 / (i + 1)}, grad_norm=INF if s == "s" else 1.0, skipped=s == "s")
            for i, s in enumerate(pattern)
        ]

    assert events(skipping("ss.s.ss.")) == []
    assert kinds(events(skipping(".sss"))) == [("nan_grad", "grad_norm", 3)]
    assert events(skipping("s" * 16 + "..")) == []  # the scaler looking for its first scale
    assert kinds(events(skipping("s" * 17))) == [("nan_grad", "grad_norm", 16)]


def test_a_masked_nan_is_found_at_the_third_equal_value():
    assert kinds(events(course(2.87, 0.72, 0.0, 0.0, 0.0))) == [("masked_nonfinite", "mel", 4)]
    assert kinds(events(course(0.0, 0.0, 0.0, 0.0))) == [("masked_nonfinite", "mel", 2)]
    assert kinds(events(course(2.0, 1.5, 1.5, 1.5))) == [("masked_nonfinite", "mel", 3)]


@pytest.mark.parametrize(
    "steps",
    [
        course(3.0, 2.0, 1.0, 0.5, 0.4),
        course(2.0, 1.5, 1.5, 1.4, 1.4, 1.3),
        [Step(i, {"mel": 3.0 - i / 10, "kl": 0.0}, lr=0.1) for i in range(6)],  # a term switched off
        [Step(i, {"mel": 3.0}, lr=0.0) for i in range(6)],  # nothing can move
    ],
)
def test_healthy_courses_are_silent(steps):
    assert events(steps) == []


def test_a_collapsed_term_is_a_warning_at_most():
    kl = (1.0, 0.5, 0.0, 0.0, 0.0, 0.0)
    falling = [Step(i, {"mel": 3.0 - i / 10, "kl": value}, lr=0.1) for i, value in enumerate(kl)]
    [event] = events(falling)
    assert (event.where, event.severity) == ("kl", Severity.WARNING)
    with_gradient = [Step(s.step, s.losses, lr=0.1, grad_norm=1.0) for s in falling]
    free_bits = [
        Step(s.step, {"mel": s.losses["mel"], "kl": max(s.losses["kl"], 0.2)}, lr=0.1) for s in falling
    ]
    assert events(with_gradient) == [] and events(free_bits) == []


def test_a_zeroed_loss_with_a_zero_gradient_is_lost():
    steps = [
        Step(i, {"mel": v}, lr=0.1, grad_norm=1.0 if v else 0.0)
        for i, v in enumerate((2.0, 0.7, 0.0, 0.0, 0.0))
    ]
    [event] = events(steps)
    assert event.severity is Severity.LOST


def test_without_a_yardstick_the_training_losses_are_watched():
    found = events(course(1.0, 1.1, 0.9, 5.0, 50.0, 500.0, 5000.0))
    assert {event.where for event in found} == {"sum of losses"} and found[-1].severity is Severity.LOST
    annealed = [Step(i, {"mel": 2.0 - i / 10, "kl": 1.0}, total=2.0 + i, lr=0.1) for i in range(12)]
    assert [e for e in events(annealed) if e.kind is EventKind.BLOW_UP] == []


def test_nan_is_never_called_masked():
    found = events(course(1.0, NAN, NAN, NAN, NAN))
    assert kinds(found) == [("nan_loss", "mel", 1)]


def evaluations(*values, every=8):
    first = Evaluation(0, BEFORE_TRAINING, {"mel": values[0], "kl": 0.0})
    return [first] + [Evaluation(every * (i + 1), i, {"mel": v, "kl": 0.0}) for i, v in enumerate(values[1:])]


def test_blow_up_warns_then_is_lost():
    found = events(evaluations=evaluations(1.0, 1.2, 1.3, 2.1, 5.0))
    assert [(event.severity, event.step) for event in found] == [(Severity.WARNING, 15), (Severity.LOST, 23)]
    assert found[1].value == pytest.approx(2.1) and found[1].threshold == 2.0


def test_blow_up_waits_five_steps():
    assert events(evaluations=evaluations(1.0, 9.0, 0.9, every=4)) == []


def test_the_yardstick_weighs_its_components():
    early = Evaluation(0, BEFORE_TRAINING, {"mel": 1.0, "kl": 0.0})
    late = Evaluation(8, 0, {"mel": 1.0, "kl": 3.0})
    [event] = events(evaluations=[early, late])
    assert event.kind is EventKind.BLOW_UP and event.value == pytest.approx(2.5)


@pytest.mark.parametrize("value", [NAN, INF])
def test_a_nonfinite_evaluation_is_lost_at_any_step(value):
    found = events(evaluations=[Evaluation(0, BEFORE_TRAINING, {"mel": value, "kl": 0.0})])
    assert [(event.where, event.severity) for event in found] == [("yardstick/mel", Severity.LOST)]


def test_a_scan_of_stored_records_equals_watching_them_live():
    steps = course(2.0, 1.0, NAN, NAN)
    monitor = Monitor({"mel": 1.0, "kl": 0.5}, Policy())
    live = [event for step in steps for event in monitor.step(step)]
    assert [event.kind for event in live] == [event.kind for event in events(steps)]


def test_another_policy_judges_the_same_records_differently():
    records = Records(evaluations=tuple(evaluations(1.0, 1.6)))
    strict = scan(records, {"mel": 1.0}, Policy(blow_up_severe=1.5))
    assert [event.severity for event in strict] == [Severity.LOST]
