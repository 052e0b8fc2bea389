"""Event files of TensorBoard -> rows. The only module that knows TensorBoard, an extra."""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

INSTALL = "pip install 'stability[tensorboard]'"
PACKAGE = "tensorboard"
_FORMS = {1: "<f", 2: "<d", 3: "<i", 9: "<q"}  # of DT_FLOAT, DT_DOUBLE, DT_INT32, DT_INT64


def is_installed() -> bool:
    return importlib.util.find_spec(PACKAGE) is not None


class EventFiles:
    """Follows all event files below `folder`, which may appear later."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaders: dict[Path, Any] = {}

    def new(self) -> Iterator[dict[str, float]]:
        """A row for every new number: its tag, and `step`. An event is read once it is whole."""
        from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

        for path in sorted(self._folder.rglob("*tfevents*")):
            if path not in self._loaders:
                self._loaders[path] = LegacyEventFileLoader(str(path))
            for event in self._loaders[path].Load():
                for value in event.summary.value:
                    if (number := _number(value)) is not None:
                        yield {value.tag: number, "step": float(event.step)}

    def end(self) -> Iterator[dict[str, float]]:
        yield from ()


def _number(value: Any) -> float | None:
    """The number of a summary value, in the older or the newer form; None for a picture, a sound, a text."""
    if value.HasField("simple_value"):
        return value.simple_value
    if not value.HasField("tensor"):
        return None
    tensor = value.tensor
    for numbers in (tensor.float_val, tensor.double_val, tensor.int_val, tensor.int64_val):
        if len(numbers) == 1:
            return float(numbers[0])
    form = _FORMS.get(tensor.dtype)
    if form is None or len(tensor.tensor_content) != struct.calcsize(form):
        return None
    return float(struct.unpack(form, tensor.tensor_content)[0])
