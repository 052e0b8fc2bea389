"""How much of the difference between two printed totals is only a change of what is printed?

A total is sum(w_c l_c) over components: coefficient times unweighted loss. Where both arms define a component
alike, its part of the difference splits without rest into what the coefficients did and what the losses did:
the mean over both orders of changing one after the other, which is the Shapley value of two players,
(w2 - w1)(l1 + l2) / 2 and (l2 - l1)(w1 + w2) / 2. Where definitions differ, or were not recorded, its two
losses are different quantities, and nothing tells a change of yardstick from a change of loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from stability.evidence.comparability import TOTAL, Reason, comparability
from stability.evidence.proportions import Interval
from stability.evidence.selection import pair_by_seed, with_evidence

FIRST_EPOCH = 0
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Printed:
    """What one training printed for an epoch: the total, its unweighted components, their coefficients."""

    total: float
    losses: Mapping[str, float]
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Split:
    """One component's part of treatment - baseline.

    `reason` is SAME where weight and loss were told apart; else it says why not, and all is `untold`.
    """

    component: str
    reason: Reason
    by_weight: float
    by_loss: float
    untold: float


@dataclass(frozen=True, slots=True)
class Part:
    """Mean over pairs, and its 95% t interval; none for one pair, or where all pairs are equal."""

    mean: float
    ci: Interval | None


@dataclass(frozen=True, slots=True)
class YardstickChange:
    """Over `n` pairs: difference of printed totals = `by_weights` + `by_losses` + `untold` + `rest`.

    `untold` are components that the arms define differently or without a known coefficient; `rest` is what
    the components do not add up to. `dropped` seeds have no pair of finite totals and components.
    """

    difference: Part
    by_weights: Part
    by_losses: Part
    untold: Part
    rest: Part
    components: tuple[Split, ...]
    n: int
    dropped: int


def split(one: Printed, two: Printed, reasons: Mapping[str, Reason]) -> list[Split]:
    """Each component's part of two.total - one.total; `reasons` says which are defined alike.

    A component that only one of them printed, or whose coefficient one of them did not record, is untold: all
    that is known of it is coefficient x loss on the sides that have both.
    """
    names = dict.fromkeys([*one.losses, *two.losses])
    return [_split(name, one, two, reasons[name]) for name in names]


def yardstick_change(
    trials: pd.DataFrame, epochs: pd.DataFrame, steps: pd.DataFrame, arms: tuple[str, str]
) -> YardstickChange | None:
    """Decompose the first training epoch's printed totals of (baseline, treatment), pair by pair of a seed.

    Coefficients are a trial's own, averaged over that epoch's steps: what they did within the epoch, together
    with the loss, goes to `rest`. None where no pair has finite totals.
    """
    known = with_evidence(trials)
    known = known[known["arm"].isin(arms)]
    printed = _printed(known, epochs)
    reasons = {part.component: part.reason for part in comparability(trials, epochs, steps, arms)}
    ids = pair_by_seed(known, *arms)[["trial_id_baseline", "trial_id_treatment"]].itertuples(index=False)
    pairs = [(printed[one], printed[two]) for one, two in ids if one in printed and two in printed]
    if not pairs:
        return None
    splits = [split(one, two, reasons) for one, two in pairs]
    differences = np.array([two.total - one.total for one, two in pairs])
    return _over_pairs(differences, splits, trials[trials["arm"].isin(arms)]["seed"].nunique() - len(pairs))


def _split(name: str, one: Printed, two: Printed, reason: Reason) -> Split:
    l1, l2 = one.losses.get(name), two.losses.get(name)
    w1, w2 = one.weights.get(name), two.weights.get(name)
    if None in (l1, l2):
        reason = Reason.DEFINITIONS_DIFFER
    elif None in (w1, w2) and reason is Reason.SAME:
        reason = Reason.NOT_RECORDED
    if reason is Reason.SAME:
        return Split(name, reason, (w2 - w1) * (l1 + l2) / 2, (l2 - l1) * (w1 + w2) / 2, 0.0)
    return Split(name, reason, 0.0, 0.0, _product(w2, l2) - _product(w1, l1))


def _product(weight: float | None, loss: float | None) -> float:
    return 0.0 if weight is None or loss is None else weight * loss


def _printed(known: pd.DataFrame, epochs: pd.DataFrame) -> dict[int, Printed]:
    """trial_id -> what it printed, for the trials that finished the first epoch with finite losses only."""
    first = epochs[(epochs["source"] == "train") & (epochs["epoch"] == FIRST_EPOCH)]
    own = first[first["trial_id"].isin(known["trial_id"])]
    length = own["n"].max()
    found = {}
    for trial, rows in own.groupby("trial_id"):
        losses = dict(zip(rows["component"], rows["value"].astype(float), strict=True))
        weights = dict(zip(rows["component"], rows["loss_weight"].astype(float), strict=True))
        if TOTAL in losses and (rows["n"] == length).all() and np.isfinite([*losses.values()]).all():
            told = {name: weight for name, weight in weights.items() if np.isfinite(weight)}
            found[trial] = Printed(losses.pop(TOTAL), losses, told)
    return found


def _over_pairs(differences: np.ndarray, splits: list[list[Split]], dropped: int) -> YardstickChange:
    """Means over pairs; what a pair's components do not add up to is its rest."""
    kinds = ("by_weight", "by_loss", "untold")
    sums = np.array([[sum(getattr(own, kind) for own in pair) for kind in kinds] for pair in splits])
    names = dict.fromkeys(own.component for pair in splits for own in pair)
    columns = [differences, *sums.T, differences - sums.sum(axis=1)]
    parts = tuple(_mean_split(name, splits) for name in names)
    return YardstickChange(*map(_part, columns), parts, len(splits), dropped)


def _mean_split(name: str, splits: list[list[Split]]) -> Split:
    own = [part for pair in splits for part in pair if part.component == name]
    reason = next((part.reason for part in own if part.reason is not Reason.SAME), Reason.SAME)
    sums = np.array([(part.by_weight, part.by_loss, part.untold) for part in own]).sum(axis=0)
    return Split(name, reason, *(sums / len(splits)).tolist())


def _part(values: np.ndarray) -> Part:
    """Student's t over pairs; equal values have no sampling distribution."""
    mean = float(values.mean())
    if len(values) < 2 or np.ptp(values) <= ROUNDING * np.abs(values).max(initial=1.0):
        return Part(mean, None)
    low, high = stats.t.interval(0.95, len(values) - 1, mean, stats.sem(values))
    return Part(mean, (float(low), float(high)))
