"""Numbers that stand in a row: a list in one line, an array over several -> lines of one number each."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from stability.logs.fields import Field, Line, is_unnamed, skeleton

FEWEST = 8
"""So many numbers of one name, one behind the other, are a course in a row."""


def unrolled(lines: Sequence[Line]) -> list[Line] | None:
    """A line for each place in these lists, with the numbers that stand there; None for no list."""
    lists = [one for line in lines for one in _lists(line)]
    if not lists and (whole := _array(lines)):
        lists = [whole]
    names = [own[0].name for own in lists]
    if not lists or len(set(names)) < len(names):  # a list in each line is a row of losses
        return None
    places = itertools.zip_longest(*lists)
    return [_line([own for own in place if own is not None]) for place in places]


def _lists(line: Line) -> list[list[Field]]:
    """The numbers of one name, of each name that has enough of them."""
    found: dict[str, list[Field]] = {}
    for own in line.fields:
        if not own.most:
            found.setdefault(own.name, []).append(own)
    return [own for own in found.values() if len(own) >= FEWEST]


def _array(lines: Sequence[Line]) -> list[Field]:
    """The numbers of lines between one bracket that opens and one that closes, as numpy prints them."""
    if not lines or not lines[0].text.lstrip().startswith("[") or not lines[-1].text.rstrip().endswith("]"):
        return []
    if any(skeleton(line.text) for line in lines):
        return []
    found = [own for line in lines for own in line.fields]
    return found if len(found) >= FEWEST and all(is_unnamed(own.name) for own in found) else []


def _line(own: Sequence[Field]) -> Line:
    fields = tuple(one._replace(nth=1, start=0, end=0) for one in own)
    return Line(", ".join(f"{one.name} {one.text}".strip() for one in fields), fields, "")
