"""What was added to a file since the last look. The file may not be there yet, grow, or be written anew."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path

PIECE_BYTES = 2**18
_PREFIX_BYTES = 512


def last_of(path: str) -> Path | None:
    """The file at `path`; with `*` in it the last by name; None where there is none."""
    found = glob.glob(path, recursive=True)  # noqa: PTH207 - of a path, not below one
    return Path(max(there)) if (there := [one for one in found if Path(one).is_file()]) else None


class Tail:
    """Follows the file at `path`; of a path with `*` the last by name of those that are there at first."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._file: Path | None = None
        self._at = 0
        self._prefix = b""

    def pieces(self) -> Iterator[bytes | None]:
        """The bytes that are new, in pieces; None before them where the file was written anew."""
        if self._file is None:
            self._file = last_of(self._path)
        if self._file is None:
            return
        try:
            with self._file.open("rb") as file:
                if file.read(len(self._prefix)) != self._prefix or file.seek(0, 2) < self._at:
                    self._at, self._prefix = 0, b""
                    yield None
                file.seek(self._at)
                while piece := file.read(PIECE_BYTES):
                    if len(self._prefix) < _PREFIX_BYTES:
                        self._prefix = (self._prefix + piece)[:_PREFIX_BYTES]
                    self._at += len(piece)
                    yield piece
        except FileNotFoundError:  # it is being replaced
            return
