"""Lines of a growing table -> rows."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable

from stability.trainers.parse.numbers import number

DELIMITERS = ",;\t"


class Table:
    """Reads a table line by line: its header once there is one, and each further header as the new one.

    A header is a line with a wanted name in it, or, where nothing is wanted, one of several cells and no
    number. A comma, a semicolon or a tab stands between cells. Empty cells and text are left out.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = set(wanted)
        self._delimiter = ","
        self._header: list[str] | None = None
        self._rows = self._known = 0

    def read(self, line: str) -> dict[str, float] | None:
        """The row in `line`; None for a header, what comes before one, and rows that were read before."""
        row = self._plain(line)
        if row is None and (self._is_header(line) or self._header is None):
            return None
        self._rows += 1
        if self._rows <= self._known:
            return None
        return self._any(line) if row is None else row

    def _plain(self, line: str) -> dict[str, float] | None:
        """The row in a line that has nothing but a number for every name, as most have: no header can."""
        if self._header is None:
            return None
        try:
            return dict(zip(self._header, map(float, line.split(self._delimiter)), strict=True))
        except ValueError:
            return None

    def _any(self, line: str) -> dict[str, float]:
        cells = zip(self._header, _cells(line, self._delimiter), strict=False)
        numbers = {name: number(text) for name, text in cells if text}
        return {name: value for name, value in numbers.items() if value is not None}

    def restart(self) -> None:
        """The file was written anew, as some loggers do for a new column: its first rows are known."""
        self._known, self._rows, self._header = max(self._known, self._rows), 0, None

    def _is_header(self, line: str) -> bool:
        if self._wanted and not any(name in line for name in self._wanted):
            return False
        if not self._wanted and self._header and _is_number(line.partition(self._delimiter)[0]):
            return False
        for delimiter in DELIMITERS:
            names = _cells(line, delimiter)
            if (
                self._wanted & set(names)
                if self._wanted
                else len(names) > 1 and not any(map(_is_number, names))
            ):
                self._delimiter, self._header = delimiter, names
                return True
        return False


def header(lines: Iterable[str]) -> list[str]:
    """The names in the first line that is a header; none where there is no such line."""
    table = Table(())
    for line in lines:
        if table._is_header(line):
            return table._header
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
    return number(text) is not None
