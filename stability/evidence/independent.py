"""Which trials are one piece of evidence? Those that came out identical though their seeds differ.

A program that ignores its seed repeats one training. Twenty repetitions tell as much as one of them, so in
every rate, interval and test they count once. Every statistic passes through here, by `with_evidence`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

IDENTITY = ("trajectory_sha256", "printed_sha256")
"""Where both of two trials agree, every recorded number does."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Identical:
    """Of the `trials` trials of an arm in a stage, `pieces` are left where identical ones count once.

    `arm` is None in stages whose trials belong to no arm.
    """

    stage: str
    arm: str | None
    trials: int
    pieces: int


def repeated(rows: Iterable[Row]) -> set[Any]:
    """The ids of the trials that repeat another one of another seed; the first seed of each set is not one.

    Trials of one stage, arm and setting that ended alike. Nothing is known of one without a trajectory.
    """
    found = set()
    for own in _identical(rows):
        found |= {row["trial_id"] for row in own[1:] if row["seed"] != own[0]["seed"]}
    return found


def identical(rows: Iterable[Row]) -> list[Identical]:
    """Where trials repeat one another, by stage and arm in the order of the trials."""
    rows = list(rows)
    again = repeated(rows)
    groups: dict[tuple[str, str | None], list[bool]] = {}
    for row in rows:
        arm = row["arm"] if isinstance(row["arm"], str) else None
        groups.setdefault((row["stage"], arm), []).append(row["trial_id"] in again)
    counted = ((place, len(marks), len(marks) - sum(marks)) for place, marks in groups.items() if any(marks))
    return [Identical(*place, trials, pieces) for place, trials, pieces in counted]


def _identical(rows: Iterable[Row]) -> list[list[Row]]:
    """Sets of trials with the same settings and recorded numbers, the lowest seed first."""
    alike: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        sha256s = tuple(row.get(column) for column in IDENTITY)
        if all(isinstance(sha256, str) for sha256 in sha256s):
            alike.setdefault((row["stage"], _name(row), row["verdict"], *sha256s), []).append(row)
    sets: dict[tuple[Any, ...], list[Row]] = {}
    for place, own in alike.items():
        for row in own if len(own) > 1 else ():
            sets.setdefault((*place, _settings(row["params"])), []).append(row)
    several = [own for own in sets.values() if len(own) > 1]
    return [sorted(own, key=lambda row: (row["seed"], row["trial_id"])) for own in several]


def _name(row: Row) -> str:
    """`basic` of `basic/seed-3`; trials of a sampler are numbered alone."""
    return str(row["key"]).rpartition("/")[0]


def _settings(params: Any) -> str:
    return params if isinstance(params, str) else json.dumps(params, sort_keys=True, default=str)
