"""What a run tells whoever watches it, kept for tests."""

from __future__ import annotations


class Watcher:
    """Collects what a run reports."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int, int]] = []
        self.rows: list[dict] = []
        self.notes: list[str] = []

    def stage(self, name, planned, done):
        self.stages.append((name, planned, done))

    def finished(self, trial):
        self.rows.append(dict(trial))

    def note(self, sentence):
        self.notes.append(sentence)
