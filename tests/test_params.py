"""Ranges: both spellings, what they accept, how designs fill them."""

import pytest
from pydantic import ValidationError

from stability.params import Param, ParamEntry


def only(entry: dict) -> Param:
    [param] = ParamEntry.model_validate(entry).ranges("x")
    return param


@pytest.mark.parametrize(
    ("native", "sweep"),
    [
        (
            {"min": 1e-6, "max": 1.0, "log": True},
            {"distribution": "log_uniform_values", "min": 1e-6, "max": 1.0},
        ),
        ({"min": 0.0, "max": 1.0}, {"distribution": "uniform", "min": 0, "max": 1}),
        ({"min": 1, "max": 8}, {"distribution": "int_uniform", "min": 1, "max": 8}),
        (
            {"min": 0.0, "max": 1.0, "q": 0.25},
            {"distribution": "q_uniform", "min": 0.0, "max": 1.0, "q": 0.25},
        ),
        ({"values": [1, "a", None]}, {"distribution": "categorical", "values": [1, "a", None]}),
        ({"value": 3}, {"distribution": "constant", "value": 3}),
    ],
)
def test_the_native_and_the_sweep_spelling_agree(native, sweep):
    one, other = only(native), only(sweep)
    assert (one.kind, one.log, one.step, one.choices) == (other.kind, other.log, other.step, other.choices)
    assert (one.low, one.high) == (other.low, other.high)


def test_nested_sweep_parameters_are_joined_with_dots():
    entry = ParamEntry.model_validate({"parameters": {"lr": {"value": 1}, "name": {"values": ["a", "b"]}}})
    assert [param.name for param in entry.ranges("optimizer")] == ["optimizer.lr", "optimizer.name"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"min": 2.0, "max": 1.0}, "min 2.0 must be below max 1.0"),
        ({"min": 1.0, "max": 1.0}, "min 1.0 must be below max 1.0"),
        ({"min": 0.0, "max": 1.0, "log": True}, "a log range needs min above 0, got 0.0"),
        ({"min": 1.0}, "give both `min` and `max`"),
        ({"min": float("nan"), "max": 1.0}, "min nan and max 1.0 must be finite"),
        ({}, "give exactly one of `value`, `values`, or `min` with `max`"),
        ({"value": 1, "values": [1]}, "give exactly one of"),
        ({"distribution": "normal", "mu": 0}, "mu"),
        ({"distribution": "beta", "min": 0.0, "max": 1.0}, "unknown distribution 'beta'; allowed: constant,"),
        (
            {"distribution": "int_uniform", "min": 0.5, "max": 2.5},
            "int_uniform needs integer ends, got 0.5 and 2.5",
        ),
        ({"distribution": "uniform", "values": [1.0]}, "uniform takes max, min; not values"),
        (
            {"distribution": "q_uniform", "min": 1, "max": 10, "q": 3},
            "q_uniform draws multiples of q; min 1 is no",
        ),
        ({"values": [1.0], "log": True}, "log belongs to a range; give `min` and `max` with it"),
        ({"value": float("nan")}, "nan is no setting; give finite numbers"),
        ({"values": [0.0, False]}, "false equals an earlier choice; give each once, in one type"),
        ({"min": 1.0, "max": 2.0, "log": True, "q": 0.1}, "a log range has no step; leave out `q`"),
    ],
)
def test_ranges_that_make_no_sense(entry, message):
    with pytest.raises(ValidationError, match=message.replace("(", r"\(")):
        ParamEntry.model_validate(entry)


@pytest.mark.parametrize(
    ("entry", "value", "problem"),
    [
        ({"min": 0.0, "max": 1.0}, 0.5, None),
        ({"min": 0.0, "max": 1.0}, 1, None),
        ({"min": 0.0, "max": 1.0}, True, "True is not a number"),
        ({"min": 0.0, "max": 1.0}, "0.5", "'0.5' is not a number"),
        ({"min": 0.0, "max": 1.0}, 1.5, "1.5 is outside 0 to 1"),
        ({"min": 0.0, "max": 1.0}, float("nan"), "nan is outside 0 to 1"),
        ({"min": 1, "max": 8}, 2.5, "2.5 is not an integer"),
        ({"values": [False, True]}, 0, "0 is not one of false, true"),
        ({"values": [None, 1.0]}, None, None),
    ],
)
def test_what_a_range_accepts(entry, value, problem):
    assert only(entry).problem(value) == problem


@pytest.mark.parametrize(
    "entry",
    [
        {"min": 1e-6, "max": 1.0, "log": True},
        {"min": -1.0, "max": 1.0},
        {"min": 0.0, "max": 1.0, "q": 0.3},
        {"min": 1, "max": 8},
        {"min": 1, "max": 64, "log": True},
        {"min": 2, "max": 9, "q": 3},
        {"values": [None, "a", 3]},
    ],
)
def test_every_quantile_is_an_allowed_value(entry):
    param = only(entry)
    values = [param.at(u / 1000) for u in range(1000)] + [param.at(1 - 2**-53)]
    assert all(param.problem(value) is None for value in values)


def test_quantiles_of_known_ranges():
    assert only({"min": 1e-4, "max": 1.0, "log": True}).at(0.5) == pytest.approx(1e-2)
    assert only({"min": 0.0, "max": 4.0}).at(0.25) == 1.0
    assert [only({"min": 1, "max": 4}).at(u) for u in (0, 0.25, 0.5, 0.99)] == [1, 2, 3, 4]
