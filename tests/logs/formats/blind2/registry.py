"""Where the second set of held-out formats is registered; nothing here knows how logs are read."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from ..blind.registry import BLIND, resized
from ..form import FORMATS, Format, Training, Write

BLIND_2: dict[str, Format] = {}

__all__ = ["BLIND_2", "Training", "blind_format", "draw", "epoch_mean", "number", "resized", "skill"]


def blind_format(name: str, source: str) -> Callable[[Write], Write]:
    """Register a function as a held-out format, under a name that no other format has."""

    def register(write: Write) -> Write:
        if any(name in held for held in (BLIND_2, BLIND, FORMATS)):
            raise ValueError(f"there are two formats {name!r}")
        BLIND_2[name] = Format(name, source, write)
        return write

    return register


def epoch_mean(t: Training, epoch: int) -> float:
    """The mean loss of an epoch counted from 0; NaN where one of its steps is."""
    steps = t.loss[epoch * t.steps_an_epoch : (epoch + 1) * t.steps_an_epoch]
    return sum(steps) / len(steps)


def number(value: float, form: str, nan: str = "NaN") -> str:
    """`value` in the form `form`, with the program's own word for NaN, right aligned where `form` has a width."""
    if not math.isnan(value):
        return format(value, form)
    width = form.lstrip("+").split(".")[0]
    return nan.rjust(int(width)) if width.isdigit() else nan


def draw(t: Training, what: str, step: int, low: float, high: float) -> float:
    """A number beside the loss (a time, a rate), the same for the same training, name and step."""
    return random.Random(f"{what} {t.seed} {step}").uniform(low, high)


def skill(t: Training, what: str, step: int, low: float, high: float) -> float:
    """An accuracy beside the loss of a step; a lost model gives one answer to all, so its accuracy stays at one number."""
    return 0.4 * low if math.isnan(t.loss[step]) else draw(t, what, step, low, high)
