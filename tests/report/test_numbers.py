"""Numbers as text, in both scripts."""

from __future__ import annotations

import pytest

from stability.report.numbers import Numbers, rounded_inward, setting

EN, FA = Numbers("en"), Numbers("fa")


@pytest.mark.parametrize(
    ("value", "english", "persian"),
    [
        (2.38, "2.380", "۲٫۳۸۰"),
        (0.69, "0.6900", "۰٫۶۹۰۰"),
        (1234.5, "1234", "۱۲۳۴"),
        (-0.25, "−0.2500", "\u2066−۰٫۲۵۰۰\u2069"),
        (120000.0, "1.200×10⁵", "\u2066۱٫۲۰۰×۱۰⁵\u2069"),
        (2e-7, "2.000×10⁻⁷", "\u2066۲٫۰۰۰×۱۰⁻⁷\u2069"),
    ],
)
def test_significant(value, english, persian):
    assert EN.significant(value) == english
    assert FA.significant(value) == persian


def test_percent_p_and_interval():
    assert EN.percent(0.0951) == "9.51%"
    assert FA.percent(0.95) == "۹۵٪"
    assert EN.p_value(0.0004) == "p < 0.001"
    assert EN.p_value(0.0625) == "p = 0.062"
    assert FA.interval("۳۹", "۶۴") == "۳۹ تا ۶۴"


def test_spread_keeps_its_order_in_persian():
    assert EN.spread(2.38, 0.213) == "2.380 ± 0.21"
    assert FA.spread(2.38, 0.213) == "\u2066۲٫۳۸۰\u00a0±\u00a0۰٫۲۱\u2069"  # no line may end inside
    assert EN.spread(2.38, None) == "2.380"
    assert EN.spread(1.2, 2.3e-16) == "1.200 ± 0"


@pytest.mark.parametrize("value", [0.011169, 0.0316999, 1e-6, 9.99999, 123456.0, 0.0, 2e-05])
def test_a_bound_never_grows_by_rounding(value):
    assert float(rounded_inward(value, down=True)) <= value <= float(rounded_inward(value, down=False))
    assert float(rounded_inward(value, down=True)) == pytest.approx(value, rel=0.01)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((True, "true"), (None, "null"), (8e-05, "8e-05"), (3, "3"), ("16-mixed", "16-mixed")),
        *(({"value": None, "nonfinite": "nan"}, ".nan"), ({"value": None, "nonfinite": "-inf"}, "-.inf")),
    ],
)
def test_settings_read_as_in_a_study_file(value, text):
    assert setting(value) == text
