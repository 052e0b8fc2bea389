"""How sensitive is the loss to one parameter? Medians along its range, and Wortsman's LR sensitivity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 14
FEWEST = 4
"""Fewer parts of the range with a trial in them give no sensitivity."""
MOST_EMPTY = 1 / 3
"""Nor does a range of which a larger share has no trial: the average would be filled in, not measured."""


@dataclass(frozen=True, slots=True)
class Along:
    """Trials along one parameter: `value`, final `loss` (NaN where there is none) and `lost` [n].

    `at_start` is the loss before training, None where it was not recorded.
    """

    value: np.ndarray
    loss: np.ndarray
    lost: np.ndarray
    at_start: float | None


@dataclass(frozen=True, slots=True)
class Bin:
    """One part of the range: its trials, and the median loss of all of them.

    Where at least half of them diverged the median of all is infinite: `survivors` is True and the median is
    of the others, None where there is none.
    """

    low: float
    high: float
    middle: float
    n: int
    diverged: int
    median: float | None
    survivors: bool


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """E over `low` to `high` of min(loss, loss before training) - the lowest loss of a trial.

    Wortsman et al. 2023, arXiv 2309.14322, vary nothing else; here the other settings are as they were
    drawn, and each part of the range counts as much as another. It reaches from the first part with a trial
    to the last. `empty` parts in between had none: neighbours stand in for them.
    """

    value: float
    low: float
    high: float
    n: int
    empty: int


def bins(along: Along, low: float, high: float, log: bool) -> list[Bin]:
    """The range in equal parts, those without a trial too."""
    scale = np.log10 if log else np.asarray
    edges = np.linspace(scale(low), scale(high), BINS + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    part = np.clip(np.searchsorted(edges, scale(along.value), side="right") - 1, 0, BINS - 1)
    back = (lambda at: float(10**at)) if log else float
    return [_bin(along, part == i, back(edges[i]), back(edges[i + 1]), back(middles[i])) for i in range(BINS)]


def sensitivity(along: Along, parts: Sequence[Bin]) -> Sensitivity | None:
    """The LR sensitivity over the parts from the first trial to the last.

    None without a loss before training, or with trials in fewer than `FEWEST` parts or with a share of more
    than `MOST_EMPTY` of them without one.
    """
    finite = along.loss[np.isfinite(along.loss) & ~along.lost]
    if along.at_start is None or not len(finite):
        return None
    capped = np.where(along.lost, along.at_start, np.minimum(along.loss, along.at_start))
    known = np.isfinite(capped)
    place = np.searchsorted([part.low for part in parts[1:]], along.value, side="right")
    means = [_mean(capped[known & (place == i)]) for i in range(len(parts))]
    filled = [i for i, mean in enumerate(means) if mean is not None]
    if len(filled) < FEWEST:
        return None
    first, last = filled[0], filled[-1]
    empty = last - first + 1 - len(filled)
    if empty > MOST_EMPTY * (last - first + 1):
        return None
    whole = np.interp(range(first, last + 1), filled, [means[i] for i in filled])
    value = float(whole.mean()) - float(min(finite.min(), along.at_start))
    return Sensitivity(value, parts[first].low, parts[last].high, int(known.sum()), empty)


def _bin(along: Along, inside: np.ndarray, low: float, high: float, middle: float) -> Bin:
    n, lost = int(inside.sum()), int((inside & along.lost).sum())
    losses = np.where(along.lost, np.inf, along.loss)[inside]
    losses = losses[~np.isnan(losses)]
    survivors = bool(n) and 2 * lost >= n
    if survivors:
        losses = losses[np.isfinite(losses)]
    median = float(np.median(losses)) if len(losses) else None
    return Bin(
        low, high, middle, n, lost, median if median is None or np.isfinite(median) else None, survivors
    )


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
