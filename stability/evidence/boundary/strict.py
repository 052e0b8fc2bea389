"""A bound that holds whatever the trials without evidence inside it would have shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stability.evidence.boundary.located import Boundary, locate
from stability.evidence.inside import Inside, inside
from stability.evidence.selection import diverged, failed, undecided, with_evidence


@dataclass(frozen=True, slots=True)
class Bound:
    """The `value` that may be stated, and `plain`, that of the trials with evidence alone.

    `counted` are the trials inside `plain`, whose failed and undecided ones are taken for diverged; `inside`
    those inside `value`. `found` is the boundary that `value` comes from.
    """

    value: float | None
    plain: float | None
    counted: Inside | None
    inside: Inside | None
    found: Boundary


class Strict:
    """A boundary with all trials of its stage; keeps what it fitted anew, as arms often share it."""

    def __init__(self, found: Boundary, trials: pd.DataFrame) -> None:
        self.found, self._trials = found, trials
        self._unknown = pd.concat([failed(trials), undecided(trials)])
        self._refitted: dict[tuple[int, ...], Boundary] = {}

    def bound(self, setting: Mapping[str, Any], risk: float) -> Bound:
        """The stricter of two bounds: without the failed and undecided trials inside, and with them lost."""
        plain = self.found.bound(setting, risk)
        if plain is None:
            return Bound(None, None, None, None, self.found)
        counted = self.inside(plain)
        stated, found = plain, self.found
        if counted.failed or counted.undecided:
            again = self._counting(plain)
            other = again.bound(setting, risk)
            if other is None or self._is_stricter(other, plain):
                stated, found = other, again
        return Bound(stated, plain, counted, None if stated is None else self.inside(stated), found)

    def inside(self, value: float) -> Inside:
        """The trials of the stage inside `value`."""
        space = self.found.space
        return inside(self._trials, space.bounded.name, value, rising=space.rising)

    def holds(self, settings: list[Mapping[str, Any]], risk: float) -> np.ndarray:
        """Whether each setting lies inside its own bound [n], with and without the trials nobody knows of."""
        u = self.found.space.coordinates(settings)[0]
        calm = self.found.bounds(settings, risk) >= u
        if len(self._unknown):
            again = self._fitted(self._unknown)
            calm &= again.speaks and again.bounds(settings, risk) >= u
        return calm

    def _counting(self, plain: float) -> Boundary:
        """The boundary with the unknown trials inside `plain` taken for diverged."""
        space, name = self.found.space, self.found.space.bounded.name
        own = self._unknown["params"].map(lambda params: float(params[name]))
        return self._fitted(self._unknown[(own <= plain) if space.rising else (own >= plain)])

    def _fitted(self, lost: pd.DataFrame) -> Boundary:
        key = tuple(sorted(map(int, lost["trial_id"])))
        if key not in self._refitted:
            known = with_evidence(self._trials)
            settings = [*known["params"], *lost["params"]]
            ended = [*diverged(known).tolist(), *[True] * len(lost)]
            self._refitted[key] = locate(self.found.space, settings, ended)
        return self._refitted[key]

    def _is_stricter(self, one: float, two: float) -> bool:
        return one < two if self.found.space.rising else one > two
