"""Rows as a table for a person, or as JSON or CSV for a program; colours where a terminal shows them."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stability.records import VerdictLabel

Row = Mapping[str, Any]

BARS = "▁▂▃▄▅▆▇█"
NONFINITE_MARK = "×"
PIPED_WIDTH = 400


def print_rows(rows: Sequence[Row], format: str, columns: Sequence[str] = ()) -> None:
    """Print rows as a table, JSON or CSV; all rows have the same keys: `columns`, if there may be no row."""
    if format == "json":
        print(json.dumps(list(rows), indent=2, allow_nan=False))
    elif format == "csv":
        names = list(rows[0]) if rows else columns
        writer = csv.DictWriter(sys.stdout, fieldnames=names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif not rows:
        print("none")
    else:
        table = Table(*rows[0], box=None, pad_edge=False)
        for row in rows:
            table.add_row(*(verdict_text("-" if value is None else str(value)) for value in row.values()))
        console = Console()
        if not console.is_terminal:
            console = Console(width=PIPED_WIDTH)  # a name cut short is no name
        console.print(table)


def sparkline(values: Sequence[float]) -> str:
    """One character a value, scaled between the finite ones; × where a value is not finite."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    height = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        BARS[round((value - low) * height)] if math.isfinite(value) else NONFINITE_MARK for value in values
    )


def verdict_text(word: str) -> Text:
    colours = {VerdictLabel.DIVERGED: "red", VerdictLabel.STABLE: "green"}
    colours |= dict.fromkeys((VerdictLabel.UNSTABLE, VerdictLabel.STUCK), "yellow")
    return Text(word, style=colours.get(word, ""))


def plain(row: Row) -> dict[str, Any]:
    """A row that JSON can hold: missing and non-finite numbers become null, the marker column tells which."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row.items()
    }
