"""Help that is drawn in boxes, as typer does -> lines as click prints them."""

from __future__ import annotations

import re
from collections.abc import Iterator

_EDGE = re.compile(r"^\s*[╭╰┌└├].*$")
_ROW = re.compile(r"^\s*[│┃](?P<inside>.*?)[│┃]?\s*$")
_OPTION = re.compile(
    r"^[\s*]*(?P<spellings>-[\w.-]+(?:[\s,]+-[\w.-]+)*)"
    r"(?:\s+(?P<type><[^>]*>|\[[^\]]*\|[^\]]*\]|[A-Z]{2,}(?: RANGE)?)(?=\s|$))?(?:\s+(?P<rest>.*))?$"
)
_SWITCH = ("<bool>", "BOOLEAN")


def unboxed(text: str) -> list[str]:
    """The lines of a help, those in boxes without them; a box without a title of its own keeps none."""
    return list(_lines(text))


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if row := _ROW.match(line):
            yield _plain(row["inside"])
        elif _EDGE.match(line):
            yield re.sub(r"[╭╰╮╯┌└┐┘├┤─━]", "", line).strip()
        else:
            yield line


def _plain(inside: str) -> str:
    """A row of the table of options in one column; other rows as they are."""
    found = _OPTION.match(inside)
    if found is None:
        return inside
    spellings, kind = re.split(r"[\s,]+", found["spellings"]), found["type"] or ""
    off = []
    if kind in _SWITCH:
        spellings, off = _parted(spellings)
        kind = ""
    if kind.startswith("<list["):
        kind = "<value>..."
    head = " / ".join(filter(None, (", ".join(spellings), ", ".join(off))))
    return f"  {head}{' ' + kind if kind else ''}  {(found['rest'] or '').strip()}"


def _parted(spellings: list[str]) -> tuple[list[str], list[str]]:
    """Of a switch: what turns it on, and what off, which is a second long name."""
    long = [own for own in spellings if own.startswith("--")]
    return [own for own in spellings if own not in long[1:]], long[1:]
