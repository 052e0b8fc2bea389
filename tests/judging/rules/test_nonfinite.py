"""Non-finite numbers and what hides them, on planted records and healthy look-alikes."""

import pytest
from courses import INF, NAN, course, events, kinds

from stability.records import BEFORE_TRAINING, Evaluation, Severity, Step


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


def test_nan_is_never_called_masked():
    found = events(course(1.0, NAN, NAN, NAN, NAN))
    assert kinds(found) == [("nan_loss", "mel", 1)]


@pytest.mark.parametrize("value", [NAN, INF])
def test_a_nonfinite_evaluation_is_lost_at_any_step(value):
    found = events(evaluations=[Evaluation(0, BEFORE_TRAINING, {"mel": value, "kl": 0.0})])
    assert [(event.where, event.severity) for event in found] == [("yardstick/mel", Severity.LOST)]


def skipping(n, share, finite=False):
    """A scaler that applies its first step, and then skips this share of them, never two in a row."""
    every = round(1 / share) if share else n + 1
    skipped = [i % every == every - 1 for i in range(n)]
    norms = [1.0 if finite or not skip else INF for skip in skipped]
    return [Step(i, {"mel": 2.0 - i / n}, grad_norm=norms[i], skipped=skipped[i]) for i in range(n)]


def test_a_scaler_that_keeps_skipping_has_lost_its_gradients():
    [event] = events(skipping(200, 0.1), kind="nan_grad")
    assert (event.where, event.step, event.value) == ("skipped steps", 179, 0.1)
    assert event.severity is Severity.LOST and event.threshold == 0.05
    assert [event.step for event in events(skipping(200, 0.25), kind="nan_grad")] == [99]
    assert events(skipping(99, 0.25)) == []  # too few to say
    assert events(skipping(170, 0.1)) == []  # 17 skips take a scaler from any scale to 1
    assert events(skipping(400, 0.04)) == []
    assert events(skipping(200, 0.1, finite=True)) == []  # skipped by somebody's choice, not by a scaler


def test_the_search_for_the_first_scale_is_no_share_of_the_skips():
    searching = [Step(i, {"mel": 1.0 / (i + 1)}, grad_norm=INF, skipped=True) for i in range(16)]
    rest = [Step(16 + i, {"mel": 1.0 / (i + 20)}, grad_norm=1.0) for i in range(150)]
    assert events(searching + rest) == []
