"""The staircase of psychophysics: the simplest search for a boundary that looks at what came before.

Kept as the method that the model-based search must beat. Past outcomes in, one setting out. No Optuna.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stability.evidence.boundary.located import reference_settings
from stability.evidence.boundary.space import Space
from stability.plan.v_optimal import Setting, value_at

CONTEXTS = 8


@dataclass(frozen=True, slots=True)
class Staircase:
    """One step down after a divergence, one up otherwise, in each of `contexts` in turn.

    The simple up-down method (Dixon & Mood, JASA 43:109, 1948), which settles around 50%: from the middle of
    the range with steps of `first_step` of it, halved at each reversal but not below `last_step`.
    """

    space: Space
    contexts: tuple[Mapping[str, Any], ...]
    first_step: float = 0.25
    last_step: float = 1 / 32

    def context(self, index: int) -> Mapping[str, Any]:
        """Where trial number `index` stands: the contexts take turns."""
        return self.contexts[index % len(self.contexts)]

    def setting(self, index: int, diverged: Sequence[bool]) -> Setting:
        """The setting of trial number `index`, given the outcomes in its context so far, in their order."""
        u = self._climbed(diverged) * self.space.range_u
        return {**self.context(index), self.space.bounded.name: value_at(self.space, u)}

    def _climbed(self, diverged: Sequence[bool]) -> float:
        """Where one context's stair stands, as a share of the range from its middle."""
        at, step = 0.0, self.first_step
        for i, down in enumerate(diverged):
            if i and down != diverged[i - 1]:
                step = max(step / 2, self.last_step)
            at = min(max(at + (-step if down else step), -0.5), 0.5)
        return at


def staircase(space: Space) -> Staircase:
    """A staircase over contexts that fill the space evenly; one where nothing but the bounded one varies."""
    return Staircase(space, tuple(reference_settings(space, CONTEXTS)))
