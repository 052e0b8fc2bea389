"""A proposed trial: what a stage of the plan asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Proposal:
    """One trial of a stage. `params` is None where the stage's sampler chooses when the trial starts."""

    key: str
    arm: str | None
    seed: int
    params: Mapping[str, Any] | None
