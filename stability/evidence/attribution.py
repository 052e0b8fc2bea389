"""Which setting made the difference? The modelled difference of two corners, shared out to the settings.

Input is a table with a row a trial: a column a setting that holds 0 (baseline's value) or 1 (treatment's),
the `seed`, and what came of it. Effects are exact Shapley values over the modelled cube of all combinations,
so they add up to the total. Intervals and p-values come from draws of the model's posterior.

A trial that the infrastructure failed is dropped and counted. A trial that diverged has no yardstick to
take a mean of: it is excluded from the attribution of the yardstick and counted, never given a value. What is
then attributed is the yardstick of trainings that hold out; the divergence has an attribution of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from stability.evidence import shapley
from stability.evidence.attributed import Attribution, Effect, Interaction, Limit, Response, Term
from stability.evidence.proportions import Interval
from stability.evidence.selection import diverged, with_evidence
from stability.evidence.shapley import pairs
from stability.evidence.surface import Surface, of_divergence, of_values, spare, terms
from stability.records import Outcome, VerdictLabel

EQUAL = 1e-12
"""Values that differ by less than this within every seed are equal: rounding has no sampling distribution."""


def attribute_divergence(trials: pd.DataFrame, factors: Sequence[str]) -> Attribution:
    """Effects on the probability to diverge; columns `seed`, `verdict` and one a factor."""
    known = with_evidence(trials)
    blank = _blank(Response.DIVERGED, trials, known, known, factors)
    if known.empty:
        return blank
    happened = diverged(known).to_numpy(float)
    surface = of_divergence(_cells(known, factors), known["seed"].to_numpy(), happened)
    found = _share(blank, surface, known, factors)
    if 0 < happened.sum() < len(happened):
        return found
    return _without_contrast(found, Limit.ALL_DIVERGED if happened.all() else Limit.NONE_DIVERGED)


def attribute_yardstick(trials: pd.DataFrame, factors: Sequence[str]) -> Attribution:
    """Effects on the log of the final yardstick, among trials that finished without diverging.

    Columns `seed`, `verdict`, `outcome`, `yardstick_final` and one a factor. exp(effect) is a ratio.
    """
    known = with_evidence(trials)
    value = pd.to_numeric(known["yardstick_final"]).astype(float)
    good = (known["outcome"] == Outcome.FINISHED) & (known["verdict"] != VerdictLabel.DIVERGED)
    used = known[good & np.isfinite(value) & (value > 0)]
    logs = np.log(used["yardstick_final"].to_numpy(float))
    return _attribute_values(logs, _blank(Response.YARDSTICK, trials, known, used, factors), used, factors)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjusted p-values that keep the chance of any false one (Holm, Scand. J. Statistics 6:65, 1979)."""
    order = np.argsort(p_values)
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _attribute_values(
    values: np.ndarray, blank: Attribution, used: pd.DataFrame, factors: Sequence[str]
) -> Attribution:
    """By the linear model, where values within seeds differ and are more than what it fits."""
    if used.empty:
        return blank
    cells, seeds = _cells(used, factors), used["seed"].to_numpy()
    if spare(cells, seeds) < 1:
        return replace(blank, limits=(Limit.NO_NOISE_KNOWN, *blank.limits))
    within = pd.Series(values).groupby(seeds)
    if (within.max() - within.min()).max() <= EQUAL:
        return _all_equal(blank, factors)
    return _share(blank, of_values(cells, seeds, values), used, factors)


def _blank(
    response: Response, given: pd.DataFrame, known: pd.DataFrame, used: pd.DataFrame, factors: Sequence[str]
) -> Attribution:
    """What can be said before any model: counts and limits."""
    seeds, cells, names = used["seed"].nunique(), _distinct(used, factors), list(factors)
    limits = {
        Limit.NO_TRIALS: used.empty,
        Limit.ONE_SEED: seeds == 1,
        Limit.CELLS_LOST: cells < _distinct(given, names),
        Limit.SURVIVORS_ONLY: len(used) < len(known),
    }
    held = tuple(limit for limit, holds in limits.items() if holds)
    dropped, excluded = len(given) - len(known), len(known) - len(used)
    return Attribution(response, None, None, len(used), seeds, cells, dropped, excluded, None, {}, (), held)


def _share(blank: Attribution, surface: Surface, used: pd.DataFrame, factors: Sequence[str]) -> Attribution:
    """Project the cube of every draw on its corners, shares and interactions."""
    k, ends = len(factors), np.eye(2 ** len(factors))[[0, -1]]
    drawn = surface.project(np.vstack([ends, shapley.shares(k), shapley.interactions(k)]))
    aliased = _aliases(_cells(used, factors), factors)
    effects = _effects(drawn[:, 2 : 2 + k], factors, aliased)
    together = _interactions(drawn[:, 2 + k :], [(factors[i], factors[j]) for i, j in pairs(k)], aliased)
    total = drawn[:, 1] - drawn[:, 0]
    levels = (float(drawn[:, 0].mean()), float(drawn[:, 1].mean()))
    more = {
        Limit.MAIN_EFFECTS_ALIASED: any(effect.aliases for effect in effects.values()),
        Limit.INTERACTIONS_ALIASED: any(part.aliases for part in together),
    }
    return replace(
        blank,
        total_effect=float(total.mean()),
        total_ci=_interval(total),
        levels=levels if blank.response is Response.DIVERGED else None,
        effects=effects,
        interactions=together,
        limits=(*blank.limits, *(limit for limit, holds in more.items() if holds)),
    )


def _effects(
    drawn: np.ndarray, factors: Sequence[str], aliased: Mapping[Term, tuple[Term, ...]]
) -> dict[str, Effect]:
    adjusted = holm(_p_values(drawn))
    return {
        name: Effect(float(own.mean()), _interval(own), float(p), aliased[(name,)])
        for name, own, p in zip(factors, drawn.T, adjusted, strict=True)
    }


def _interactions(
    drawn: np.ndarray, names: Sequence[tuple[str, str]], aliased: Mapping[Term, tuple[Term, ...]]
) -> tuple[Interaction, ...]:
    if not names:
        return ()
    adjusted = stats.false_discovery_control(_p_values(drawn))
    return tuple(
        Interaction(pair, float(own.mean()), _interval(own), float(p), aliased[pair])
        for pair, own, p in zip(names, drawn.T, adjusted, strict=True)
    )


def _p_values(drawn: np.ndarray) -> np.ndarray:
    """Two-sided: twice the posterior share of the rarer sign, and never less than the draws can show."""
    rarer = np.minimum((drawn <= 0).sum(axis=0), (drawn >= 0).sum(axis=0))
    return np.minimum(2 * (rarer + 1) / (len(drawn) + 1), 1.0)


def _interval(drawn: np.ndarray) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def _without_contrast(found: Attribution, limit: Limit) -> Attribution:
    """All trials ended alike: that points in no direction, and says only how large a difference may be.

    The estimates are 0 and not what an unbalanced set of cells makes of the prior; intervals keep 0 inside.
    """
    effects = {name: replace(own, effect=0.0, ci=_around_zero(own.ci)) for name, own in found.effects.items()}
    together = [replace(own, effect=0.0, ci=_around_zero(own.ci)) for own in found.interactions]
    return replace(
        found,
        total_effect=0.0,
        total_ci=_around_zero(found.total_ci),
        levels=None,
        effects=effects,
        interactions=tuple(together),
        limits=(limit, *found.limits),
    )


def _around_zero(ci: Interval | None) -> Interval | None:
    return None if ci is None else (min(ci[0], 0.0), max(ci[1], 0.0))


def _all_equal(blank: Attribution, factors: Sequence[str]) -> Attribution:
    """No effect, and no noise to give it an interval."""
    effects = {name: Effect(0.0, None, 1.0) for name in factors}
    return replace(blank, total_effect=0.0, effects=effects, limits=(Limit.ALL_EQUAL, *blank.limits))


def _aliases(cells: np.ndarray, factors: Sequence[str]) -> dict[Term, tuple[Term, ...]]:
    """Term -> the terms whose columns are equal to its own, or opposite, in these cells."""
    names: list[Term] = [(), *((name,) for name in factors)]
    names += [(factors[i], factors[j]) for i, j in pairs(len(factors))]
    columns = terms(np.unique(cells, axis=0)).T
    alike = np.abs(columns @ columns.T) == columns.shape[1]
    return {
        name: tuple(other for other, same in zip(names, row, strict=True) if same and other != name)
        for name, row in zip(names, alike, strict=True)
    }


def _cells(trials: pd.DataFrame, factors: Sequence[str]) -> np.ndarray:
    return trials[list(factors)].to_numpy(int)


def _distinct(trials: pd.DataFrame, factors: Sequence[str]) -> int:
    return len(trials[list(factors)].drop_duplicates())
