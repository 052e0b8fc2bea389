"""TOML: where its scalars stand."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from stability.trainers.config_files.span import Span

_BARE = r"[A-Za-z0-9_-]+"
_KEY = re.compile(rf"(?P<bare>{_BARE})|\"(?P<basic>(?:[^\"\\]|\\.)*)\"|'(?P<literal>[^']*)'")
_TEXT = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.S)
_WORD = re.compile(r"[^\s,#\]}]+(?: \d{2}:[^\s,#\]}]+)?")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_Address = tuple[str | int, ...]


def spans(text: str) -> dict[_Address, Span]:
    """Raises `ValueError` for a text that is no TOML."""
    values = tomllib.loads(text)
    return {address: Span(start, end, _at(values, address)) for address, start, end in _found(text)}


def written(value: Any) -> str:
    if value is None:
        raise ValueError("TOML has no null; leave null out of the parameter's values")
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def _at(values: Any, address: _Address) -> Any:
    for part in address:
        values = values[part]
    return values


def _found(text: str) -> Iterator[tuple[_Address, int, int]]:
    """Tables and pairs in their order; the text is known to be right."""
    table: _Address = ()
    counts: dict[_Address, int] = {}
    i = _BLANK.match(text, 0).end()
    while i < len(text):
        if text[i] == "[":
            brackets = 2 if text.startswith("[[", i) else 1
            key, i = _key(text, _spaces(text, i + brackets))
            table = _numbered(key, counts, is_array=brackets == 2)
            i = text.index("]", i) + brackets
        else:
            key, i = _key(text, i)
            i = _spaces(text, text.index("=", i) + 1)
            found, i = _value(text, i, (*table, *key))
            yield from found
        i = _BLANK.match(text, i).end()


def _numbered(key: _Address, counts: dict[_Address, int], *, is_array: bool) -> _Address:
    """A table's address: below an array of tables it is in the last of them."""
    address: _Address = ()
    for n, part in enumerate(key, start=1):
        address = (*address, part)
        if is_array and n == len(key):
            counts[address] = counts.get(address, -1) + 1
        if address in counts:
            address = (*address, counts[address])
    return address


def _key(text: str, i: int) -> tuple[_Address, int]:
    parts: list[str] = []
    while True:
        found = _KEY.match(text, i)
        basic = found["basic"]
        parts.append(
            json.loads(f'"{basic}"') if basic is not None else found["bare"] or found["literal"] or ""
        )
        i = _spaces(text, found.end())
        if text[i : i + 1] != ".":
            return tuple(parts), i
        i = _spaces(text, i + 1)


def _value(text: str, i: int, address: _Address) -> tuple[list[tuple[_Address, int, int]], int]:
    """The scalars of the value that begins at `i`, and where it ends."""
    if text[i] not in "[{":
        end = (_TEXT.match(text, i) or _WORD.match(text, i)).end()
        return [(address, i, end)], end
    opening, number, found = text[i], 0, []
    i = _BLANK.match(text, i + 1).end()
    while text[i] not in "]}":
        key: _Address = (number,)
        if opening == "{":
            key, i = _key(text, i)
            i = _spaces(text, text.index("=", i) + 1)
        inside, i = _value(text, i, (*address, *key))
        found += inside
        i = _BLANK.match(text, i).end()
        i = _BLANK.match(text, i + 1).end() if text[i] == "," else i
        number += 1
    return found, i + 1


def _spaces(text: str, i: int) -> int:
    while text[i : i + 1] in (" ", "\t"):
        i += 1
    return i
