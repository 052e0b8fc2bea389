"""The program that a study is made for, as far as it is known."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Program:
    """`help` is what it prints for `--help`; `trouble` is why that is not known.

    `sources` are the script and those of its own files that it imports, in that order. `ask` runs the command
    with further arguments and returns what it prints; empty where that fails.
    """

    command: tuple[str, ...]
    help: str = ""
    trouble: str = ""
    sources: tuple[ast.Module, ...] = ()
    folder: Path | None = None
    ask: Callable[[str], str] = field(default=lambda _: "")
