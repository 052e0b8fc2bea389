"""A second set of held-out log formats, by one who had not seen what reads them; `BLIND_2` holds all, by name."""

import importlib

from .registry import BLIND_2, blind_format

MODULES = tuple(
    importlib.import_module(f".{name}", __name__)
    for name in ("speech", "vision", "tabular", "machines", "science", "courses", "beginners", "tongues")
)

__all__ = ["BLIND_2", "MODULES", "blind_format"]
