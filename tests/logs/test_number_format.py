"""How numbers are written in logs, the ones that are not finite above all."""

import math

import pytest

from stability.logs.number_format import TOKEN, count, nonfinite, number
from stability.logs.patterns import Pattern, Reader

NANS = ["nan", "NaN", "NAN", "-nan", "+nan", "nan(ind)", "-nan(ind)", "nan(snan)", "1.#QNAN", "1.#IND", "-1.#IND00", "1.#J", "1.#QO", "-1.#IO",
        "NaN32", "nan,", "(nan)", "'NaN'", "tensor(nan)", "tensor(nan,", "nan;", "np.float32(nan)"]  # fmt: skip
UNUSUAL = [".nan", ".NaN", "-.nan", "Array(nan, dtype=float32)", "DeviceArray(nan,", "numpy.float32(nan)", "torch.tensor(nan)",
           "tensor(nan, grad_fn=<A>)", "tensor([nan])", "nan(nan)", "nan/nan", "nan±0.1", "nan+-0.1", "nan-0.1", "nan→1",
           "(nan+nanj)", "nan!", "nan?", "**nan**", "$nan$", "_nan_", "nan%", "nan...", "nan…", "nan<br>", "nan(0.5)",
           "np.float64(nan)}", "-nan(ind", "nan</b>"]  # fmt: skip
INFINITIES = [".inf", ".Inf", "Array(inf, dtype=float32)", "inf(inf)", "inf/0.5", "inf±0.1", "**inf**", "inf!",
              "inf", "Inf", "INF", "Infinity", "1.#INF", "inf,", "∞", "1e999", "tensor(inf)", "Inf32", "+inf"]  # fmt: skip


@pytest.mark.parametrize("text", NANS + UNUSUAL)
def test_nan_in_every_spelling(text):
    assert math.isnan(number(text))


@pytest.mark.parametrize("text", INFINITIES)
def test_infinity_in_every_spelling_and_sign(text):
    assert number(text) == math.inf
    if text[0] not in "+tA*":
        assert number(f"-{text}") == -math.inf


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.69", 0.69),
        ("0.69,", 0.69),
        ("[1e-5]", 1e-5),
        (" 7 ", 7.0),
        ("tensor(2.5)", 2.5),
        ("np.float32(2.5)}", 2.5),
        ("Array(-2.5, dtype=float32)", -2.5),
    ],
)
def test_numbers_lose_what_wraps_them(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "loss",
        "info",
        "nano",
        "0.69x",
        "1.2.3",
        "--",
        "inference",
        "banana",
        "None",
        "nan-free",
        "nan loss",
        "info(nan)",
        "nan_count=3",
        "nan: 3 batches",
        "f(2.5)",
        "nano!",
        "1.5nan",
    ],
)
def test_what_is_no_number(text):
    assert number(text) is None


def test_tokens_are_found_where_they_stand_alone():
    line = "info: loss=nan, mel=-inf banana inference 1.#INF kl:NaN(ind) nan_count=3"
    assert [nonfinite(m.group()) for m in TOKEN.finditer(line)][1:3] == [-math.inf, math.inf]
    assert [m.group() for m in TOKEN.finditer(line)] == ["nan", "-inf", "1.#INF", "NaN(ind)"]


@pytest.mark.parametrize("text", [text for text in UNUSUAL if text != "_nan_"])
@pytest.mark.parametrize("form", [r"\S+", r"[-\d.e+]+", r"[^\s,|]+"])
def test_nan_in_every_spelling_is_read_in_lines(text, form):
    (seen,) = Reader([Pattern(rf"loss: (?:[(*$]+|[\w.]+\(\[?)?(?P<loss>{form})")]).read([f"loss: {text} end"])
    assert math.isnan(seen.values["loss"])


def test_infinity_as_a_sign_in_a_line():
    (seen,) = Reader([Pattern(r"loss\D+(?P<loss>[\d.]+)")]).read(["loss -∞ lr 2.0"])
    assert seen.values == {"loss": -math.inf}


def test_a_long_text_is_no_number_and_found_out_in_no_time():
    assert number("_" * 60_000) is None


def test_leaders_of_dots_and_names_in_modules():
    line = "loss...nan np.nan x.inf loss: .nan, -.inf ...-inf"
    assert [m.group() for m in TOKEN.finditer(line)] == [".nan", ".nan", "-.inf", "-inf"]


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [("1,234.5", 1234.5, None), ("1,234,567", 1234567.0, None), ("-12,345.25,", -12345.25, None), ("0,53", None, 0.53),
     ("2,4500", None, 2.45), ("2,450", None, 2.45), ("1.234,5", None, 1234.5), ("-,5", None, -0.5), ("1,5e-3", None, 0.0015),
     ("1.5", 1.5, None), ("1,2,3", None, None), ("7", 7.0, 7.0), ("2.5,3", None, None)],
)  # fmt: skip
def test_commas_in_numbers(text, point, comma):
    assert number(text) == point
    assert number(text, decimal=",") == comma


def test_a_count_may_have_commas():
    assert (count("1,200"), count("1,200:"), count("12"), count("1,2")) == (1200.0, 1200.0, 12.0, None)
