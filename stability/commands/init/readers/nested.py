"""Settings within settings, as configs have them -> their whole names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def flat(settings: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Numbers, texts, booleans and nothing by whole names, `optimizer.lr`; those in lists by their place.

    The value is None for one that refers to another (`${optimizer.lr}`) or that has to be given (`???`).
    """
    if isinstance(settings, dict):
        for name, value in settings.items():
            yield from flat(value, f"{prefix}{name}.")
    elif isinstance(settings, list):
        for i, value in enumerate(settings):
            yield from flat(value, f"{prefix}{i}.")
    elif prefix:
        refers = isinstance(settings, str) and settings.startswith(("${", "???"))
        yield prefix[:-1], None if refers else settings
