"""Files of one number each time, without a name: what the file is called names it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from stability.logs.fields import Field, Line, is_unnamed
from stability.logs.line_reader import read_line
from stability.logs.rows import is_value
from stability.logs.vocabulary import LOSSES, Sort, meaning, split_of

_SIGNS = "-_. "
_TAG = re.compile(r"^.*[-_. ]tag[-_. =](?=.)")
_CELLS = re.compile(r"[,;\s]+")
MOST = 3
CLOCK = 1e9
"""Seconds since 1970 are more."""


def title_of(path: Path | None) -> str:
    """What a file's name says of a column in it; "" where it says nothing, or has numbers in it.

    What stands before `tag` in it is the run's name.
    """
    title = "" if path is None else _TAG.sub("", path.stem)
    if not title.translate(str.maketrans("", "", _SIGNS)).isalpha():
        return ""
    return title if meaning(title).sort is not Sort.UNKNOWN else ""


def titled(line: Line, title: str) -> Line:
    """The line; the one number in it that is measured is called as its file is.

    The others are a time, a step or how many items it is the mean of.
    """
    at = _measured(line)
    if at is None:
        return line
    own = line.fields[at]
    named = own._replace(name=title, nth=1, part=own.part or split_of(title))
    return line._replace(fields=(*line.fields[:at], named, *line.fields[at + 1 :]))


def is_bare(line: Line) -> bool:
    """Whether a line is one number and no word."""
    return len(line.fields) == 1 and _is_nameless(line.fields[0])


def is_column(lines: Sequence[str]) -> bool:
    """Whether these lines, but for a comment or a name before them, have one measured number each."""
    own = [line for line in lines[:50] if not line.lstrip().startswith("#")]
    if not own:
        return False
    rows = [read_line(line) for line in own[1:] or own]
    says = any(meaning(cell).sort in LOSSES for cell in _CELLS.split(own[0]))
    is_named = says and not all(map(is_bare, rows))
    return not is_named and all(_measured(row) is not None for row in rows)


def retitled(row: Mapping[str, float], title: str) -> Mapping[str, float]:
    """The row of a table with a column such as `Value`; its number is called as the file is."""
    own = [name for name in row if is_value(name)]
    if len(own) != 1 or any(meaning(name).sort in LOSSES for name in row):
        return row
    return {title if name in own else name: number for name, number in row.items()}


def _measured(line: Line) -> int | None:
    """Which number is measured, of up to three without a word; None where that is not clear."""
    if is_bare(line):
        return 0
    if not 1 < len(line.fields) <= MOST or not all(map(_is_nameless, line.fields)):
        return None
    found = [i for i, own in enumerate(line.fields) if not own.is_whole and not _is_clock(own)]
    return found[0] if len(found) == 1 else None


def _is_clock(own: Field) -> bool:
    return own.value is not None and CLOCK <= own.value < math.inf


def _is_nameless(own: Field) -> bool:
    return is_unnamed(own.name) and len(own.name) <= 1 and not own.most
