"""A study's tables as files, for other tools."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from stability.records import UserError
from stability.store import Frames

FORMATS = ("csv", "json")


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON, every digit kept; NaN, infinities and missing values are null."""
    rows = frame.astype(object).to_dict("records")
    return [
        {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in r.items()} for r in rows
    ]


def make_folder(folder: Path) -> None:
    """Make `folder` and see that files can be made in it; raises `UserError` where they cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"--out: error: cannot write to {folder} ({error.strerror}); choose another"
        ) from None


def write(frames: Frames, folder: Path, format: str) -> Iterator[Path]:
    """Write trials, epochs, steps and events into `folder`; yields each path once it is written.

    NaN and infinities are written as `nan`, `inf`, `-inf` in CSV; in JSON they are null, and as everywhere
    the `_nonfinite` column beside the number says which. Raises `UserError` for another format or a folder
    that cannot be made.
    """
    if format not in FORMATS:
        raise UserError(f"--format {format}: error: export writes {' or '.join(FORMATS)}")
    make_folder(folder)
    for table in fields(frames):
        frame = getattr(frames, table.name).copy()
        for column in {"params", "definitions", "effective"} & set(frame):
            frame[column] = [json.dumps(value) for value in frame[column]]
        path = folder / f"{table.name}.{format}"
        if format == "csv":
            for column in [c for c in frame if f"{c}_nonfinite" in frame]:
                marker = frame[f"{column}_nonfinite"]
                frame[column] = frame[column].astype(object).where(marker.isna(), marker)
            frame.to_csv(path, index=False)
        else:
            path.write_text(json.dumps(_plain(frame), indent=1, allow_nan=False))
        yield path
