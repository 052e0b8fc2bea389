"""Python values -> what strict JSON can hold: a non-finite number is null beside a marker, never a token."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np


def to_plain(value: Any) -> Any:
    """Dataclasses, mappings, sequences, enums and NumPy numbers as JSON types.

    A non-finite float becomes `{"value": null, "nonfinite": "nan" | "inf" | "-inf"}`. Raises `TypeError`
    for what JSON has no form for.
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, np.generic):
        return to_plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else {"value": None, "nonfinite": marker(value)}
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} {value!r} has no JSON form")


def marker(value: float) -> str | None:
    """Which non-finite number this is, or None for a finite one."""
    if math.isfinite(value):
        return None
    return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")


def present(value: Any) -> Any:
    """A cell of a frame: None where pandas marks it missing, NumPy numbers as Python's own."""
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return None
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return value.item() if isinstance(value, np.generic) else value


def whole(value: Any) -> int | None:
    """A cell that holds an integer, which pandas may have turned into a float."""
    found = present(value)
    return None if found is None else int(found)
