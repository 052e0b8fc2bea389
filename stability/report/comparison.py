"""The comparison part of the twin: two arms' rates, yardsticks and printed losses side by side."""

from __future__ import annotations

from typing import Any

import pandas as pd

from stability.evidence import sequential
from stability.evidence.comparability import TOTAL, Comparability, comparability
from stability.evidence.failures import compare_failures, worst_case
from stability.evidence.losses import LossSummary, summarise
from stability.evidence.paired import (
    PairedRatio,
    epoch_values,
    finished,
    paired_ratio,
    yardstick_values,
)
from stability.evidence.rates import RateComparison, compare_rates
from stability.evidence.selection import with_evidence
from stability.evidence.survival import logrank
from stability.report.looks import looks_part, unfinished_part
from stability.report.plaindata import to_plain

Part = dict[str, Any]


def comparison_parts(
    spec: Any, compared: pd.DataFrame, epochs: pd.DataFrame, steps: pd.DataFrame
) -> tuple[Part | None, list[Part] | None, list[Part] | None]:
    """The twin's `comparison`, `table` and `comparability`; all None where no comparison was run."""
    if spec.compare is None or compared.empty:
        return None, None, None
    arms = (spec.compare.baseline, spec.compare.treatment)
    judged = comparability(compared, epochs, steps, arms)
    yardstick = paired_ratio(compared, yardstick_values(compared), *arms)
    rows = [
        *_yardstick_rows(compared, epochs, arms, yardstick),
        *_printed_rows(compared, epochs, arms, judged),
    ]
    return _comparison(spec, compared, arms, yardstick), rows, [_judgement(part) for part in judged]


def _comparison(spec: Any, compared: pd.DataFrame, arms: tuple[str, str], yardstick: PairedRatio) -> Part:
    design, looks = sequential.design_of(spec), None
    if design is None:
        rates = compare_rates(compared, *arms)
        worst = worst_case(compared, arms, rates, lambda own: compare_rates(own, *arms))
    else:
        rates, course = sequential.compare(compared, design)
        looks = looks_part(course)
        worst = worst_case(compared, arms, rates, lambda own: sequential.compare(own, design)[0])
    failures = compare_failures(compared, arms)
    return {
        "baseline": arms[0],
        "treatment": arms[1],
        **_rate_fields(rates),
        "worst_case": worst,
        "failures": failures and {**to_plain(failures), "differ": failures.differ},
        "yardstick_ratio": yardstick.ratio,
        "yardstick_ratio_ci": yardstick.ci,
        "yardstick_pairs": _pair_fields(yardstick),
        "logrank_p_value": logrank(compared, *arms),
        "early": looks,
        "unfinished": unfinished_part(spec, compared),
    }


def _rate_fields(rates: RateComparison) -> Part:
    return {
        "rate_difference": rates.difference,
        "rate_difference_ci": rates.ci,
        "rate_difference_method": rates.method,
        "p_value": rates.p_value,
        "test": rates.test,
        "pairs": rates.pairs,
        "conclusion": rates.conclusion,
        "needed": rates.needed,
    }


def _pair_fields(found: PairedRatio) -> Part:
    return {
        "method": found.method,
        "used": found.used,
        "dropped": found.dropped,
        "baseline_diverged_only": found.baseline_diverged_only,
        "treatment_diverged_only": found.treatment_diverged_only,
        "both_diverged": found.both_diverged,
        "wins": found.wins,
        "losses": found.losses,
        "ties": found.ties,
        "ranked": found.ranked,
        "win_probability": found.win_probability,
        "wilcoxon_p_value": found.wilcoxon_p,
    }


def _yardstick_rows(
    compared: pd.DataFrame, epochs: pd.DataFrame, arms: tuple[str, str], final: PairedRatio
) -> list[Part]:
    """Final total, final components, then the total after the first epoch."""
    rows = [_row("yardstick_final", TOTAL, compared, yardstick_values(compared), arms, final)]
    names = epochs[epochs["source"] == "yardstick"]["component"].drop_duplicates()
    for name in names[names != TOTAL]:
        values = epoch_values(epochs, "yardstick", name)
        found = paired_ratio(compared, values, *arms)
        rows.append(_row("yardstick_final", name, compared, values, arms, found))
    first = epoch_values(epochs, "yardstick", TOTAL, epoch=0)
    found = paired_ratio(compared, first, *arms)
    return [*rows, _row("yardstick_first", TOTAL, compared, first, arms, found)]


def _printed_rows(
    compared: pd.DataFrame, epochs: pd.DataFrame, arms: tuple[str, str], judged: list[Comparability]
) -> list[Part]:
    """The printed losses of the first epoch, total first; a factor only where they are comparable."""
    rows = []
    for part in sorted(judged, key=lambda part: part.component != TOTAL):
        values = epoch_values(epochs, "train", part.component, epoch=0)
        found = paired_ratio(compared, values, *arms) if part.comparable else None
        row = _row("train_first", part.component, compared, values, arms, found)
        rows.append(row | {"comparable": part.comparable, "reason": part.reason})
    return rows


def _row(
    metric: str,
    component: str,
    compared: pd.DataFrame,
    values: pd.Series,
    arms: tuple[str, str],
    found: PairedRatio | None,
) -> Part:
    ratio = found.ratio if found else None
    return {
        "metric": metric,
        "component": component,
        "baseline": _arm_summary(compared, values, arms[0]),
        "treatment": _arm_summary(compared, values, arms[1]),
        "factor": ratio,
        "factor_ci": found.ci if found else None,
        "improvement": 1 / ratio if ratio else None,
        "pairs": found.used if found else 0,
        "comparable": True,
        "reason": "same definition",
    }


def _arm_summary(compared: pd.DataFrame, values: pd.Series, arm: str) -> LossSummary:
    """Over the trials that finished without diverging, as the factor is; the others count as missing."""
    own = finished(compared, arm)["trial_id"].map(values).astype(float)
    return summarise(own.dropna(), len(with_evidence(compared[compared["arm"] == arm])))


def _judgement(part: Comparability) -> Part:
    return {
        "component": part.component,
        "comparable": part.comparable,
        "reason": part.reason,
        "definitions": part.definitions,
    }
