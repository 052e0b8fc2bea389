"""What an attribution says: a total, each setting's part, and what could not be known. No statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from stability.evidence.proportions import Interval

Term = tuple[str, ...]
"""A main effect ('lr',), an interaction ('lr', 'warmup'), or (): what all cells have in common."""


class Response(StrEnum):
    """What is attributed, with its unit."""

    DIVERGED = "P(diverge)"
    YARDSTICK = "log yardstick"
    BOUNDARY = "boundary, decades"


class Limit(StrEnum):
    """What an attribution cannot know."""

    NO_TRIALS = "no trial gave evidence"
    NO_NOISE_KNOWN = "too few values at a seed to tell noise by"
    NONE_DIVERGED = "no trial diverged"
    ALL_DIVERGED = "all trials diverged"
    ALL_EQUAL = "all values of a seed are equal"
    ONE_SEED = "one seed"
    CELLS_LOST = "cells without evidence"
    SURVIVORS_ONLY = "trials without a finite value are left out"
    MAIN_EFFECTS_ALIASED = "main effects that cannot be told from other effects"
    INTERACTIONS_ALIASED = "interactions that cannot be told apart"


@dataclass(frozen=True, slots=True)
class Effect:
    """A setting's part of the total, with its 95% interval; `p_adjusted` is by Holm over all settings.

    `aliases` cannot be told from it with these cells; empty for a design of resolution IV without losses.
    """

    effect: float
    ci: Interval | None
    p_adjusted: float
    aliases: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Interaction:
    """What two settings do together beyond what each does; exploratory, adjusted by Benjamini-Hochberg."""

    factors: tuple[str, str]
    effect: float
    ci: Interval | None
    p_adjusted: float
    aliases: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Attribution:
    """Modelled treatment - baseline, and each setting's part; None and empty where nothing can be said.

    `n` trials at `seeds` seeds in `cells` cells were used; `dropped` ones gave no evidence, `excluded` ones
    have no finite value. `levels` are the modelled rates of baseline and treatment; None for values,
    and where all trials ended alike.
    """

    response: Response
    total_effect: float | None
    total_ci: Interval | None
    n: int
    seeds: int
    cells: int
    dropped: int
    excluded: int
    levels: tuple[float, float] | None
    effects: Mapping[str, Effect]
    interactions: tuple[Interaction, ...]
    limits: tuple[Limit, ...]
