"""How programs write numbers, the ones that are not finite above all."""

from __future__ import annotations

import math
import re

_NONFINITE = r"(?:nan(?:\((?:ind|snan|qnan)\))?|inf(?:inity)?|1\.#[A-Z]+[0-9]*)(?:16|32|64)?"
TOKEN = re.compile(rf"(?<![A-Za-z0-9_.])[-+]?{_NONFINITE}(?![A-Za-z_0-9])", re.IGNORECASE)
"""A number in a line that is not finite, as C, the Microsoft runtime, Python, Rust or Julia write it.

Microsoft's older runtime rounds the letters as if they were digits: 1.#INF, 1.#IND and 1.#QNAN become
1.#J, 1.#IO, 1.#QO or 1.#R, which do not say any more which of them they were.
"""
_WRAPPING = "([{<'\"`,;:%)]}>"
_TENSOR = re.compile(r"^(?:tensor|array|np\.float\d*|float\d*)\(")
_SIGNS = ("nan", "inf", "#", "\u221e")


def number(text: str) -> float | None:
    """The number that `text` is, without brackets, quotes or commas around it; None where it is none.

    "1e999" is infinite, as every reader of numbers has it. Never 0, nor anything else, in place of a NaN.
    """
    try:
        return float(text)
    except ValueError:
        return _unusual(text)


def may_be_nonfinite(text: str) -> bool:
    """Whether `text` may hold a number that is not finite; cheap, and true for "INFO" too."""
    lower = text.lower()
    return any(sign in lower for sign in _SIGNS)


def nonfinite(token: str) -> float:
    """The value of a `TOKEN`; NaN for what may be either."""
    if "inf" in token.lower():
        return -math.inf if token.startswith("-") else math.inf
    return math.nan


def _unusual(text: str) -> float | None:
    if text.isalpha():  # a word; most of what is no number is one
        return None
    bare = _TENSOR.sub("", text.strip()).strip(_WRAPPING).strip().replace("\u221e", "inf")
    if TOKEN.fullmatch(bare):
        return nonfinite(bare)
    opened = TOKEN.match(text.strip())  # "-nan(ind)" lost its bracket above
    if opened and not text.strip()[opened.end() :].strip(_WRAPPING):
        return nonfinite(opened.group())
    try:
        return float(bare)
    except ValueError:
        return None
