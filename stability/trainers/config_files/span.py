"""Where a scalar stands in a text, and its value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Span(NamedTuple):
    """`text[start:end]` is the scalar as it is written."""

    start: int
    end: int
    value: Any


Spans = Mapping[tuple[str | int, ...], Span]
