"""The head of a table in a text: one line of names, or several above each other -> names and their places."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from stability.logs.vocabulary import LOSSES, meaning

BARS = re.compile(r"[|│┃║]")
BLANKS, BLANK = "  ", " "
"""Styles of a table without bars: columns are parted by several blanks, or by one."""
_CELL = {BLANKS: re.compile(r"\S+(?: \S+)*"), BLANK: re.compile(r"\S+")}
EMPTY = frozenset(("", "-", "--", "—", "none", "n/a", "null", "na", "/"))
LONGEST_NAME = 40
MOST_LINES = 4


class Cell(NamedTuple):
    """A text and where it stands in its line."""

    text: str
    start: int
    end: int


class Header(NamedTuple):
    """The names of the columns, and what parts them."""

    style: str
    cells: tuple[Cell, ...]

    @property
    def names(self) -> list[str]:
        return [cell.text for cell in self.cells]


class HeaderLines:
    """Lines that may be the head of a table, one below the other."""

    def __init__(self, is_number: Callable[[str], bool]) -> None:
        self._is_number = is_number
        self._above: dict[str, tuple[Cell, ...]] = {}
        self._count = 0

    def read(self, text: str) -> Header | None:
        """The header that ends with this line, if one does; names may begin in lines above it."""
        found, above = None, {}
        for style in styles(text):
            cells = cut(text, style)
            if not self._may_be(cells):
                continue
            joined = _joined(self._above[style], cells, style) if style in self._above else None
            for own in filter(None, (joined, cells)):
                if found is None and self._are_names([cell.text for cell in own]):
                    found = Header(style, own)
            above[style] = joined or cells
        self._count = self._count + 1 if above else 0
        self._above = above if self._count < MOST_LINES else {}
        return found

    def broken(self) -> None:
        """Another line came between."""
        self._above, self._count = {}, 0

    def _may_be(self, cells: Sequence[Cell]) -> bool:
        """Whether all cells are words, or nothing."""
        texts = [cell.text for cell in cells]
        if len(texts) < 2 or any(self._is_number(text) or len(text) > LONGEST_NAME for text in texts):
            return False
        return not any(":" in text[:-1] or "=" in text for text in texts[1:]) and any(map(_is_word, texts))

    def _are_names(self, names: Sequence[str]) -> bool:
        if any(name in EMPTY for name in names[1:]) or len(set(names)) < len(names):
            return False
        return any(meaning(name).sort in LOSSES for name in names)


def styles(text: str) -> list[str]:
    """What may part the columns of a line."""
    if BARS.search(text):
        return ["|"]
    found = [style for style in ("\t", ",", ";") if style in text]
    return [*found, BLANKS, BLANK]


def cut(text: str, style: str) -> tuple[Cell, ...]:
    """The cells of a line."""
    if style in _CELL and "\t" not in text:
        return tuple(Cell(own.group(), *own.span()) for own in _CELL[style].finditer(text))
    text = text.strip()
    if style == "|":
        cells = [cell.strip() for cell in BARS.split(text)]
        cells = cells[bool(cells and not cells[0]) : len(cells) - bool(cells and not cells[-1])]
    elif style == BLANKS:
        cells = re.split(r"\s{2,}|\t", text)
    else:
        cells = text.split() if style == BLANK else [one.strip().strip('"') for one in text.split(style)]
    return tuple(Cell(cell, i, i + 1) for i, cell in enumerate(cells))


def below(cells: Sequence[Cell], texts: Sequence[Cell]) -> list[str] | None:
    """The text below each cell, "" for none; None where one stands below no cell, or two below one."""
    found = [""] * len(cells)
    for text in texts:
        i = max(range(len(cells)), key=lambda k: _nearness(cells[k], text))
        if found[i] or _nearness(cells[i], text) <= -2:
            return None
        found[i] = text.text
    return found


def _nearness(one: Cell, other: Cell) -> int:
    """How many characters two cells of two lines share; negative for the blanks between them."""
    return min(one.end, other.end) - max(one.start, other.start)


def _joined(above: Sequence[Cell], cells: Sequence[Cell], style: str) -> tuple[Cell, ...] | None:
    """The cells with the words above them; None where these do not stand above them."""
    if style not in _CELL:
        words = [cell.text for cell in above] if len(above) == len(cells) else None
    else:
        words = below(cells, above)
    if words is None:
        return None
    return tuple(
        cell._replace(text=f"{word} {cell.text}".strip()) for word, cell in zip(words, cells, strict=True)
    )


def _is_word(text: str) -> bool:
    return any(map(str.isalpha, text))
