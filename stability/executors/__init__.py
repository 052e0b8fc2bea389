"""Where trials run. An executor starts a trial's process and sees to it that every trial ends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from stability.records import TrialSpec


class Executor(Protocol):
    """Runs trials; every one submitted comes back from `finished` exactly once, with an outcome.json."""

    @property
    def free(self) -> int:
        """How many more trials could start now."""

    def prepare(self, trainer: Any, data: Mapping[str, Any], cache: Path) -> None:
        """Compute what all trials share before the first of them, outside any trial's time limit."""

    def submit(self, trial: TrialSpec) -> None:
        """Start the trial whose directory has been created."""

    def finished(self, timeout_s: float) -> list[Path]:
        """The directories of trials that ended since the last call; waits up to `timeout_s` for the first."""

    def close(self) -> None:
        """End what still runs, without an outcome: those trials run again when the study is resumed."""
