"""The trials of stage `attribute` as a design, a column a factor, and those that confirm what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stability.evidence.attributed import Attribution, Response
from stability.evidence.attribution import attribute_divergence, attribute_yardstick
from stability.evidence.paired import PairedRatio, paired_ratio, yardstick_values
from stability.evidence.rates import RateComparison, compare_rates
from stability.evidence.selection import independent_of, of_stage
from stability.spec.plan import ROLES

SIGNIFICANT = 0.05
FACTOR = "factor "
"""Before a setting's name where it names a column: a setting may be called `seed`."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A setting swapped alone, on seeds that had no part in finding it.

    `added`: the baseline with the treatment's value, against the baseline; `removed`: the treatment with the
    baseline's value, against the treatment.
    """

    setting: str
    added: tuple[RateComparison, PairedRatio]
    removed: tuple[RateComparison, PairedRatio]


def attributions(
    trials: pd.DataFrame, baseline: Mapping[str, Any], treatment: Mapping[str, Any]
) -> list[Attribution]:
    """Of the divergence, then of the yardstick; empty where no combination ran.

    `trials` are those of all stages, `baseline` and `treatment` the settings of the two arms. The factors are
    the settings of which both values were tried.
    """
    design = _design(trials)
    levels = {
        FACTOR + name: [int(own[name] == treatment[name]) for own in design["params"]]
        for name in baseline
        if baseline[name] != treatment[name]
    }
    columns = {name: own for name, own in levels.items() if len(set(own)) > 1}
    if not columns:
        return []
    table = design[["seed", "verdict", "outcome", "yardstick_final"]].assign(**columns)
    return [attribute(table, list(columns)) for attribute in (attribute_divergence, attribute_yardstick)]


def setting(factor: str) -> str:
    """The setting that a factor stands for."""
    return factor.removeprefix(FACTOR)


def culprit(found: Sequence[Attribution]) -> str | None:
    """The setting with the largest clear part: in the divergence if one has, else in the yardstick."""
    for attribution in found:
        clear = {
            setting(factor): abs(own.effect)
            for factor, own in attribution.effects.items()
            if own.p_adjusted < SIGNIFICANT
        }
        if clear:
            return max(clear, key=clear.__getitem__)
    return None


def response_of(found: Sequence[Attribution]) -> Attribution:
    """The one to head the report: the divergence where some trials diverged and some did not."""
    divergence, yardstick = found
    contrast = divergence.response is Response.DIVERGED and divergence.levels is not None
    return divergence if contrast else yardstick


def confirmed(trials: pd.DataFrame) -> Confirmed | None:
    """What the confirming trials show; None before there are any."""
    own = of_stage(trials, "attribute")
    own = own[~own["key"].map(_is_cell)]
    if own.empty:
        return None
    parts = own["key"].str.partition("/")[0].str.partition("-")
    table = own.assign(arm=parts[0], stage="compare")
    values = yardstick_values(table)
    pairs = [(ROLES[0], ROLES[2]), (ROLES[1], ROLES[3])]
    added, removed = ((compare_rates(table, *p), paired_ratio(table, values, *p)) for p in pairs)
    return Confirmed(str(parts[2].iloc[0]), added, removed)


def _design(trials: pd.DataFrame) -> pd.DataFrame:
    own = of_stage(trials, "attribute")
    return independent_of(own[own["key"].map(_is_cell).astype(bool)])


def _is_cell(key: str) -> bool:
    return key.partition("/")[0].isdigit()
