"""YAML: where its scalars stand, and how they are written so that every reader takes them alike."""

from __future__ import annotations

import json
from typing import Any

from stability import yamlfile
from stability.trainers.config_files.span import Span


def spans(text: str) -> dict[tuple[str | int, ...], Span]:
    """Raises `ValueError` for a text that is no YAML, or more than one document."""
    return {address: Span(*found) for address, found in yamlfile.scalars(text).items()}


def written(value: Any) -> str:
    """`1e-05` would be a text for PyYAML, which wants a point: `1.0e-05`."""
    if isinstance(value, float):
        digits, _, exponent = repr(value).partition("e")
        if digits in ("nan", "inf", "-inf"):
            return f"{digits[:-3]}.{digits[-3:]}"
        digits = digits if "." in digits else f"{digits}.0"
        return f"{digits}e{exponent}" if exponent else digits
    return json.dumps(value, ensure_ascii=False)
