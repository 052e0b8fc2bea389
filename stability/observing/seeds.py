"""The generators of random numbers that Python, NumPy and torch seed from the system when they start."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from typing import Any

import torch


def states() -> dict[str, Any]:
    """As they are now, ready for JSON; NumPy's only where it is imported."""
    version, numbers, gauss = random.getstate()
    found: dict[str, Any] = {"random": [version, list(numbers), gauss]}
    if (numpy := sys.modules.get("numpy")) is not None:
        name, keys, *rest = numpy.random.get_state()
        found["numpy"] = [name, keys.tolist(), *rest]
    return found | {"torch": torch.initial_seed()}


def restore(found: Mapping[str, Any]) -> None:
    """Let all draw what they drew then; other generators of torch begin with the same seed everywhere."""
    torch.default_generator.manual_seed(found["torch"])
    version, numbers, gauss = found["random"]
    random.setstate((version, tuple(numbers), gauss))
    if "numpy" in found and (numpy := sys.modules.get("numpy")) is not None:
        name, keys, *rest = found["numpy"]
        numpy.random.set_state((name, keys, *rest))
