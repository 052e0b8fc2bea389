"""Numbers as text, in Latin or Persian digits. Rounds and formats; knows no statistics and no claims."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

PERSIAN = str.maketrans("0123456789.%", "۰۱۲۳۴۵۶۷۸۹٫٪")
SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
ISOLATE_LTR, ISOLATE_RTL, END_ISOLATE = "\u2066", "\u2067", "\u2069"
"""Unicode isolates: numbers around a neutral sign would swap sides in right-to-left text (UAX #9)."""

ROUNDING = 1e-9
"""Relative spread below which equal numbers differ by floating-point rounding only."""

MOST_EXPONENT = 700
"""Largest natural logarithm whose power is taken for a number."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Formats numbers for one language, `en` or `fa`."""

    lang: str

    def count(self, value: int) -> str:
        return self._digits(str(value))

    def significant(self, value: float | Mapping[str, Any], digits: int = 4) -> str:
        """`digits` significant digits, trailing zeros kept, so that columns compare; 1.2e5 as 1.2×10⁵.

        A number that is not finite comes from the twin as its marker, and is written as that.
        """
        if isinstance(value, Mapping):
            return self._isolate(value["nonfinite"])
        mantissa, _, exponent = f"{value:#.{digits}g}".partition("e")
        mantissa = mantissa.removesuffix(".")
        text = f"{mantissa}×10{str(int(exponent)).translate(SUPERSCRIPT)}" if exponent else mantissa
        return self._digits(text.replace("-", "\u2212"))

    def percent(self, share: float) -> str:
        """A share in [0, 1] with 3 significant digits."""
        return self._digits(f"{100 * share:.3g}%".replace("-", "\u2212"))

    def p_value(self, value: float) -> str:
        """`p = 0.012`, or `p < 0.001` below it."""
        text = "p < 0.001" if value < 0.001 else f"p = {value:.2g}"
        return self._digits(text)

    def interval(self, low: str, high: str) -> str:
        """`0.90 to 0.96`: a dash between Persian numbers reads as a minus."""
        return f"{low} {'تا' if self.lang == 'fa' else 'to'} {high}"

    def spread(self, mean: float | Mapping[str, Any], sd: float | Mapping[str, Any] | None) -> str:
        """`2.380 ± 0.21`; of finite values too large to be added up, `inf ± inf`."""
        if sd is None:
            return self.significant(mean)
        finite = isinstance(mean, float) and isinstance(sd, float)
        width = self.count(0) if finite and sd < ROUNDING * abs(mean) else self.significant(sd, 2)
        both = f"{self.significant(mean)} ± {width}"
        bare = both.replace(ISOLATE_LTR, "").replace(END_ISOLATE, "")
        return self._isolate(bare)

    def _digits(self, text: str) -> str:
        if self.lang != "fa":
            return text
        text = text.translate(PERSIAN)
        return text if all(sign in "۰۱۲۳۴۵۶۷۸۹٫٪" for sign in text) else self._isolate(text)

    def _isolate(self, text: str) -> str:
        if self.lang != "fa":
            return text
        unbroken = text.replace(" ", "\u00a0")  # a line end inside an isolate would swap its halves
        return f"{ISOLATE_LTR}{unbroken}{END_ISOLATE}"


def setting(value: Any) -> str:
    """A hyperparameter as a study file writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict) and "nonfinite" in value:
        return f".{value['nonfinite']}".replace(".-", "-.")
    return repr(value) if isinstance(value, float) else str(value)


def factor(logarithm: float) -> str:
    """What an effect on a natural logarithm multiplies by; a power of ten beyond what numbers hold."""
    if abs(logarithm) < MOST_EXPONENT:
        return f"×{math.exp(logarithm):.2g}"
    return f"×1e{logarithm / math.log(10):+.0f}"


def rounded(value: float, digits: int = 3) -> str:
    """A value on a parameter's axis, in the notation of study files."""
    return _notation(f"{value:.{digits}g}")


def rounded_inward(value: float, *, down: bool, digits: int = 3) -> str:
    """`rounded`, never above the value if `down`, else never below it: a bound must not grow by rounding."""
    exact = Decimal(repr(value))
    if exact == 0:
        return "0"
    last_digit = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    inward = exact.quantize(last_digit, rounding=ROUND_FLOOR if down else ROUND_CEILING)
    return _notation(f"{float(inward):.{digits}g}")


def _notation(text: str) -> str:
    """`1e+03` as 1000: people write exponents from a million on."""
    return f"{float(text):.0f}" if "e+" in text and abs(float(text)) < 1e6 else text
