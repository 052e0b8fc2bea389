"""Tables in a text: a line of names, then lines of numbers below it -> named fields."""

from __future__ import annotations

import re
from math import nan

from stability.logs.fields import Field, Line, read_line, value_of
from stability.logs.gaps import Gaps
from stability.logs.vocabulary import LOSSES, Sort, meaning, split_of

_BARS = re.compile(r"[|│┃║]")
_COLUMNS = re.compile(r"\s{2,}|\t")
_RULE = re.compile(r"[\s|+\-=─━┄┈═╌┼╪╇╋┿├┤┝┥┡┩┢┪╭╮╰╯┌┐└┘╞╡╟╢╔╗╚╝╠╣╬┏┓┗┛┳┻┠┨┬┴:*_.]+")
_CELL = re.compile(
    r"(?P<number>[-+]?(?:\d[\d.,]*(?:e[-+]?\d+)?|\.\d+|nan|inf(?:inity)?|-?∞))(?P<unit>%|[A-Za-z]{0,4})(?:/(?P<most>\d+))?[:%]?",
    re.IGNORECASE,
)
_EMPTY = frozenset(("", "-", "--", "—", "none", "n/a", "null", "na", "/"))
LONGEST_NAME = 40


class TextTable:
    """Remembers the newest header; `row` reads a line below it."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._gaps = Gaps()
        self._style = ""

    def row(self, text: str) -> Line | None:
        """The fields of a line that is a row of the table; None for any other line, which may be a header."""
        if self._names and (line := self._row(text)) is not None:
            return line
        for style in _styles(text):
            names = _cut(text, style)
            if _are_names(names):
                self._names, self._style, self._gaps = names, style, Gaps()
                break
        return None

    def is_header(self, text: str) -> bool:
        """Whether the line is the header that counts now."""
        return bool(self._names) and _cut(text, self._style) == self._names

    def _row(self, text: str) -> Line | None:
        cells, rest = self._cells(text)
        if len(cells) != len(self._names) or sum(map(_is_number, cells)) < max(1, len(cells) // 2 - 1):
            return None
        part = "" if _is_number(cells[0]) else split_of(cells[0])
        if not all(_is_number(cell) or cell.lower() in _EMPTY or _is_time(cell) for cell in cells[1:]):
            return None
        if not _is_number(cells[0]) and (not part or meaning(self._names[0]).sort is not Sort.UNKNOWN):
            return None
        own = _fields(self._names, cells, part)
        empty = [name for name, cell in zip(self._names, cells, strict=True) if cell.lower() in _EMPTY]
        for name in self._gaps.nans([one.name for one in own], empty):
            own.append(Field(name, 1, "nan", nan, 0, 0, part=split_of(name) or part))
        behind = read_line(rest).fields if rest else ()
        return Line(text, (*own, *(one for one in behind if not one.name)), part)

    def _cells(self, text: str) -> tuple[list[str], str]:
        """As many cells as there are names, and what stands behind them, such as a bar."""
        if self._style not in ("  ", " "):
            return _cut(text, self._style), ""
        cells = text.split(None, len(self._names))
        return cells[: len(self._names)], cells[-1] if len(cells) > len(self._names) else ""


def named(names: list[str], cells: list[str]) -> Line:
    """The fields of cells below names."""
    return Line(",".join(cells), tuple(_fields(names, cells, "")), "")


def is_rule(text: str) -> bool:
    """Whether a line only draws: `+----+`, `-----`, `├───┤`."""
    return _RULE.fullmatch(text) is not None


def _fields(names: list[str], cells: list[str], part: str) -> list[Field]:
    found = []
    for i, (name, cell) in enumerate(zip(names, cells, strict=True)):
        written = _CELL.fullmatch(cell)
        if written is None:
            continue
        own = "".join(filter(None, map(split_of, re.split(r"[\s_/]+", name)[:1]))) or split_of(name)
        text, most = written["number"], written["most"] or ""
        found.append(Field(name, 1, text, value_of(text), i, i, most, written["unit"] or "", own or part))
    return found


def _styles(text: str) -> list[str]:
    if _BARS.search(text):
        return ["|"]
    found = [style for style in ("\t", ",", ";") if style in text]
    return [*found, "  ", " "]


def _cut(text: str, style: str) -> list[str]:
    text = text.strip()
    if style == "|":
        cells = [cell.strip() for cell in _BARS.split(text)]
        return cells[bool(cells and not cells[0]) : len(cells) - bool(cells and not cells[-1])]
    if style == "  ":
        return _COLUMNS.split(text)
    if style == " ":
        return text.split()
    return [cell.strip().strip('"') for cell in text.split(style)]


def _are_names(cells: list[str]) -> bool:
    if len(cells) < 2 or any(_is_number(cell) or len(cell) > LONGEST_NAME for cell in cells):
        return False
    if any(":" in cell[:-1] or "=" in cell or cell in _EMPTY for cell in cells[1:]) or len(set(cells)) < len(
        cells
    ):
        return False
    return any(meaning(cell).sort in LOSSES for cell in cells)


def _is_number(cell: str) -> bool:
    return _CELL.fullmatch(cell) is not None


def _is_time(cell: str) -> bool:
    return re.fullmatch(r"[\d:.]+(?:s|ms|m|h)?", cell) is not None
