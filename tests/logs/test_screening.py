"""Numbers that stand where nothing was measured, and those that are lost: what is recorded of them."""

import math

import pytest

from stability.logs.observation import Observation
from stability.logs.screening import Screening

NAN = math.nan


def left(*values: float | dict, is_evaluation: bool) -> list[float | dict]:
    """What is left of these losses, one observation each; "nan" for NaN, so that they can be compared."""
    screening = Screening()
    rows = [value if isinstance(value, dict) else {"loss": value} for value in values]
    found = [own for row in rows for own in screening.of(Observation(row, is_evaluation=is_evaluation))]
    found += screening.end()
    shown = [{n: "nan" if math.isnan(v) else v for n, v in own.values.items()} for own in found]
    return [row.get("loss") if row.keys() <= {"loss"} else row for row in shown if row]


@pytest.mark.parametrize("gap", [NAN, 0.0, math.inf])
@pytest.mark.parametrize("values", ["..v..v..v", "v..v..v..", "v....", "....", "...vvv", "v.v..v..v..v."])
def test_an_evaluation_now_and_then_is_not_lost(gap: float, values: str) -> None:
    own = [gap if sign == "." else 3.0 - i / 9 for i, sign in enumerate(values)]
    expected = [value for value in own if value != gap and not math.isnan(value)]
    found = left(*own, is_evaluation=True)
    if values == "v....":  # it never came back
        shown = "nan" if math.isnan(gap) else gap
        expected.append(shown)
    assert found == expected


def test_an_evaluation_that_becomes_nan_and_stays_it_is_lost() -> None:
    assert left(3.0, 2.0, 1.0, NAN, NAN, is_evaluation=True) == [3.0, 2.0, 1.0, "nan", "nan"]
    assert left(3.0, NAN, is_evaluation=True) == [3.0, "nan"]
    every_second = [value for i in range(4) for value in (3.0 - i, NAN)]
    assert left(*every_second, NAN, NAN, NAN, is_evaluation=True)[-2:] == ["nan", "nan"]


def test_zero_beside_other_losses_of_an_evaluation_is_measured() -> None:
    rows = [{"mel": 1.0, "kl": 0.0}, {"mel": 0.5, "kl": 0.0}]
    assert left(*rows, is_evaluation=True) == rows


def test_a_term_that_the_total_leaves_out_is_undefined_by_nature() -> None:
    rows = [{"total": 1.0, "a": 0.5, "b": NAN if i % 3 else 0.5} for i in range(9)]
    assert [row.get("b") for row in left(*rows, is_evaluation=False)] == [0.5, None, None] * 3
    masked = [{"total": 0.0, "a": 0.5, "b": NAN}] * 3
    assert [row["b"] for row in left(*masked, is_evaluation=False)] == ["nan"] * 3
    never = [{"total": 1.0, "a": 0.5, "b": NAN}] * 4
    assert left(*never, is_evaluation=False) == [{"total": 1.0, "a": 0.5}] * 4


def test_a_term_that_becomes_nan_beside_a_finite_total_is_lost() -> None:
    rows = [{"total": 1.0, "a": 0.5 if i < 6 else NAN} for i in range(9)]
    assert [row["a"] for row in left(*rows, is_evaluation=False)] == [0.5] * 6 + ["nan"] * 3
    late = [{"total": 1.0, "a": 0.5 if 40 <= i < 60 else NAN} for i in range(70)]
    assert [row.get("a") for row in left(*late, is_evaluation=False)][60:] == ["nan"] * 10


def test_a_nan_beside_no_total_is_lost() -> None:
    rows = [{"a": 0.5, "b": NAN}] * 3
    assert left(*rows, is_evaluation=False) == [{"a": 0.5, "b": "nan"}] * 3
    assert left(NAN, NAN, is_evaluation=False) == ["nan", "nan"]


@pytest.mark.parametrize("first", [0.0, -1.0])
def test_a_first_row_of_zeros_is_no_start(first: float) -> None:
    assert left(first, 3.0, 2.0, is_evaluation=False) == [3.0, 2.0]


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0, 0.1], [0.0, -0.5], [3.0, 0.0, 2.0], [-0.5, 0.5]])
def test_a_first_row_that_may_be_a_start_stays(values: list[float]) -> None:
    assert left(*values, is_evaluation=False) == values


def test_a_row_before_sums_over_many_steps_is_no_start() -> None:
    def first(step: int | None, tok: float, ner: float) -> int:
        """How many of two rows are left."""
        screening = Screening()
        rows = [({"tok": tok, "ner": 52.0}, 0), ({"tok": 149.0, "ner": ner}, step)]
        return sum(len(list(screening.of(Observation(row, step=at)))) for row, at in rows)

    assert first(200, 0.0, 2543.0) == 1
    assert first(1, 0.0, 2543.0) == first(200, 0.5, 2543.0) == first(200, 0.0, 50.0) == 2


def test_what_was_left_out_is_told() -> None:
    screening = Screening()
    for value in (0.0, 3.0):
        list(screening.of(Observation({"loss": value})))
    list(screening.of(Observation({"loss": NAN}, is_evaluation=True)))
    assert list(screening.notes()) == [
        "the first row has 0 or -1 in place of a loss: it is no start, and was left out",
        "`loss` of an evaluation was not measured 1 times: NaN or 0 stood there, and never anything else",
    ]


@pytest.mark.parametrize(
    ("values", "is_told"), [((NAN, NAN), True), ((0.0, 0.0), False), ((NAN, 2.0), False)]
)
def test_an_evaluation_that_is_nan_each_time_is_a_problem(values: tuple[float, ...], is_told: bool) -> None:
    screening = Screening()
    for value in values:
        list(screening.of(Observation({"loss": value}, is_evaluation=True)))
    problem = screening.problem()
    assert (problem is not None) == is_told
    assert not is_told or problem.startswith("`loss` of an evaluation was never finite; where none is made")
