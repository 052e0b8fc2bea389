"""Which trials count as evidence, and which of them form pairs. No statistics."""

from __future__ import annotations

import pandas as pd

from stability.records import VerdictLabel

EVIDENCE = frozenset(VerdictLabel) - {VerdictLabel.INCONCLUSIVE}
"""Verdicts on a training; what is left (INCONCLUSIVE) says only that the infrastructure failed."""
VARYING = ("boundary", "search")
"""The stages whose trials draw their parameters from the ranges."""


def of_stage(trials: pd.DataFrame, stage: str) -> pd.DataFrame:
    """The trials of one stage."""
    return trials[trials["stage"] == stage]


def with_evidence(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials whose training gave evidence."""
    return trials[trials["verdict"].isin(EVIDENCE)]


def varied(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials with evidence of the stages in `VARYING`."""
    return with_evidence(trials[trials["stage"].isin(VARYING)])


def failed(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials that the infrastructure failed: never counted as diverged, nor as not diverged."""
    return trials[~trials["verdict"].isin(EVIDENCE)]


def diverged(trials: pd.DataFrame) -> pd.Series:
    """True where a trial diverged, one value a trial."""
    return trials["verdict"] == VerdictLabel.DIVERGED


def pair_by_seed(trials: pd.DataFrame, baseline: str, treatment: str) -> pd.DataFrame:
    """One row a seed that both arms ran with evidence; columns end in `_baseline` and `_treatment`.

    Raises pandas' `MergeError` where an arm holds a seed twice: one row a trial key is the store's promise.
    """
    known = with_evidence(trials)
    sides = [known[known["arm"] == arm] for arm in (baseline, treatment)]
    return sides[0].merge(sides[1], on="seed", suffixes=("_baseline", "_treatment"), validate="one_to_one")
