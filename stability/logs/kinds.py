"""Which kind of log a file is: by its ending, and by its first lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from stability.logs import jsonlines, wandb_files
from stability.logs.columns import is_column, title_of
from stability.logs.json_text import wraps_text
from stability.logs.lines import Lines
from stability.logs.tables import DELIMITERS

KINDS = {
    ".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".log": "log", ".txt": "log", ".out": "log", ".err": "log", wandb_files.ENDING: "wandb",
}  # fmt: skip
BESIDE = ("hparams", "config", "params", "args")
"""Files of settings that lie beside logs."""
LOOKED_AT = 2000
"""Lines of a log by which is told what it is."""


def kind_of(path: Path) -> str:
    """The kind of a file; a log whose first line is a JSON object is JSON lines, unless that wraps a text."""
    if path.suffix == wandb_files.ENDING:
        return "wandb"
    lines = first_lines(path)
    row = jsonlines.row(lines[0]) if lines else None
    if row is not None and wraps_text(lines):
        return "log"
    if KINDS.get(path.suffix) in ("json", "jsonl") and lines and lines[0].lstrip()[:1] not in "{[":
        return "log"  # each object stands behind a word
    if path.suffix == ".json":
        return "jsonl" if row and len(lines) > 1 else "json"
    kind = "jsonl" if row else KINDS.get(path.suffix, "log")
    return "log" if kind == "csv" and _has_one_column(lines) else kind


def logs_in(folder: Path) -> Iterator[tuple[Path, str]]:
    """The logs in a folder and below it, each with its kind."""
    for place in [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]:
        files = sorted(path for path in place.iterdir() if path.is_file())
        if any("tfevents" in file.name for file in files):
            yield place, "tensorboard"
        else:
            yield from ((file, kind_of(file)) for file in files if _is_log(file))


def first_lines(path: Path) -> list[str]:
    """Up to `LOOKED_AT` lines of a log."""
    lines, cutter = [], Lines()
    with path.open("rb") as file:
        while len(lines) < LOOKED_AT and (piece := file.read(2**16)):
            lines += cutter.feed(piece)
    return [*lines, *cutter.end()][:LOOKED_AT]


def _has_one_column(lines: Sequence[str]) -> bool:
    """Whether nothing parts cells in the first lines: then they are read as a text."""
    own = [line for line in lines[:50] if not line.startswith("#")]
    return bool(own) and not any(sign in line for line in own for sign in DELIMITERS)


def _is_log(path: Path) -> bool:
    """Whether a file in a folder may be a log: a table of settings is none.

    One without an ending is where its name says what the numbers are that it has, one each time.
    """
    if not path.suffix:
        return bool(title_of(path)) and is_column(first_lines(path))
    return path.suffix in KINDS and not (path.suffix == ".json" and path.stem in BESIDE)
