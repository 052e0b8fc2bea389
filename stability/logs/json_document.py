"""A file that is one JSON document, such as `trainer_state.json` or a history -> rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import nan
from pathlib import Path
from typing import Any

from stability.logs.fields import UNNAMED
from stability.logs.jsonlines import numbers_in
from stability.logs.tail import last_of

_Nullable = dict[str, float | None]
MOST_BYTES = 256 * 2**20
FEWEST = 2


class JsonDocument:
    """The rows of a document, read once it is whole: programs write it anew as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def new(self) -> Iterator[dict[str, float]]:
        """The rows that were added since the last look."""
        found = rows_in(self._document())
        self._read, known = max(self._read, len(found)), self._read
        yield from found[known:]

    def end(self) -> Iterator[dict[str, float]]:
        yield from ()

    def _document(self) -> Any:
        path = last_of(str(self._path))
        if path is None or path.stat().st_size > MOST_BYTES:
            return None
        try:
            return json.loads(path.read_bytes())
        except ValueError:  # it is being written
            return None


def rows_in(document: Any) -> list[dict[str, float]]:
    """The longest list of objects with numbers in it, or else its lists of numbers side by side.

    A document that is nothing but a list of numbers has one column without a name.
    """
    if isinstance(document, list) and all(not isinstance(item, list | dict) for item in document):
        document = {f"{UNNAMED}0": document}
    found = max(_lists(document), key=len, default=[])
    return _measured(found) if len(found) >= FEWEST else []


def _measured(rows: list[_Nullable]) -> list[dict[str, float]]:
    """With NaN for a null, as JavaScript and orjson write it; but not for one that says "not measured now".

    That is one with numbers behind it, or in no longer a gap than there were before.
    """
    due: set[tuple[int, str]] = set()
    for name in {name for row in rows for name in row}:
        numbers = [i for i, row in enumerate(rows) if row.get(name) is not None]
        nulls = [i for i, row in enumerate(rows) if name in row and row[name] is None]
        longest = max((b - a - 1 for a, b in zip(numbers, numbers[1:], strict=False)), default=0)
        if numbers and len(rows) - 1 - numbers[-1] > longest:
            due |= {(i, name) for i in nulls if i > numbers[-1]}
    found = [
        {
            name: nan if value is None else value
            for name, value in row.items()
            if value is not None or (i, name) in due
        }
        for i, row in enumerate(rows)
    ]
    return [row for row in found if row]


def _lists(value: Any) -> Iterator[list[_Nullable]]:
    if isinstance(value, list):
        rows = [numbers_in(item) for item in value if isinstance(item, dict)]
        yield [row for row in rows if row]
        for item in value:
            if not isinstance(item, dict):
                yield from _lists(item)
    elif isinstance(value, dict):
        yield _columns(value)
        yield _numbered(value)
        for item in value.values():
            yield from _lists(item)


def _columns(value: dict[str, Any]) -> list[_Nullable]:
    """`{"loss": [...], "val_loss": [...]}`: the n-th numbers of all lists stand in one row."""
    lists = {name: _column(item) for name, item in value.items() if isinstance(item, list | dict)}
    lists = {name: own for name, own in lists.items() if len(own) >= FEWEST}
    length = max(map(len, lists.values()), default=0)
    rows = [{name: own[i] for name, own in lists.items() if i < len(own)} for i in range(length)]
    return [row for row in map(numbers_in, rows) if row]


def _column(item: Any) -> list[Any]:
    """The numbers of a list, or of `{"0": 0.5, "1": 0.4}`, as pandas writes a column."""
    own = list(item.values()) if isinstance(item, dict) and all(str(key).isdigit() for key in item) else item
    return own if isinstance(own, list) and not any(isinstance(one, list | dict) for one in own) else []


def _numbered(value: dict[str, Any]) -> list[_Nullable]:
    """`{"epoch_1": {...}, "epoch_2": {...}}`: one row for each."""
    own = [item for item in value.values() if isinstance(item, dict)]
    alike = len(own) == len(value) and len(own) > FEWEST and len({frozenset(item) for item in own[:50]}) <= 2
    return [row for row in map(numbers_in, own) if row] if alike else []
