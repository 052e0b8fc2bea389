"""What did a search find: the best trial, and where along one parameter divergence starts. No rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from stability.evidence.selection import diverged, failed, undecided, with_evidence
from stability.records import Outcome


class Range(Protocol):
    """What is read of a parameter's range."""

    low: float | None
    high: float | None
    log: bool
    choices: Any


@dataclass(frozen=True, slots=True)
class Edge:
    """Where trials diverged along one parameter.

    `clear_up_to` is the largest value below every diverged one; `n_clear` trials lie at or below it.
    """

    param: str
    lowest: float
    highest: float
    smallest_diverged: float | None
    largest_not_diverged: float | None
    clear_up_to: float | None
    n_clear: int


@dataclass(frozen=True, slots=True)
class Best:
    """The trial with the lowest final yardstick among those that finished and did not diverge."""

    trial_id: int
    number: int
    params: Mapping[str, Any]
    yardstick: float


@dataclass(frozen=True, slots=True)
class SearchSummary:
    """A search in numbers. `diverged` of `n` is a count, not a rate: samplers choose where to look."""

    n: int
    diverged: int
    infrastructure_failures: int
    undecided: int
    best: Best | None
    edge: Edge | None


def plotted_param(ranges: Mapping[str, Range]) -> str | None:
    """The parameter divergence is looked at along: `lr`, else the first log range, else the first range."""
    numeric = [name for name, own in ranges.items() if own.choices is None]
    if "lr" in numeric:
        return "lr"
    return next((name for name in numeric if ranges[name].log), numeric[0] if numeric else None)


def search_summary(trials: pd.DataFrame, param: str | None) -> SearchSummary:
    """Summarise the trials of a search stage."""
    known = with_evidence(trials)
    edge = edge_along(known, param) if param is not None else None
    lost, open_ = len(failed(trials)), len(undecided(trials))
    return SearchSummary(len(known), int(diverged(known).sum()), lost, open_, best_trial(known), edge)


def best_trial(known: pd.DataFrame) -> Best | None:
    """The best trial, or None where none finished with a finite yardstick."""
    good = known[(known["outcome"] == Outcome.FINISHED) & ~diverged(known)]
    final = pd.to_numeric(good["yardstick_final"]).astype(float)
    final = final[np.isfinite(final)]
    if final.empty:
        return None
    row = good.loc[final.idxmin()]
    return Best(int(row["trial_id"]), int(row["number"]), dict(row["params"]), float(final.min()))


def edge_along(known: pd.DataFrame, param: str) -> Edge | None:
    """Split the trials along `param`; None where no trial has a number there."""
    value = known["params"].map(lambda params: number(params.get(param))).astype(float)
    own, value = known[value.notna()], value[value.notna()]
    if own.empty:
        return None
    bad, good = value[diverged(own)], value[~diverged(own)]
    first = float(bad.min()) if len(bad) else math.inf
    clear = good[good < first]
    return Edge(
        param,
        lowest=float(value.min()),
        highest=float(value.max()),
        smallest_diverged=None if math.isinf(first) else first,
        largest_not_diverged=float(good.max()) if len(good) else None,
        clear_up_to=float(clear.max()) if len(clear) else None,
        n_clear=len(clear),
    )


def number(value: Any) -> float | None:
    """A parameter's value if it lies on an axis: neither a switch nor a name."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
