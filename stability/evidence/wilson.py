"""Wilson's interval of a proportion. The standard library alone, for commands that answer at once."""

from __future__ import annotations

import math
from statistics import NormalDist


def wilson(k: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of k/n (Wilson, JASA 22:209, 1927). Needs n > 0."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate, whole = k / n, 1 + z * z / n
    middle = (rate + z * z / (2 * n)) / whole
    half = z * math.sqrt(rate * (1 - rate) / n + (z / (2 * n)) ** 2) / whole
    return (0.0 if k == 0 else middle - half), (1.0 if k == n else middle + half)
