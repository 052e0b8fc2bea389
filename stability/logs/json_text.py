"""A line that is a JSON object, or ends in one -> its fields: its numbers, and those of a message in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite, nan
from typing import Any

from stability.logs.fields import Field, Line
from stability.logs.gaps import Gaps
from stability.logs.jsonlines import numbers_in
from stability.logs.line_reader import read_line
from stability.logs.rows import of_kinds
from stability.logs.vocabulary import LOSSES, Sort, meaning, split_of

_MESSAGES = frozenset(("log", "message", "msg", "text", "line", "event", "@message", "textpayload"))
DEEPEST = 3
"""Objects within objects in which a message is looked for."""
LOOKED_AT = 200
"""Lines by which is told whether objects wrap what was printed."""


def json_line(text: str, gaps: Gaps | None = None) -> Line | None:
    """The fields of a line that is a JSON object; a message in it, as loggers wrap it, is read as a line."""
    before, own = _cut(text)
    if (found := _object(own)) is None:
        return None
    inner = [json_line(said) or read_line(said.strip()) for said in messages(found)]
    numbers = numbers_in(found)
    row = {name: value for name, value in numbers.items() if value is not None}
    if gaps is not None and row:
        row |= dict.fromkeys(gaps.nans(row, [name for name in numbers if name not in row]), nan)
    prefix = read_line(before)
    rows = [own._replace(part=own.part or prefix.part) for own in of_numbers(of_kinds(row, found))]
    inner = [prefix, *inner] if before else inner
    part = next((own.part for own in inner if own.part), "")
    return Line(text.strip(), (*rows, *(own for line in inner for own in line.fields)), part)


def messages(found: Mapping[str, Any]) -> list[str]:
    """What an object wraps; of two texts that say the same the shorter."""
    texts = list(dict.fromkeys(_texts(found, DEEPEST)))
    return [one for one in texts if not any(other is not one and other.strip() in one for other in texts)]


def wraps_text(lines: Sequence[str]) -> bool:
    """Whether lines are a logger's objects around what was printed: none has a number called a loss."""
    found = [one for line in lines[:LOOKED_AT] if (one := _object(line)) is not None]
    names = {name for one in found for name in numbers_in(one)}
    if any(meaning(name).sort in LOSSES for name in names):
        return False
    said = [read_line(text) for one in found for text in messages(one)]
    numbers = [own for line in said for own in line.fields]
    return any(meaning(own.name).sort in (Sort.LOSS, Sort.TERM) for own in numbers) or (
        not any(names) and bool(said)
    )


def of_numbers(row: Mapping[str, float]) -> tuple[Field, ...]:
    """The fields of a row of named numbers."""
    fields = []
    for name, value in row.items():
        text = str(int(value)) if isfinite(value) and value == int(value) else repr(value)
        part = split_of(name.replace("/", "_").replace(".", "_"))
        fields.append(Field(name, 1, text, value, 0, 0, part=part))
    return tuple(fields)


def _object(text: str) -> dict[str, Any] | None:
    text = text.strip()
    if not text.startswith("{") or not text.endswith("}"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _cut(text: str) -> tuple[str, str]:
    """What stands before an object in a line, and the object; the whole line where there is none."""
    text = text.strip()
    at = text.find('{"')
    return (text[:at], text[at:]) if at > 0 and text.endswith("}") else ("", text)


def _texts(found: Mapping[str, Any], deepest: int) -> Iterator[str]:
    for name, value in found.items():
        if isinstance(value, str) and name.lower() in _MESSAGES:
            yield value
        elif isinstance(value, dict) and deepest > 1:
            yield from _texts(value, deepest - 1)
