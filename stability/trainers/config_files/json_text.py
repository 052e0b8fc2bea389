"""JSON: where its scalars stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from stability.trainers.config_files.span import Span

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def spans(text: str) -> dict[tuple[str | int, ...], Span]:
    """Raises `ValueError` for a text that is no JSON."""
    json.loads(text)
    return dict(_of(text, _skip(text, 0), ()))


def written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _skip(text: str, i: int) -> int:
    return _SPACE.match(text, i).end()


def _of(text: str, i: int, address: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Span]]:
    """The scalars of the value that begins at `i`; the text is known to be right."""
    value, end = _DECODER.raw_decode(text, i)
    if not isinstance(value, dict | list):
        yield address, Span(i, end, value)
        return
    i = _skip(text, i + 1)
    number = 0
    while text[i] not in "}]":
        key: str | int = number
        if isinstance(value, dict):
            key, i = _DECODER.raw_decode(text, i)
            i = _skip(text, _skip(text, i) + 1)
        yield from _of(text, i, (*address, key))
        i = _skip(text, _DECODER.raw_decode(text, i)[1])
        i = _skip(text, i + 1) if text[i] == "," else i
        number += 1
