"""Offline runs of W&B, `run-ID.wandb` -> rows and settings. The only module that knows W&B, an extra.

The file is a log as LevelDB writes it (blocks of 32 KiB; records cut to fit, each piece with a checksum, a
length and a type) of messages that W&B's own package defines. https://github.com/google/leveldb/blob/main/doc/log_format.md
"""

from __future__ import annotations

import importlib.util
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from stability.logs.jsonlines import row
from stability.logs.tail import last_of

INSTALL = "pip install 'stability[wandb]'"
ENDING = ".wandb"
_BLOCK = 32 * 1024
_HEADER = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_OPENING = b":W&B"


def is_installed() -> bool:
    return importlib.util.find_spec("wandb") is not None


class WandbFile:
    """The numbers of one run, in the order they were logged; `step` is W&B's own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def new(self) -> Iterator[dict[str, float]]:
        path = last_of(str(self._path))
        for i, message in enumerate(_messages(path) if path is not None else ()):
            if i < self._read:
                continue
            self._read = i + 1
            if message.WhichOneof("record_type") == "history":
                texts = (f"{json.dumps(_name(item))}: {item.value_json}" for item in message.history.item)
                if found := row(f"{{{', '.join(texts)}}}"):
                    yield found

    def end(self) -> Iterator[dict[str, float]]:
        yield from ()


def config(path: Path) -> dict[str, Any]:
    """The settings that the run was started with."""
    for message in _messages(path):
        if message.WhichOneof("record_type") == "run":
            return {_name(item): json.loads(item.value_json) for item in message.run.config.update}
    return {}


def _name(item: Any) -> str:
    return item.key or ".".join(item.nested_key)


def _messages(path: Path) -> Iterator[Any]:
    from wandb.proto import wandb_internal_pb2

    with path.open("rb") as file:
        for data in _records(file):
            message = wandb_internal_pb2.Record()
            message.ParseFromString(data)
            yield message


def _records(file: BinaryIO) -> Iterator[bytes]:
    """Whole records; one cut off by a crash ends them. Raises `ValueError` for another kind of file."""
    opening = file.read(_HEADER.size)
    if not opening.startswith(_OPENING):
        raise ValueError("it is no run of W&B")
    at, pieces = len(opening), b""
    while True:
        if (left := _BLOCK - at % _BLOCK) < _HEADER.size:
            at += len(file.read(left))
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return
        _, length, kind = _HEADER.unpack(header)
        data = file.read(length)
        if len(data) < length or kind not in (_FULL, _FIRST, _MIDDLE, _LAST):
            return
        at += len(header) + length
        pieces = data if kind in (_FULL, _FIRST) else pieces + data
        if kind in (_FULL, _LAST):
            yield pieces
