"""Which of a training's numbers says how it goes."""

import math

import pytest

from stability.judging.columns import Columns
from stability.records import Direction, Step


def followed(rows, declared=None, totals=None, weights=None):
    columns = Columns(declared or {})
    for i, losses in enumerate(rows):
        columns.add(Step(10 * i, losses, total=None if totals is None else totals[i]))
    return columns.followed(weights)


def test_the_total_is_followed_where_every_step_has_one():
    series = followed([{"mel": 2.0}, {"mel": 1.0}], totals=[5.0, 4.0])
    assert (series.name, series.steps, series.values) == ("total", [0, 10], [5.0, 4.0])
    assert series.directed
    assert not series.declared


def test_the_sum_of_what_should_fall_is_followed_where_a_step_has_no_total():
    series = followed([{"mel": 2.0, "dur": 1.0, "kl": 8.0}, {"mel": 1.0}], totals=[5.0, None])
    assert (series.name, series.values) == ("sum of losses", [3.0, 1.0])


def test_what_is_not_finite_is_left_out():
    series = followed([{"mel": 2.0}, {"mel": math.nan}, {"mel": math.inf}, {"mel": 1.0}])
    assert (series.steps, series.values) == ([0, 30], [2.0, 1.0])


def test_a_nan_in_one_loss_is_in_the_sum():
    assert followed([{"mel": 2.0, "dur": math.nan}, {"mel": 1.0, "dur": 1.0}]).values == [2.0]


def test_counters_and_loss_scales_are_no_losses():
    rows = [{"loss": 3.0 - i / 10, "i": 5.0 * i, "amp": 65536.0 if i < 5 else 32768.0} for i in range(10)]
    assert followed(rows).values == pytest.approx([3.0 - i / 10 for i in range(10)])


def test_a_declared_counter_is_a_loss():
    rows = [{"loss": 3.0, "i": 5.0 * i} for i in range(6)]
    assert followed(rows, {"i": Direction.DOWN}).values == [3.0 + 5.0 * i for i in range(6)]


def test_the_only_loss_is_followed_however_it_moves():
    assert followed([{"loss": float(i)} for i in range(6)]).values == [float(i) for i in range(6)]


def test_a_metric_is_followed_turned_over_where_no_loss_should_fall():
    series = followed([{"policy": 0.1, "reward": 1.0}, {"policy": -0.1, "reward": 7.0}], totals=[0.1, -0.1])
    assert (series.name, series.values, series.is_turned) == ("reward", [-1.0, -7.0], True)
    assert [series.shown(value) for value in series.values] == [1.0, 7.0]


def test_a_total_of_terms_without_direction_has_none():
    series = followed([{"gen": 1.0, "disc": 2.0}] * 2, totals=[3.0, 3.0])
    assert not series.directed


def test_a_declared_loss_is_said_to_be():
    assert followed([{"kl": 1.0}] * 2, {"kl": Direction.DOWN}).declared


GENERATOR = [{"mel": 2.0, "dur": 1.0, "gen": 9.0}, {"mel": 1.0, "dur": 3.0, "gen": 5.0}]


def test_the_parts_of_a_yardstick_are_followed_instead_of_a_total_with_a_generator():
    series = followed(GENERATOR, totals=[12.0, 9.0], weights={"mel": 2.0, "dur": 0.5})
    assert (series.name, series.values) == ("yardstick of training losses", [4.5, 3.5])
    assert series.directed
    assert not series.declared


def test_a_total_is_followed_where_parts_of_the_yardstick_are_not_recorded_or_all_terms_should_fall():
    assert followed(GENERATOR, totals=[12.0, 9.0], weights={"mel": 2.0, "pitch": 0.5}).name == "total"
    without = [{"mel": row["mel"], "dur": row["dur"]} for row in GENERATOR]
    assert followed(without, totals=[3.0, 4.0], weights={"mel": 2.0, "dur": 0.5}).name == "total"


def test_a_yardstick_whose_parts_are_declared_is_declared():
    declared = dict.fromkeys(("mel", "dur"), Direction.DOWN)
    assert followed(GENERATOR, declared, [12.0, 9.0], {"mel": 2.0, "dur": 0.5}).declared


def test_a_direction_may_be_given_as_a_study_stores_it():
    assert followed(GENERATOR, {"mel": "down", "dur": "down"}, [12.0, 9.0], {"mel": 2.0, "dur": 0.5}).declared
