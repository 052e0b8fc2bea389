"""Losses that stand still where a NaN was replaced, and healthy ones that do so, too."""

import pytest
from courses import INF, NAN, course, events

from stability.judging.policy import Policy
from stability.records import Severity, Step


def masked(steps, **options):
    return [(event.where, event.step, event.severity) for event in events(steps, kind="masked_nonfinite", **options)]


def test_equal_losses_over_gradients_that_are_not_finite_are_lost():
    steps = [Step(i, {"mel": 1.5 if i > 2 else 3.0 - i}, grad_norm=NAN if i > 2 else 1.0) for i in range(9)]
    assert masked(steps) == [("mel", 5, Severity.LOST)]
    assert masked(steps, policy=Policy(masked_steps=5)) == [("mel", 7, Severity.LOST)]
    skipped = [Step(s.step, s.losses, grad_norm=s.grad_norm, skipped=True) for s in steps]
    assert masked(skipped) == []


def test_every_component_must_stand_still():
    steps = [Step(i, {"mel": 1.5, "kl": 1.0 / (i + 1)}, grad_norm=INF) for i in range(9)]
    assert masked(steps) == []


@pytest.mark.parametrize("norm", [None, 0.0, NAN])
def test_a_fall_to_exactly_0_in_one_step_is_a_warning(norm):
    steps = [Step(i, {"mel": value}, grad_norm=norm) for i, value in enumerate([2.9, 2.7, 0.0, 0.0, 0.0, 0.0])]
    assert ("mel", 4, Severity.WARNING) in masked(steps)


def test_a_gradient_that_moves_speaks_against_it():
    assert masked(course(2.9, 2.7, 0.0, 0.0, 0.0, 0.0, grad_norm=1.0)) == []


@pytest.mark.parametrize(
    "values",
    [
        (2.0, 1.5, 1.5, 1.5, 1.5, 1.5),  # a printed loss
        (3.0, 1.0, 0.2, 0.02, 0.0, 0.0, 0.0, 0.0),  # got there by and by
        (0.0, 0.0, 0.0, 0.0, 0.0),  # an annealed term that has not begun
        (2.0, 1.9, 0.0, 0.0, 1.8, 1.7),  # two empty batches
        (1.0, 0.0, 0.9, 0.0, 0.0, 0.0),  # zeros are nothing new to it
        (NAN, NAN, NAN, NAN),  # not hidden at all
    ],
)
def test_healthy_look_alikes_are_silent(values):
    assert masked(course(*values)) == []


def test_each_severity_is_told_once():
    values = [2.0, 1.9, *[0.0] * 4, *[1.5] * 10, *[0.0] * 4]
    assert masked(course(*values)) == [("mel", 4, Severity.WARNING)]
