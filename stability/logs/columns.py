"""Files of one column without a name: what the file is called names its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stability.logs.fields import Field, Line, is_unnamed, read_line
from stability.logs.vocabulary import Sort, meaning, split_of

_SIGNS = "-_. "


def title_of(path: Path | None) -> str:
    """What a file's name says of a column in it; "" where it says nothing, or has numbers in it."""
    if path is None or not path.stem.translate(str.maketrans("", "", _SIGNS)).isalpha():
        return ""
    return path.stem if meaning(path.stem).sort is not Sort.UNKNOWN else ""


def titled(line: Line, title: str) -> Line:
    """The line; a number that stands alone in it is called as its file is."""
    if len(line.fields) != 1 or not is_bare(line):
        return line
    own = line.fields[0]
    return line._replace(fields=(own._replace(name=title, nth=1, part=own.part or split_of(title)),))


def is_bare(line: Line) -> bool:
    """Whether a line is one number and no word."""
    return len(line.fields) == 1 and _is_nameless(line.fields[0])


def is_column(lines: Sequence[str]) -> bool:
    """Whether these lines, but for a comment or a name before them, are one number each."""
    own = [line for line in lines[:50] if not line.lstrip().startswith("#")]
    return len(own) > 1 and all(is_bare(read_line(line)) for line in own[1:])


def _is_nameless(own: Field) -> bool:
    return is_unnamed(own.name) and len(own.name) <= 1 and not own.most
