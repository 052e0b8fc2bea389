"""What a program printed, or an old log -> how its numbers are read, and what could be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stability.commands.init.outputs import FOLDER
from stability.logs.inspection import Inspection, inspect_run
from stability.spec.command import AUTO

FEW = 4
"""Of so few printed losses a file that the program writes may have more."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`parse` is what a study file says, `losses` the names of what is recorded; `sentences` tell it.

    `count` is how many steps have losses.
    """

    parse: Any = AUTO
    losses: Sequence[str] = ("loss",)
    sentences: Sequence[str] = ()
    count: int = 0

    @property
    def has_loss(self) -> bool:
        return self.count > 0


def read(printed: bytes, folder: Path | None = None) -> Reading:
    """How a run is read: by what it printed, or by a file that it wrote below `folder`, its artifacts."""
    found = _fuller(inspect_run(printed, b"", None), folder)
    if not found.has_loss:
        return Reading(sentences=found.sentences)
    losses = found.evaluated or found.trained
    return Reading(_in_trial(found.parse), losses, found.sentences, found.steps)


def _fuller(printed: Inspection, folder: Path | None) -> Inspection:
    if printed.steps >= FEW or folder is None:
        return printed
    written = inspect_run(b"", b"", folder)
    return written if written.steps > printed.steps else printed


def _in_trial(parse: Any) -> Any:
    """With paths as they are in every trial."""
    if not isinstance(parse, Mapping):
        return parse
    return {kind: {**source, "path": f"{FOLDER}/{source['path']}"} for kind, source in parse.items()}
