"""May a printed loss be compared between two arms? Only where both compute the same thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from stability.evidence.selection import with_evidence

TOTAL = "total"


class Reason(StrEnum):
    """Why a printed loss may or may not be compared."""

    SAME = "same definition"
    DEFINITIONS_DIFFER = "definitions differ"
    LOSS_WEIGHTS_DIFFER = "loss weights differ"
    NOT_RECORDED = "definition not recorded"


@dataclass(frozen=True, slots=True)
class Comparability:
    """The answer for one printed loss, with each arm's definitions (more than one if its trials disagree)."""

    component: str
    reason: Reason
    definitions: Mapping[str, tuple[str, ...]]

    @property
    def comparable(self) -> bool:
        return self.reason is Reason.SAME


def comparability(
    trials: pd.DataFrame, epochs: pd.DataFrame, steps: pd.DataFrame, arms: tuple[str, str]
) -> list[Comparability]:
    """Judge every printed loss of the two arms, the total last; a total also needs equal loss weights."""
    known = with_evidence(trials)
    known = known[known["arm"].isin(arms)]
    printed = epochs[(epochs["source"] == "train") & epochs["trial_id"].isin(known["trial_id"])]
    names = [name for name in printed["component"].drop_duplicates() if name != TOTAL]
    parts = [_judge(known, name, arms) for name in names]
    if TOTAL in set(printed["component"]):
        parts.append(_judge_total(known, steps, parts, arms))
    return parts


def definitions_of(trials: pd.DataFrame, component: str) -> tuple[str, ...]:
    """The distinct definitions that these trials recorded for a component."""
    found = (definitions.get(component) for definitions in trials["definitions"])
    return tuple(dict.fromkeys(text for text in found if text))


def _judge(known: pd.DataFrame, component: str, arms: tuple[str, str]) -> Comparability:
    texts = {arm: definitions_of(known[known["arm"] == arm], component) for arm in arms}
    if not all(texts.values()):
        return Comparability(component, Reason.NOT_RECORDED, texts)
    alike = len({text for own in texts.values() for text in own}) == 1
    return Comparability(component, Reason.SAME if alike else Reason.DEFINITIONS_DIFFER, texts)


def _judge_total(
    known: pd.DataFrame, steps: pd.DataFrame, parts: list[Comparability], arms: tuple[str, str]
) -> Comparability:
    own = _judge(known, TOTAL, arms)
    if own.reason is not Reason.SAME:
        return own
    for reason in (Reason.DEFINITIONS_DIFFER, Reason.NOT_RECORDED):
        if any(part.reason is reason for part in parts):
            return Comparability(TOTAL, reason, own.definitions)
    if _weights_differ(known, steps):
        return Comparability(TOTAL, Reason.LOSS_WEIGHTS_DIFFER, own.definitions)
    return own


def _weights_differ(known: pd.DataFrame, steps: pd.DataFrame) -> bool:
    """Whether any step had different coefficients in force in different trials."""
    losses = steps[steps["trial_id"].isin(known["trial_id"]) & steps["quantity"].str.startswith("loss/")]
    if losses.empty:
        return False
    return bool((losses.groupby(["quantity", "step"])["loss_weight"].nunique(dropna=False) > 1).any())
