"""What did each arm's training really get, beside what the study file asked for?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stability.evidence.selection import with_evidence

LR = "lr"
LARGEST_LR = "lr_largest"


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting as the trainings had it: arm -> its values, more than one where its trials disagree."""

    name: str
    values: Mapping[str, tuple[str, ...]]

    @property
    def differs(self) -> bool:
        return len(set(self.values.values())) > 1


@dataclass(frozen=True, slots=True)
class Overridden:
    """An arm whose largest learning rate was not the one it asked for."""

    arm: str
    asked: float
    got: tuple[str, ...]


def effective(compared: pd.DataFrame, arms: tuple[str, ...]) -> list[Effective]:
    """Every recorded setting, of each arm's longest trials: a schedule that was cut short is another one."""
    own = {arm: _longest(compared, arm) for arm in arms}
    names = dict.fromkeys(name for settings in own.values() for each in settings for name in each)
    return [
        Effective(name, {arm: _values(settings, name) for arm, settings in own.items()}) for name in names
    ]


def overridden(found: list[Effective], asked: Mapping[str, Mapping[str, Any]]) -> list[Overridden]:
    """Arms whose parameter `lr` is not the largest learning rate that the optimizer had."""
    largest = next((each.values for each in found if each.name == LARGEST_LR), {})
    return [
        Overridden(arm, asked[arm][LR], got)
        for arm, got in largest.items()
        if LR in asked.get(arm, {}) and got and not _all_close(got, asked[arm][LR])
    ]


def _longest(compared: pd.DataFrame, arm: str) -> list[Mapping[str, str]]:
    own = with_evidence(compared[compared["arm"] == arm])
    return list(own[own["steps"] == own["steps"].max()]["effective"])


def _values(settings: list[Mapping[str, str]], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each[name] for each in settings if name in each))


def _all_close(texts: tuple[str, ...], asked: Any) -> bool:
    return all(math.isclose(float(text), float(asked), rel_tol=1e-6) for text in texts)
