"""What the report's plots share, whoever draws them: colours, and when a loss axis is logarithmic."""

from __future__ import annotations

from collections.abc import Sequence

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe and Ito's colour-blind-safe palette (https://jfly.uni-koeln.de/color)."""
LOG_FROM = 20.0
"""Ratio of largest to smallest value from which a loss axis is logarithmic."""


def is_wide(values: Sequence[float]) -> bool:
    """Whether finite `values` ask for a logarithmic axis, and allow one."""
    return len(values) > 0 and min(values) > 0 and max(values) / min(values) >= LOG_FROM
