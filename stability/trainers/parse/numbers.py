"""How programs write numbers, the ones that are not finite above all."""

from __future__ import annotations

import math
import re

_NONFINITE = r"\.?(?:nan(?:\((?:ind|snan|qnan)\))?|inf(?:inity)?|∞|1\.#[A-Z]+[0-9]*)(?:16|32|64)?"
TOKEN = re.compile(rf"(?<![A-Za-z0-9_])(?<![A-Za-z0-9_]\.)[-+]?{_NONFINITE}(?![A-Za-z_0-9])", re.IGNORECASE)
"""A number in a line that is not finite, as C, the Microsoft runtime, Python, Rust, Julia or YAML write it.

Microsoft's older runtime rounds the letters as if they were digits: 1.#INF, 1.#IND and 1.#QNAN become
1.#J, 1.#IO, 1.#QO or 1.#R, which do not say any more which of them they were.
"""
_WRAPPING = "([{<'\"`,;:%)]}>"
_CALL = re.compile(
    r"[\W_]*(?:[a-z_]\w*\.)*\w*(?:tensor|array|float|double|complex)\d*\((?P<inner>[^,]*)", re.IGNORECASE
)
"""`tensor(2.5)`, `np.float32(2.5)`, `Array(2.5, dtype=float32)`, also without its end."""
_BESIDE = r"\W{0,3}(?:[-+]?[\d.]+(?:e[-+]?\d+)?%?|\.?nan|\.?inf(?:inity)?)j?"
_WHOLE = re.compile(
    rf"[\W_]*?(?P<token>[-+]?{_NONFINITE})(?:[\W_]*|\((?:ind|snan|qnan)|{_BESIDE}[\W_]*|<[/\w]*>?)",
    re.IGNORECASE,
)
"""A number that is not finite with signs around it, or a second number: `**nan**`, `nan/nan`, `nan±0.1`."""
_SIGNS = ("nan", "inf", "1.#", "∞")
_LONGEST = 256
"""Characters of a number with all that stands around it."""


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
    if "inf" in token.lower() or "∞" in token:
        return -math.inf if token.startswith("-") else math.inf
    return math.nan


def _unusual(text: str) -> float | None:
    if text.isalpha():  # a word; most of what is no number is one
        return None
    text = text.strip()
    if len(text) <= _LONGEST:
        if call := _CALL.match(text):
            text = call["inner"]
        if written := _WHOLE.fullmatch(text):
            return nonfinite(written["token"])
    bare = text.strip(_WRAPPING).strip()
    try:
        return float(bare)
    except ValueError:
        return None
