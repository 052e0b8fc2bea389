"""How a finished run ended, by the end of its log."""

from __future__ import annotations

from pathlib import Path

from stability.trainers.parse.text import Lines
from stability.trainers.program import exception_in

END_BYTES = 2**16
"""Of a text log, so much of its end is searched for an exception and kept as the trial's output."""
TEXTS = ("log", "jsonl")


def end(path: Path, kind: str) -> bytes:
    """The end of a text log; of other logs nothing."""
    if kind not in TEXTS:
        return b""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - END_BYTES))
        return file.read()


def error_in(end: bytes) -> str | None:
    """The exception that a run ended with; None for one that came to its own end."""
    lines = Lines()
    return exception_in("\n".join([*lines.feed(end), *lines.end()]))
