"""How programs write numbers, the ones that are not finite above all."""

from __future__ import annotations

import math
import re

NONFINITE = (
    r"\.?(?:[qs]?nan(?:\((?:ind|snan|qnan|0x[0-9a-f]+)\))?|inf(?:inity)?|∞|1\.#[A-Z]+[0-9]*)(?:16|32|64)?"
)
TOKEN = re.compile(rf"(?<![A-Za-z0-9_])(?<![A-Za-z0-9_]\.)[-+]?{NONFINITE}(?![A-Za-z_0-9])", re.IGNORECASE)
"""A number in a line that is not finite, as C, the Microsoft runtime, Python, Rust, Julia or YAML write it.

Microsoft's older runtime rounds the letters as if they were digits: 1.#INF, 1.#IND and 1.#QNAN become
1.#J, 1.#IO, 1.#QO or 1.#R, which do not say any more which of them they were.
"""
_WRAPPING = "([{<'\"`,;:%)]}>"
_CALL = re.compile(
    r"[\W_]*(?:[a-z_]\w*\.)*\w*(?:tensor|array|float|double|complex)\d*\((?P<inner>(?:[^,]|,(?=\d))*)",
    re.IGNORECASE,
)
"""`tensor(2.5)`, `np.float32(2.5)`, `Array(2.5, dtype=float32)`, also without its end."""
_BESIDE = r"\W{0,3}(?:[-+]?[\d.]+(?:e[-+]?\d+)?%?|\.?nan|\.?inf(?:inity)?)j?"
_WHOLE = re.compile(
    rf"[\W_]*?(?P<token>[-+]?{NONFINITE})(?:[\W_]*|\((?:ind|snan|qnan)|{_BESIDE}[\W_]*|<[/\w]*>?)",
    re.IGNORECASE,
)
"""A number that is not finite with signs around it, or a second number: `**nan**`, `nan/nan`, `nan±0.1`."""
_SIGNS = ("nan", "inf", "1.#", "∞")
_LONGEST = 256
"""Characters of a number with all that stands around it."""


DECIMAL_COMMA = "(?#decimal comma)"
"""Stands in an expression whose numbers have commas before their decimals."""
_EXPONENT = r"(?:e[-+]?\d+)?"
_THOUSANDS = re.compile(rf"[-+]?\d{{1,3}}(?:(?:,\d{{3}})+\.\d+|(?:,\d{{3}}){{2,}}){_EXPONENT}", re.IGNORECASE)
_DECIMALS = re.compile(rf"[-+]?(?:\d+|\d{{1,3}}(?:\.\d{{3}})+)?,\d+{_EXPONENT}", re.IGNORECASE)
_COUNT = re.compile(r"\d{1,3}(?:,\d{3})+")


def number(text: str, decimal: str = ".") -> float | None:
    """The number that `text` is, without brackets, quotes or commas around it; None where it is none.

    "1e999" is infinite, as every reader of numbers has it. Never 0, nor anything else, in place of a NaN.
    1,234.5 has a comma between thousands. 2,450 may be two numbers: it is none, unless `decimal` is a comma.
    """
    try:
        return float(text) if decimal == "." else plain(text, decimal)
    except ValueError:
        return _unusual(text, decimal)


def plain(text: str, decimal: str = ".") -> float:
    """The number in its usual form. Raises `ValueError` for any other, as `float` does."""
    if decimal == "," and "." in text:
        raise ValueError(text)
    return float(text)


def count(text: str) -> float | None:
    """The number of a step or an epoch: 1,200 is one."""
    bare = text.strip(_WRAPPING)
    return float(bare.replace(",", "")) if _COUNT.fullmatch(bare) else number(text)


def has_comma(text: str) -> bool:
    """Whether a comma stands in `text` between digits, or before the first."""
    return re.search(r",\d", text) is not None


def is_decimal(text: str) -> bool:
    """Whether a number's comma must stand before decimals, not between thousands: 0,53, but not 2,450."""
    before, comma, after = text.strip(_WRAPPING).lstrip("-+").partition(",")
    return _DECIMALS.fullmatch(before + comma + after) is not None and (
        "." in before or len(after) != 3 or len(before) > 3 or before in ("", "0")
    )


def may_be_nonfinite(text: str) -> bool:
    """Whether `text` may hold a number that is not finite; cheap, and true for "INFO" too."""
    lower = text.lower()
    return any(sign in lower for sign in _SIGNS)


def nonfinite(token: str) -> float:
    """The value of a `TOKEN`; NaN for what may be either."""
    if "inf" in token.lower() or "∞" in token:
        return -math.inf if token.startswith("-") else math.inf
    return math.nan


def _unusual(text: str, decimal: str) -> float | None:
    if text.isalpha():  # a word; most of what is no number is one
        return None
    text = text.strip()
    if len(text) <= _LONGEST:
        if call := _CALL.match(text):
            text = call["inner"]
        if written := _WHOLE.fullmatch(text):
            return nonfinite(written["token"])
    bare = text.strip(_WRAPPING).strip()
    if decimal == "," and _DECIMALS.fullmatch(bare):
        return float(bare.replace(".", "").replace(",", "."))
    if decimal == "." and _THOUSANDS.fullmatch(bare):
        return float(bare.replace(",", ""))
    try:
        return plain(bare, decimal)
    except ValueError:
        return None
