"""The states of the generators of random numbers that Python and NumPy seed from the system when they start.

torch begins with the same state in every process.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from typing import Any


def states() -> dict[str, Any]:
    """As they are now, ready for JSON; NumPy's only where it is imported."""
    version, numbers, gauss = random.getstate()
    found: dict[str, Any] = {"random": [version, list(numbers), gauss]}
    if (numpy := sys.modules.get("numpy")) is not None:
        name, keys, *rest = numpy.random.get_state()
        found["numpy"] = [name, keys.tolist(), *rest]
    return found


def restore(found: Mapping[str, Any]) -> None:
    """Let both draw what they drew then."""
    version, numbers, gauss = found["random"]
    random.setstate((version, tuple(numbers), gauss))
    if "numpy" in found and (numpy := sys.modules.get("numpy")) is not None:
        name, keys, *rest = found["numpy"]
        numpy.random.set_state((name, keys, *rest))
