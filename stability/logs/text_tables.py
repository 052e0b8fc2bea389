"""Tables in a text: a line of names, then lines of numbers below it -> named fields."""

from __future__ import annotations

import re
from math import nan

from stability.logs.fields import Field, Line, value_of
from stability.logs.gaps import Gaps
from stability.logs.line_reader import read_line
from stability.logs.table_header import BLANK, BLANKS, EMPTY, Header, HeaderLines, below, cut
from stability.logs.vocabulary import Sort, meaning, split_of

_RULE = re.compile(r"[\s|+\-=─━┄┈═╌┼╪╇╋┿├┤┝┥┡┩┢┪╭╮╰╯┌┐└┘╞╡╟╢╔╗╚╝╠╣╬┏┓┗┛┳┻┠┨┬┴:*_.]+")
_CELL = re.compile(
    r"(?P<number>[-+]?(?:\d[\d.,]*(?:e[-+]?\d+)?|\.\d+|nan|inf(?:inity)?|-?∞))(?P<unit>%|[A-Za-z]{0,4})(?:/(?P<most>\d+))?[:%]?",
    re.IGNORECASE,
)


class TextTable:
    """Remembers the newest header; `row` reads a line below it."""

    def __init__(self) -> None:
        self._header = Header("", ())
        self._names: list[str] = []
        self._lines = HeaderLines(_is_number)
        self._gaps = Gaps()

    def row(self, text: str) -> Line | None:
        """The fields of a line that is a row of the table; None for any other line, which may be a header."""
        if self._names and (line := self._row(text)) is not None:
            self._lines.broken()
            return line
        if (header := self._lines.read(text)) is not None:
            self._header, self._names, self._gaps = header, header.names, Gaps()
        return None

    def is_header(self, text: str) -> bool:
        """Whether the line is the header that counts now."""
        return bool(self._names) and cut(text, self._header.style) == self._header.cells

    def _row(self, text: str) -> Line | None:
        cells, rest = self._cells(text)
        if len(cells) != len(self._names) or sum(map(_is_number, cells)) < max(1, len(cells) // 2 - 1):
            return None
        part = "" if _is_number(cells[0]) else split_of(cells[0])
        if not all(_is_number(cell) or cell.lower() in EMPTY or _is_time(cell) for cell in cells[1:]):
            return None
        is_blank = not cells[0] and meaning(self._names[0]).sort in (Sort.STEP, Sort.EPOCH)
        is_named = part and meaning(self._names[0]).sort is Sort.UNKNOWN
        if not (_is_number(cells[0]) or is_blank or is_named):
            return None
        own = _fields(self._names, cells, part)
        empty = [name for name, cell in zip(self._names, cells, strict=True) if cell.lower() in EMPTY]
        for name in self._gaps.nans([one.name for one in own], empty):
            own.append(Field(name, 1, "nan", nan, 0, 0, part=split_of(name) or part))
        behind = read_line(rest).fields if rest else ()
        return Line(text, (*own, *(one for one in behind if not one.name)), part)

    def _cells(self, text: str) -> tuple[list[str], str]:
        """As many cells as there are names, and what stands behind them, such as a bar.

        Where fewer stand there, each is below the name that it is nearest to, and the others are blank.
        """
        style = self._header.style
        if style not in (BLANKS, BLANK):
            return [cell.text for cell in cut(text, style)], ""
        cells = text.split(None, len(self._names))
        if len(cells) < len(self._names) and "\t" not in text and len(cells) > 1:
            return below(self._header.cells, cut(text, BLANK)) or cells, ""
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


def _is_number(cell: str) -> bool:
    return _CELL.fullmatch(cell) is not None


def _is_time(cell: str) -> bool:
    return re.fullmatch(r"[\d:.]+(?:s|ms|m|h)?", cell) is not None
