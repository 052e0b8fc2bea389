"""What one place of a log says: some numbers of a step, or of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple

SCALARS = ("total", "lr", "grad_norm", "weight_norm", "grad_scale")
"""Names that mean something; every other name is a loss component."""
BESIDE_LOSSES = frozenset(SCALARS[1:])
PLACES = ("step", "epoch")
LARGEST = 2**53
"""Beyond, floats are not all whole numbers; no training has so many steps. NaN is no place either."""


def is_loss(name: str) -> bool:
    """Whether a number of this name, as we call it, is the total or a component."""
    return name not in PLACES and name not in BESIDE_LOSSES


def is_component(name: str) -> bool:
    """Whether a number of this name, as we call it, is a component of the loss."""
    return name not in PLACES and name not in SCALARS


class Observation(NamedTuple):
    """Numbers that stand together; `step` and `epoch` as the program counts them, None where it does not say.

    `epoch` may be a fraction: 0.5 is half of the first epoch done.
    """

    values: Mapping[str, float]
    step: int | None = None
    epoch: float | None = None
    is_evaluation: bool = False

    @property
    def is_lost(self) -> bool:
        """Whether a loss in it is NaN or infinite."""
        if all(map(isfinite, self.values.values())):  # most are, and every line comes by
            return False
        return any(not isfinite(self.values[name]) for name in self.values.keys() - BESIDE_LOSSES)

    @property
    def has_loss(self) -> bool:
        """Whether the total or a component is among its numbers."""
        return not BESIDE_LOSSES.issuperset(self.values)

    def losses(self) -> dict[str, float]:
        """The total and the components."""
        return {name: value for name, value in self.values.items() if name not in BESIDE_LOSSES}


def observed(values: dict[str, float], *, is_evaluation: bool) -> Observation | None:
    """The observation that these numbers make, `step` and `epoch` among them; None where there is none."""
    step, epoch = values.pop("step", None), values.pop("epoch", None)
    if step is not None:
        step = int(step) if -LARGEST < step < LARGEST else None
    if epoch is not None and not -LARGEST < epoch < LARGEST:
        epoch = None
    if not values and step is None and epoch is None:
        return None
    return Observation(values, step, epoch, is_evaluation)
