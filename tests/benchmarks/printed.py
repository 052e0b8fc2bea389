"""How a benchmark shows what it found: where it ran, then a table of medians. No measuring here."""

from __future__ import annotations

import platform
import sqlite3
import statistics
from collections.abc import Mapping, Sequence
from importlib import metadata

from stability import environment


def machine(*packages: str) -> str:
    """The machine, the versions of Python, SQLite and these packages."""
    versions = [f"{name} {metadata.version(name)}" for name in packages]
    where = [platform.machine(), f"{environment.cores()} cores", f"Python {platform.python_version()}"]
    return ", ".join([*where, f"SQLite {sqlite3.sqlite_version}", *versions])


def spread(found: Sequence[float], digits: int = 2) -> str:
    """The median of repeated measurements, and from which to which they went."""
    shown = [f"{value:,.{digits}f}" for value in (statistics.median(found), min(found), max(found))]
    return f"{shown[0]} ({shown[1]} to {shown[2]})"


def table(heads: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """A Markdown table; the first column names the row."""
    lines = [[heads[0], *heads[1:]], ["---", *("---:" for _ in heads[1:])]]
    lines += [[name, *cells] for name, cells in rows.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
