"""What were the losses per arm and epoch? A mean never hides a non-finite value or a missing trial."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stability.evidence.selection import with_evidence


@dataclass(frozen=True, slots=True)
class LossSummary:
    """Mean and standard deviation of the `n` finite values, beside what they leave out.

    `nonfinite` values were measured and are NaN or infinite; `missing` trials have no value at all.
    """

    mean: float | None
    sd: float | None
    n: int
    nonfinite: int
    missing: int


@dataclass(frozen=True, slots=True)
class EpochLoss:
    """One cell of the loss table; `epoch` is -1 before training, `source` is train or yardstick."""

    arm: str
    source: str
    epoch: int
    component: str
    summary: LossSummary


def summarise(values: Iterable[float], expected: int) -> LossSummary:
    """Summarise the values of `expected` trials."""
    array = np.asarray(list(values), dtype=float)
    good = array[np.isfinite(array)]
    with np.errstate(over="ignore"):  # of values too large to be added up the mean is infinite, and says so
        mean = float(good.mean()) if len(good) else None
        sd = float(good.std(ddof=1)) if len(good) > 1 else None
    return LossSummary(mean, sd, len(good), len(array) - len(good), max(expected - len(array), 0))


def epoch_losses(trials: pd.DataFrame, epochs: pd.DataFrame) -> list[EpochLoss]:
    """Per arm, source, epoch and component, over the trials that gave evidence; in order of appearance.

    A training mean over fewer steps than the epoch has (the trial stopped in it) is missing, unless it is
    not finite: half an epoch's mean is another quantity.
    """
    known = with_evidence(trials).dropna(subset=["arm"])
    expected = known.groupby("arm")["trial_id"].nunique()
    rows = epochs.merge(known[["trial_id", "arm"]], on="trial_id")
    whole = rows["n"] == rows.groupby(["source", "epoch", "component"])["n"].transform("max")
    rows = rows[whole | ~np.isfinite(rows["value"].astype(float))]
    keys = ["arm", "source", "epoch", "component"]
    return [
        EpochLoss(arm, source, int(epoch), component, summarise(cell["value"], int(expected[arm])))
        for (arm, source, epoch, component), cell in rows.groupby(keys, sort=False)
    ]
