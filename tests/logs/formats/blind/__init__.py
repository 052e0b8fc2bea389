"""Held-out log formats, written by one who had not seen what reads them; `BLIND` holds all, by name."""

import importlib

from .registry import BLIND, blind_format

MODULES = tuple(
    importlib.import_module(f".{name}", __name__)
    for name in ("speech", "voice", "vision", "detection", "generation", "language", "giants", "tabular", "science", "files", "foreign")
)

__all__ = ["BLIND", "MODULES", "blind_format"]
