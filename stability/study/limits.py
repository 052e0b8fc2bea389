"""When a study ends before its plan is done: its time is up, or too much of it failed."""

from __future__ import annotations

import time

from stability.spec import StudySpec
from stability.store import Store


class LimitReached(Exception):
    """A limit of the study was reached; the message says which. What is stored is kept."""


class Limits:
    """The limits of one run; its clock starts now."""

    def __init__(self, spec: StudySpec, store: Store) -> None:
        self._spec, self._store = spec, store
        self._start_s = time.monotonic()

    def check_time(self) -> None:
        """Raise `LimitReached` once the run has taken `limits.max_wall_s`."""
        allowed_s = self._spec.limits.max_wall_s
        if allowed_s is not None and time.monotonic() - self._start_s >= allowed_s:
            raise LimitReached(
                f"stopped after {allowed_s:g} s (limits.max_wall_s); the same command goes on from there"
            )

    def check_failures(self) -> None:
        """Raise `LimitReached` once more than `limits.max_failures` trials say nothing about the training."""
        allowed = self._spec.limits.max_failures
        if allowed is None:
            return
        failed = sum(row["failed"] for row in self._store.counts(self._spec.name))
        if failed > allowed:
            raise LimitReached(
                f"stopped: {failed} trials ended without evidence (crashed, hung, lost), more than "
                f"limits.max_failures ({allowed}); look at one with `stability show`, then run again with "
                "--retry-failed"
            )
