"""What a log format of the collection is: how one program writes down a training, and two trainings to write.

A format is a function: a `Training` -> the files that the program would leave, by name. Formats are in the modules
beside this one; `FORMATS` holds them all. No format knows how logs are read.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Write = Callable[["Training"], Mapping[str, str]]
HEALTHY, LOST = "healthy", "lost"


@dataclass(frozen=True, slots=True)
class Training:
    """One training to be written down; `loss` and `evaluations` hold the true numbers, `ends` is "healthy" or "lost".

    `loss[i]` is the total of step `i` (counted from 0), and `parts(i)` what it is made of. A lost training has NaN from
    step `breaks_at` to its end. `evaluations[e]` follows epoch `e`; an epoch has `steps_an_epoch` steps.
    """

    lr: float
    seed: int
    ends: str
    loss: tuple[float, ...]
    evaluations: tuple[float, ...]
    steps_an_epoch: int
    breaks_at: int | None

    @property
    def is_lost(self) -> bool:
        return self.ends == LOST

    def parts(self, step: int, *shares: float) -> tuple[float, ...]:
        """The total of a step cut into components by `shares`, each with a little noise of its own; NaN stays NaN."""
        noise = random.Random(f"{self.seed} {step}")
        return tuple(self.loss[step] * share * noise.uniform(0.97, 1.03) for share in shares)

    def grad_norm(self, step: int) -> float:
        """A gradient norm that goes with the loss; NaN where that is NaN."""
        return self.loss[step] * random.Random(f"norm {self.seed} {step}").uniform(0.5, 1.5)


@dataclass(frozen=True, slots=True)
class Format:
    """`source`: where the way of writing can be seen (a project, a documentation page, an issue), in words."""

    name: str
    source: str
    write: Write


FORMATS: dict[str, Format] = {}


def log_format(name: str, source: str) -> Callable[[Write], Write]:
    """Register a function as a format."""

    def register(write: Write) -> Write:
        if name in FORMATS:
            raise ValueError(f"there are two formats {name!r}")
        FORMATS[name] = Format(name, source, write)
        return write

    return register


def training(
    ends: str, *, lr: float, seed: int, start: float = 4.2, epochs: int = 4, steps_an_epoch: int = 25
) -> Training:
    """A training that falls to a third of its start, with noise; a lost one does so up to two thirds of its way."""
    noise = random.Random(f"{ends} {seed}")
    n = epochs * steps_an_epoch
    breaks_at = 2 * n // 3 if ends == LOST else None
    loss = [start * (0.33 + 0.67 * math.exp(-4.0 * i / n)) * noise.gauss(1.0, 0.02) for i in range(n)]
    evaluations = [start * (0.36 + 0.64 * math.exp(-4.0 * (e + 1) / epochs)) for e in range(epochs)]
    if breaks_at is not None:
        loss[breaks_at:] = [math.nan] * (n - breaks_at)
        evaluations = [
            v if (e + 1) * steps_an_epoch <= breaks_at else math.nan for e, v in enumerate(evaluations)
        ]
    return Training(lr, seed, ends, tuple(loss), tuple(evaluations), steps_an_epoch, breaks_at)
