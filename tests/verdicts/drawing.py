"""How a curve becomes a case: a family draws a smooth curve, a variant says how long, noisy and large it is.

Here are the nouns and the pen. The families are in fine_curves, lost_curves and slow_curves.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from cases import Case, Form, Label
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOO_SHORT = "too short:"
"""How `why` begins where one or two numbers say nothing: nobody may call such a training stable."""
GRADIENT_ONLY = "only the gradient norm shows it:"
EVALUATED_ONLY = "only evaluations or components show it:"
_HIDDEN = {
    GRADIENT_ONLY: {Form.TOTAL},
    EVALUATED_ONLY: {Form.TOTAL, Form.GRADIENT},
}


def shown(case: Case, form: Form) -> bool:
    """Whether the numbers of this form can show what the label says."""
    return not any(case.why.startswith(start) and form in forms for start, forms in _HIDDEN.items())


@dataclass(frozen=True, slots=True)
class Variant:
    """The size of one curve and what is recorded of it.

    `noise`: the spread of a batch's loss as a share of the loss, or of its range where it changes its sign.
    `offset`: added after scaling, as a constant in a log-likelihood. `evaluations`: how many after the start.
    """

    steps: int = 300
    noise: float = 0.01
    scale: float = 1.0
    offset: float = 0.0
    norm: bool = True
    evaluations: int = 10

    @property
    def name(self) -> str:
        said = [f"n{self.steps}", f"noise{100 * self.noise:g}%"]
        said += [f"x{self.scale:g}"] if self.scale != 1 else []
        said += [f"{self.offset:+g}"] if self.offset else []
        said += [] if self.norm else ["no-norm"]
        said += [] if self.evaluations else ["not-evaluated"]
        return ",".join(said)


LONG = (
    Variant(300),
    Variant(1000, noise=0.05),
    Variant(300, noise=0.05, scale=1e-6),
    Variant(300, scale=1e6),
    Variant(100, noise=0.0),
    Variant(100, noise=0.3, evaluations=0),
    Variant(100, noise=0.05, norm=False),
)
MEDIUM = (*LONG, Variant(50, noise=0.05), Variant(20, evaluations=20))
QUIET = tuple(variant for variant in LONG if variant.noise < 0.3)
SHORT = tuple(Variant(steps, evaluations=steps) for steps in (1, 2, 3, 4, 5, 7, 10))
LIKELIHOOD = (
    Variant(300),
    Variant(300, noise=0.05, scale=300.0, offset=-1000.0),
    Variant(1000, noise=0.05),
    Variant(100, noise=0.0),
    Variant(100, noise=0.3, evaluations=0),
    Variant(20, evaluations=20, norm=False),
)


def as_it_is(values: Floats) -> Floats:
    return values


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a family draws, one number a step, before noise and scale.

    `evaluation` is the loss on held-out data after each step and `before` that before the first one; without
    them they are the training loss. `norm`: without it, the gradient norm rises and falls with the loss.
    `sigma` replaces the variant's noise. `still` has the steps whose loss is known to the last bit.
    `recorded` is what the training's own logging makes of its losses.
    """

    loss: Floats
    evaluation: Floats | None = None
    before: float | None = None
    norm: Floats | None = None
    sigma: float | None = None
    still: Floats | None = None
    recorded: Callable[[Floats], Floats] = as_it_is
    components: Mapping[str, Floats] = field(default_factory=dict)
    loss_weights: Mapping[str, Floats] | None = None
    lr: Floats | None = None
    grad_scale: Floats | None = None
    skipped: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Family:
    """Curves of one shape: `draw(t, rng)` gets the progress in 0..1, one number a step.

    `least`: with fewer steps the shape cannot be seen, so that people would not agree on a label.
    """

    name: str
    label: Label
    why: str
    draw: Callable[[Floats, np.random.Generator], Drawn]
    variants: Sequence[Variant] = MEDIUM
    recovers: bool = False
    least: int = 4

    def cases(self) -> list[Case]:
        return [self._case(variant) for variant in self.variants]

    def _case(self, variant: Variant) -> Case:
        name = f"{self.name}/{variant.name}"
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        t = np.linspace(0.0, 1.0, variant.steps) if variant.steps > 1 else np.zeros(1)
        with np.errstate(over="ignore", invalid="ignore"):
            case = _written(name, self.draw(t, rng), variant, rng)
        label, why = self._said(variant.steps)
        return replace(case, label=label, why=why, recovers=self.recovers and label is Label.FINE)

    def _said(self, steps: int) -> tuple[Label, str]:
        if steps >= self.least:
            return self.label, self.why
        if steps <= 2:
            return Label.GREY, f"{TOO_SHORT} of {steps} numbers nothing can be said"
        return Label.GREY, f"people would not agree: of {steps} numbers little can be said"


def _written(name: str, drawn: Drawn, variant: Variant, rng: np.random.Generator) -> Case:
    sigma = variant.noise if drawn.sigma is None else drawn.sigma
    total = noisy(drawn.loss, sigma, rng)
    if drawn.still is not None:
        total = np.where(drawn.still > 0, drawn.loss, total)
    total = drawn.recorded(total) * variant.scale + variant.offset
    norm = default_norm(drawn.loss) if drawn.norm is None else drawn.norm
    return Case(
        name,
        Label.GREY,
        "",
        total.tolist(),
        grad_norm=(noisy(norm, 0.1, rng) * variant.scale).tolist() if variant.norm else None,
        components={
            part: (noisy(values, sigma, rng) * variant.scale).tolist()
            for part, values in drawn.components.items()
        },
        lr=(np.full(variant.steps, 1e-3) if drawn.lr is None else drawn.lr).tolist(),
        loss_weights=None
        if drawn.loss_weights is None
        else {part: values.tolist() for part, values in drawn.loss_weights.items()},
        grad_scale=None if drawn.grad_scale is None else drawn.grad_scale.tolist(),
        skipped=drawn.skipped,
        evaluations=_evaluations(drawn, variant, sigma, rng),
    )


def _evaluations(
    drawn: Drawn, variant: Variant, sigma: float, rng: np.random.Generator
) -> list[tuple[int, float]]:
    """Before training and at equal distances up to the last step; their noise is a fifth of a batch's."""
    if not variant.evaluations:
        return []
    values = drawn.loss if drawn.evaluation is None else drawn.evaluation
    after = np.unique(np.linspace(0, variant.steps, min(variant.evaluations, variant.steps) + 1).astype(int))
    before = values[0] if drawn.before is None else drawn.before
    told = noisy(np.array([before, *values[after[1:] - 1]]), sigma / 5, rng) * variant.scale + variant.offset
    return [(int(step), float(value)) for step, value in zip(after, told, strict=True)]


def noisy(values: Floats, sigma: float, rng: np.random.Generator) -> Floats:
    """Log-normal where nothing is negative, else normal, with `sigma` times the range that it starts with."""
    drawn = rng.standard_normal(values.size)
    finite = values[np.isfinite(values)]
    if not finite.size or (finite >= 0).all():
        return values * np.exp(sigma * drawn)
    return values + sigma * drawn * _range(finite)


def default_norm(loss: Floats) -> Floats:
    """A third of its start at the best loss, larger where the loss is larger, NaN where the loss is not finite."""
    finite = loss[np.isfinite(loss)]
    if not finite.size:
        return np.full(loss.size, np.nan)
    above = np.where(np.isfinite(loss), loss - finite.min(), np.nan)
    return 0.5 + above / _range(finite)


def _range(finite: Floats) -> float:
    """How far the curve falls below its first number; where it does not, the size of that number."""
    return float(finite[0] - finite.min()) or abs(float(finite[0])) or 1.0


def fall(t: Floats, floor: float = 0.2, rate: float = 5.0) -> Floats:
    """An exponential fall from 1 towards `floor`."""
    return floor + (1 - floor) * np.exp(-rate * t)


def bump(t: Floats, centre: float, width: float) -> Floats:
    """A bell of height 1."""
    return np.exp(-(((t - centre) / width) ** 2))


def since(t: Floats, start: float) -> Floats:
    """The share done of what is left after `start`: 0 before it, 1 at the end."""
    return np.clip((t - start) / (1 - start), 0.0, None)


def ones(t: Floats, value: float = 1.0) -> Floats:
    return np.full(t.size, value)
