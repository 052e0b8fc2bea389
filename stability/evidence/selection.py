"""Which trials count as evidence, and which of them form pairs. No statistics."""

from __future__ import annotations

import pandas as pd

from stability.evidence import independent
from stability.records import Outcome, VerdictLabel

EVIDENCE = frozenset(VerdictLabel) - {VerdictLabel.INCONCLUSIVE}
"""Verdicts on a training; what is left (INCONCLUSIVE) is none."""
VARYING = ("boundary", "search")
"""The stages whose trials draw their parameters from the ranges."""


def of_stage(trials: pd.DataFrame, stage: str) -> pd.DataFrame:
    """The trials of one stage."""
    return trials[trials["stage"] == stage]


def judged(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials with a verdict on their training, those that repeat another one included: to be listed."""
    return trials[trials["verdict"].isin(EVIDENCE)]


def came_to_an_end(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials that can be compared number by number: judged ones, and those that lack only a verdict."""
    return trials[trials["verdict"].isin(EVIDENCE) | _finished(trials)]


def with_evidence(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials whose training gave evidence, each piece of it once: to be counted."""
    return independent_of(judged(trials))


def independent_of(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials without those that came out as another one of another seed did."""
    if not _have_trajectories(trials):
        return trials
    identity = list(independent.IDENTITY)
    alike = trials.duplicated(identity, keep=False) & trials[identity].notna().all(axis=1)
    again = independent.repeated(_rows(trials[alike]))
    return trials[~trials["trial_id"].isin(again)] if again else trials


def identical(trials: pd.DataFrame) -> list[independent.Identical]:
    """Where trials of different seeds came out identical."""
    return independent.identical(_rows(trials)) if _have_trajectories(trials) else []


def _have_trajectories(trials: pd.DataFrame) -> bool:
    return {"trial_id", "key", *independent.IDENTITY} <= set(trials.columns)


def _rows(trials: pd.DataFrame) -> list[independent.Row]:
    columns = ["trial_id", "stage", "arm", "key", "seed", "verdict", "params", *independent.IDENTITY]
    return trials[columns].to_dict("records")


def varied(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials with evidence of the stages in `VARYING`."""
    return with_evidence(trials[trials["stage"].isin(VARYING)])


def failed(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials that crashed, hung, ran out of memory or were lost, without a verdict on their training."""
    return trials[~trials["verdict"].isin(EVIDENCE) & ~_finished(trials)]


def undecided(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials that finished, but whose numbers do not suffice for a verdict: nothing failed."""
    return trials[~trials["verdict"].isin(EVIDENCE) & _finished(trials)]


def _finished(trials: pd.DataFrame) -> pd.Series:
    if "outcome" not in trials:  # nobody says how they ended
        return pd.Series(False, index=trials.index)
    return trials["outcome"] == Outcome.FINISHED


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
