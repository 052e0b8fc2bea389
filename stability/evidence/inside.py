"""What became of the trials inside a bound? One within which trainings learn nothing is worth little."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from stability.evidence.proportions import Interval
from stability.evidence.searched import number
from stability.evidence.selection import failed, judged, undecided
from stability.records import VerdictLabel

LEARNED = frozenset({VerdictLabel.STABLE, VerdictLabel.UNSTABLE})


@dataclass(frozen=True, slots=True)
class Inside:
    """The trials at values on the calm side of a bound, whatever their other settings.

    `n` gave evidence: `stuck` of them learned nothing, `learned` did, each with the range of their values. Of
    the `failed` and the `undecided` ones nobody knows.
    """

    n: int
    stuck: int
    stuck_range: Interval | None
    learned: int
    learned_range: Interval | None
    failed: int
    undecided: int


def inside(trials: pd.DataFrame, param: str, bound: float, *, rising: bool) -> Inside:
    """Of `trials`, those with `param` at most `bound`, or at least that where smaller values diverge."""
    value = trials["params"].map(lambda params: number(params.get(param))).astype(float)
    own = trials[(value <= bound) if rising else (value >= bound)]
    known = judged(own)
    stuck, learned = known[known["verdict"] == VerdictLabel.STUCK], known[known["verdict"].isin(LEARNED)]
    ranges = (_range(value[each.index]) for each in (stuck, learned))
    unknown = len(failed(own)), len(undecided(own))
    return Inside(len(known), len(stuck), next(ranges), len(learned), next(ranges), *unknown)


def _range(values: pd.Series) -> Interval | None:
    return (float(values.min()), float(values.max())) if len(values) else None
