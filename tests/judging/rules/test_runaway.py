"""The rule that ends a training early: a million times its start, and going on."""

import pytest
from courses import INF, NAN, course, events

from stability.judging.policy import Policy
from stability.records import EventKind, Severity, Step


def ends(values, **options):
    return [(event.step, event.where) for event in events(course(*values), kind="blow_up", **options)]


START = [3.0, 2.9, 2.8, 2.7, 2.6, 2.5, 2.4, 2.3, 2.2, 2.1]


def test_ten_steps_a_million_times_above_the_first_ten_end_it():
    [event] = events(course(*START, *[3.1e6] * 12), kind="blow_up")
    assert (event.step, event.kind, event.severity) == (19, EventKind.BLOW_UP, Severity.LOST)
    assert (event.value, event.threshold) == (3.1e6, 3.0)
    assert ends([*START, *[2.9e6] * 50]) == [] and ends([*START, *[3.1e6] * 9]) == []


def test_what_comes_down_again_may_go_on():
    falling = [3e12 * 0.9**i for i in range(60)]
    assert ends([*START, *falling]) == []
    assert ends([*START, *[1e9] * 9, 2.0, *[1e9] * 9]) == []
    assert ends([*START, *falling[:12], *[1e13] * 10]) != []


def test_an_explosion_that_began_at_once_must_go_on():
    assert ends([1.0, 1e9, *[1e9] * 30]) == []
    assert ends([1.0, 1e9, *[1e9] * 8, *[1e16] * 10]) == [(19, "sum of losses")]


@pytest.mark.parametrize("factor", [1e3, 1e-3])
def test_its_unit_changes_nothing(factor):
    values = [*START, *[10.0**i for i in range(4, 20)]]
    assert ends([factor * value for value in values]) == ends(values) != []


def test_negative_starts_have_a_size_and_zeros_have_none():
    assert ends([*(-v for v in START), *[3.1e6] * 10]) != [] and ends([*(-v for v in START), *[-1e9] * 20]) == []
    assert ends([0.0] * 10 + [1e9] * 30) == []


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_numbers_that_are_not_finite_are_passed_over(value):
    assert ends([value] * 40) == []
    assert ends([*START, *[3.1e6] * 5, value, *[3.1e6] * 5]) == [(20, "sum of losses")]


def test_the_total_or_else_the_losses_that_should_fall_are_watched():
    n = 30
    large = [3.0 if i < 10 else 1e9 for i in range(n)]
    totals = [Step(i, {"mel": 1.0}, total=large[i]) for i in range(n)]
    assert [event.where for event in events(totals, kind="blow_up")] == ["total"]
    games = [Step(i, {"mel": 1.0, "disc": large[i]}) for i in range(n)]
    assert events(games, kind="blow_up") == []


def test_limits_are_those_of_the_policy():
    assert ends([3.0, 3.0, 40.0, 40.0], policy=Policy(runaway=10.0, runaway_steps=2)) == [(3, "sum of losses")]
