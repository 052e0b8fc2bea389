"""Rows of named numbers, of a table, a JSON line or an event file -> observations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stability.logs.observation import PLACES, Observation, is_loss, observed

_VALUES = frozenset(("value", "val", "v", "y", "metric_value", "scalar", "number"))
_KINDS = frozenset(
    ("name", "type", "tag", "key", "kind", "metric", "metric_name", "variable", "measure", "series")
)


@dataclass(frozen=True, slots=True)
class Names:
    """Our name -> the file's name, for training and for evaluations; both empty: every name is its own."""

    train: Mapping[str, str] = field(default_factory=dict)
    evaluate: Mapping[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> set[str]:
        """The file's names that are read; empty for all of them."""
        return {*self.train.values(), *self.evaluate.values()}

    def is_loss(self, name: str) -> bool:
        """Whether `name` in the file is a loss of the training."""
        if not self.train and not self.evaluate:
            return is_loss(name)
        return any(name == theirs and is_loss(ours) for ours, theirs in self.train.items())

    def read(self, row: dict[str, float]) -> list[Observation]:
        """What a row says: nothing, a step, an evaluation or both. It may be changed."""
        if not self.train and not self.evaluate:
            return _made(row, is_evaluation=False)
        places = {ours: row[name] for ours in PLACES if (name := self.place(ours)) in row}
        found = []
        for names, is_evaluation in ((self.train, False), (self.evaluate, True)):
            values = {ours: row[theirs] for ours, theirs in names.items() if theirs in row}
            found += _made(places | values, is_evaluation=is_evaluation)
        return found

    def place(self, ours: str) -> str:
        """What the file calls the step or the epoch."""
        return self.train.get(ours) or self.evaluate.get(ours) or ours


def of_kinds(row: dict[str, float], texts: Mapping[str, Any]) -> dict[str, float]:
    """The row; with `{"name": "loss", "value": 0.3}`, one number of several kinds, as `{"loss": 0.3}`."""
    value = next(filter(is_value, row), None)
    kind = next((texts[name] for name in texts if name.lower() in _KINDS and name not in row), None)
    if value is None or not isinstance(kind, str) or not kind.strip():
        return row
    return {name: number for name, number in row.items() if name != value} | {kind.strip(): row[value]}


def is_value(name: str) -> bool:
    """Whether a column says no more of its numbers than that they were measured."""
    return name.lower() in _VALUES


def _made(values: dict[str, float], *, is_evaluation: bool) -> list[Observation]:
    observation = observed(values, is_evaluation=is_evaluation)
    return [observation] if observation is not None and observation.values else []
