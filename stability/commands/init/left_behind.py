"""What a program writes where it runs, whatever it is told."""

from __future__ import annotations

from pathlib import Path

DEPTH = 3
SHOWN = 4
"""So many names tell whose files they are."""


class LeftBehind:
    """Looks at a folder when it is made; `names` are files that are new or written anew since then."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = self._times()

    @property
    def names(self) -> list[str]:
        now = self._times()
        changed = [name for name, time_ns in now.items() if self._before.get(name) != time_ns]
        return sorted(changed)[:SHOWN]

    def _times(self) -> dict[str, int]:
        """When each file was last written, some levels deep."""
        patterns = ["/".join("*" * depth) for depth in range(1, DEPTH + 1)]
        found = [path for pattern in patterns for path in self._folder.glob(pattern)]
        return {
            str(path.relative_to(self._folder)): path.stat().st_mtime_ns
            for path in found
            if path.is_file() and "__pycache__" not in path.parts
        }
