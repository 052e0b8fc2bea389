"""Lines of a growing table -> rows."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import nan

from stability.logs.fields import UNNAMED
from stability.logs.gaps import Gaps
from stability.logs.number_format import has_comma, is_decimal, number
from stability.logs.rows import Names, of_kinds
from stability.logs.unread import Unread

DELIMITERS = ",;\t"
INDEX = "row"
"""The name of a first column that has none."""


class Table:
    """Reads a table line by line: its header once there is one, and each further header as the new one.

    A header is a line with a wanted name in it, or, where nothing is wanted, one of several cells and no
    number. A comma, a semicolon or a tab stands between cells. Empty cells and text are left out:
    tables with rows for training and rows for evaluation have empty cells in both. A loss whose cells were
    numbers and stay empty to the end may have become NaN, as pandas writes it; `problem` tells. Where nothing
    is known of it (`are_gaps_nan`), an empty cell of a row else like those before it is that NaN (`Gaps`).
    """

    def __init__(self, names: Names, *, are_gaps_nan: bool = False) -> None:
        self._names, self._wanted = names, names.wanted
        self._gaps = Gaps() if are_gaps_nan else None
        self._delimiter = ","
        self._header: list[str] | None = None
        self._others: list[str] = []  # the names in what looks like a header, but has none that is wanted
        self._has_decimal_commas = False
        self._rows = self._known = 0
        self._partial = 0  # rows that have not a number for every name
        self._had: Counter[str] = Counter()  # in those
        self._unread = Unread("rows")

    @property
    def names(self) -> list[str]:
        """Those of the newest header; none before there is one."""
        return self._header or []

    def read(self, line: str) -> dict[str, float] | None:
        """The row in `line`; None for a header, what comes before one, and rows that were read before."""
        if self._header is None and self._gaps is not None and (names := _nameless(line)):
            self._delimiter, self._header = names
            return self.read(line) if _is_number(_cells(line, self._delimiter)[0]) else None
        row = self._plain(line)
        if row is None and (self._is_header(line) or self._header is None):
            return None
        self._rows += 1
        if self._rows <= self._known:
            return None
        return self._any(line) if row is None else row

    def _plain(self, line: str) -> dict[str, float] | None:
        """The row in a line that has nothing but a number for every name, as most have: no header can."""
        if self._header is None or self._has_decimal_commas:
            return None
        try:
            row = dict(zip(self._header, map(float, line.split(self._delimiter)), strict=True))
        except ValueError:
            return None
        if self._gaps is not None:
            self._gaps.nans(row, ())
        return row

    def _any(self, line: str) -> dict[str, float]:
        cells = dict(itertools.zip_longest(self._header, _cells(line, self._delimiter), fillvalue=""))
        numbers = self._numbers(cells)
        row = {name: value for name, value in numbers.items() if value is not None and name}
        if self._gaps is not None:
            row |= dict.fromkeys(self._gaps.nans(row, [name for name in cells if not cells[name]]), nan)
            return of_kinds(row, cells)
        self._note_gaps(row, cells)
        return row

    def _numbers(self, cells: Mapping[str, str]) -> dict[str, float | None]:
        """A comma may stand before decimals where none stands between cells, once one cell must be so."""
        if self._delimiter != "," and not self._has_decimal_commas:
            odd = [text for text in cells.values() if has_comma(text) and number(text) is None]
            self._has_decimal_commas = any(is_decimal(text) for text in odd)
        decimal = "," if self._has_decimal_commas else "."
        return {name: number(text, decimal) for name, text in cells.items() if text}

    def _note_gaps(self, row: Mapping[str, float], cells: Mapping[str, str]) -> None:
        """A loss is due in rows that have a step, where any have."""
        self._partial += 1
        self._had.update(row.keys())
        step = self._names.place("step")
        if step in cells and step not in row:
            return
        for name in cells.keys() - row.keys():
            if self._names.is_loss(name):
                self._unread.note(name, cells[name], self._seen(name))

    def _seen(self, name: str) -> int:
        return self._rows - self._partial + self._had[name]

    def notes(self) -> Iterator[str]:
        """Which losses had text in place of numbers, and which columns are not there."""
        yield from self._unread.notes(dict.fromkeys(self._unread.gaps, self._rows))
        if absent := self.absent():
            yield absent

    def absent(self) -> str | None:
        """Which wanted columns are not there, if any, and which are."""
        there = self.names or self._others
        missing = sorted(self._wanted - set(there))
        if not there or not missing:
            return None
        return f"no column {', '.join(map(repr, missing))}; the header has {', '.join(there)}"

    def problem(self) -> str | None:
        """Which loss is missing to the end, if any."""
        return self._unread.problem({name: self._seen(name) for name in self._unread.gaps})

    def restart(self) -> None:
        """The file was written anew, as some loggers do for a new column: its first rows are known."""
        self._known, self._rows, self._header = max(self._known, self._rows), 0, None

    def _is_header(self, line: str) -> bool:
        if self._wanted and not any(name in line for name in self._wanted):
            self._others = self._others or _names_in(line)
            return False
        if not self._wanted and self._header and _is_number(line.partition(self._delimiter)[0]):
            return False
        for delimiter in DELIMITERS:
            names = _cells(line, delimiter)
            if self._are_names(names):
                self._delimiter, self._header = delimiter, [names[0] or INDEX, *names[1:]]
                return True
        return False

    def _are_names(self, cells: list[str]) -> bool:
        """Where nothing is wanted, a row of text might be taken for a header; but names are not empty, and
        once there were numbers a header has some of the names again.
        """
        if self._wanted:
            return not self._wanted.isdisjoint(cells)
        if not _may_be_names(cells):
            return False
        has_numbers = self._rows > self._partial or self._had
        return not has_numbers or not set(self.names).isdisjoint(cells)


def _nameless(line: str) -> tuple[str, list[str]] | None:
    """The delimiter and names for columns without any: numbers in the first line, or pandas' 0, 1, 2."""
    for delimiter in DELIMITERS:
        cells = _cells(line, delimiter)
        if len(cells) < 2 or not all(map(_is_number, cells[1:])):
            continue
        names = [f"{UNNAMED}{i}" for i in range(len(cells))]
        if _is_number(cells[0]):
            return delimiter, names
        if not cells[0] and cells[1:] == [str(i) for i in range(len(cells) - 1)]:
            return delimiter, [INDEX, *names[1:]]
    return None


def _names_in(line: str) -> list[str]:
    """The cells of a line that may be a header; none of another."""
    cut = (_cells(line, delimiter) for delimiter in DELIMITERS)
    return next((cells for cells in cut if _may_be_names(cells)), [])


def _may_be_names(cells: list[str]) -> bool:
    own = cells[1:] if cells and not cells[0] else cells  # pandas names no index
    return len(cells) > 1 and all(cell and not _is_number(cell) for cell in own)


def header(lines: Iterable[str]) -> list[str]:
    """The names in the first line that is a header; none where there is no such line."""
    table = Table(Names())
    for line in lines:
        table.read(line)
        if table.names:
            return table.names
    return []


def _cells(line: str, delimiter: str) -> list[str]:
    line = line.removeprefix("\ufeff")  # a mark of UTF-8 that some programs write first
    if '"' not in line:
        return [cell.strip() for cell in line.split(delimiter)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:  # a field larger than its limit, or a stray quote
        return []


def _is_number(text: str) -> bool:
    return number(text) is not None or is_decimal(text)
