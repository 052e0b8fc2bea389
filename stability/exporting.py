"""A study's tables as files, for other tools."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from stability.records import UserError
from stability.store import Frames

FORMATS = ("csv", "json")


def write(frames: Frames, folder: Path, format: str) -> Iterator[Path]:
    """Write trials, epochs, steps and events into `folder`; yields each path once it is written.

    NaN and infinities are written as `nan`, `inf`, `-inf` in CSV; in JSON they are null, and as everywhere
    the `_nonfinite` column beside the number says which. Raises `UserError` for another format.
    """
    if format not in FORMATS:
        raise UserError(f"--format {format}: error: export writes {' or '.join(FORMATS)}")
    folder.mkdir(parents=True, exist_ok=True)
    for table in fields(frames):
        frame = getattr(frames, table.name).copy()
        for column in {"params", "definitions"} & set(frame):
            frame[column] = [json.dumps(value) for value in frame[column]]
        path = folder / f"{table.name}.{format}"
        if format == "csv":
            for column in [c for c in frame if f"{c}_nonfinite" in frame]:
                marker = frame[f"{column}_nonfinite"]
                frame[column] = frame[column].astype(object).where(marker.isna(), marker)
            frame.to_csv(path, index=False)
        else:
            frame.to_json(path, orient="records", indent=1)
        yield path
