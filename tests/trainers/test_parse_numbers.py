"""How numbers are written in logs, the ones that are not finite above all."""

import math

import pytest

from stability.trainers.parse.numbers import TOKEN, nonfinite, number

NANS = ["nan", "NaN", "NAN", "-nan", "+nan", "nan(ind)", "-nan(ind)", "nan(snan)", "1.#QNAN", "1.#IND", "-1.#IND00", "1.#J", "1.#QO", "-1.#IO",
        "NaN32", "nan,", "(nan)", "'NaN'", "tensor(nan)", "tensor(nan,", "nan;", "np.float32(nan)"]  # fmt: skip
INFINITIES = ["inf", "Inf", "INF", "Infinity", "1.#INF", "inf,", "∞", "1e999", "tensor(inf)", "Inf32", "+inf"]


@pytest.mark.parametrize("text", NANS)
def test_nan_in_every_spelling(text):
    assert math.isnan(number(text))


@pytest.mark.parametrize("text", INFINITIES)
def test_infinity_in_every_spelling_and_sign(text):
    assert number(text) == math.inf
    if text[0] not in "+t":
        assert number(f"-{text}") == -math.inf


@pytest.mark.parametrize(
    ("text", "value"), [("0.69", 0.69), ("0.69,", 0.69), ("[1e-5]", 1e-5), (" 7 ", 7.0), ("tensor(2.5)", 2.5)]
)
def test_numbers_lose_what_wraps_them(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    "text", ["", "loss", "info", "nano", "0.69x", "1.2.3", "--", "inference", "banana", "None"]
)
def test_what_is_no_number(text):
    assert number(text) is None


def test_tokens_are_found_where_they_stand_alone():
    line = "info: loss=nan, mel=-inf banana inference 1.#INF kl:NaN(ind) nan_count=3"
    assert [nonfinite(m.group()) for m in TOKEN.finditer(line)][1:3] == [-math.inf, math.inf]
    assert [m.group() for m in TOKEN.finditer(line)] == ["nan", "-inf", "1.#INF", "NaN(ind)"]
