"""Which trials failed alike: ended without evidence in the same way, for the same reason.

Rows in, a frozen result out. Standard library alone: the driver asks after every failure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stability.records import Outcome

Row = Mapping[str, Any]
"""Of a trial: outcome, evidence, directory, key, params (a mapping) and whatever else the caller keeps."""

_NUMBER = re.compile(r"0x[0-9a-fA-F]+|(?<!status )(?<![\d.])\d+(\.\d+)?([eE][-+]?\d+)?")
"""Any number but an exit status, which says how a program ended."""
_TEMPORARY = re.compile(r"\btmp[\w]{6,12}\b")
_NO_WORD = re.compile(r"[\W_]+")
_SHORTEST_VALUE = 3
_LONGEST_MESSAGE = 300
_VERBS = {
    Outcome.CRASHED: "crashed",
    Outcome.TIMED_OUT: "ran out of time",
    Outcome.OUT_OF_MEMORY: "ran out of memory",
}


@dataclass(frozen=True, slots=True)
class Alike:
    """The trials that failed alike, oldest first; never empty."""

    trials: tuple[Row, ...]

    @property
    def count(self) -> int:
        return len(self.trials)

    @property
    def first(self) -> Row:
        return self.trials[0]

    @property
    def verb(self) -> str:
        """How they ended: `crashed`."""
        return _VERBS.get(self.first["outcome"], "ended without evidence")

    @property
    def message(self) -> str:
        """What the first of them said, on one line."""
        line = " ".join(self.first["evidence"].split())
        return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"


def alike(failed: Iterable[Row]) -> Alike | None:
    """The largest group of `failed` trials with one reason; None where there is nothing to compare.

    Trials that were lost say nothing of the program, and are left out.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in failed:
        if row["outcome"] != Outcome.LOST:
            groups.setdefault((row["outcome"], reason(row)), []).append(row)
    return Alike(tuple(max(groups.values(), key=len))) if groups else None


def reason(row: Row) -> str:
    """Why a trial failed, without what differs from trial to trial.

    Left out are numbers (seeds, addresses, times), its directory, its key and its own texts as parameters.
    """
    text = row["evidence"]
    for own in (str(row["directory"]), row["key"], *_texts(row["params"])):
        text = text.replace(own, " ")
    text = _NUMBER.sub(" ", _TEMPORARY.sub(" ", text))
    return _NO_WORD.sub(" ", text).strip().lower()


def settings(trials: Sequence[Row]) -> int:
    """How many different parameter sets these trials had."""
    return len({json.dumps(row["params"], sort_keys=True, default=str) for row in trials})


def _texts(params: Mapping[str, Any]) -> list[str]:
    """Parameters that are texts, the longest first; a short one may stand anywhere by chance."""
    texts = [value for value in params.values() if isinstance(value, str) and len(value) >= _SHORTEST_VALUE]
    return sorted(texts, key=len, reverse=True)
