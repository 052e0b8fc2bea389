"""How a training is run and written down: one row a step, one value an evaluation. No tasks, no labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from cases import Case, Label
from torch import Tensor, nn

LONGEST_NONFINITE = 12  # steps in a row without a finite total, after which a training is over


@dataclass(frozen=True, slots=True)
class Row:
    """What one step has to show. `grad_norm` is from before clipping, `components` are unweighted."""

    total: float
    grad_norm: float
    lr: float
    components: Mapping[str, float] = field(default_factory=dict)
    loss_weights: Mapping[str, float] | None = None
    grad_scale: float | None = None
    skipped: bool = False


class Training(Protocol):
    """A training that can make a step and say how good it is now, lower is better."""

    def step(self, step: int) -> Row: ...

    def evaluate(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of training at several learning rates.

    `start` gets a learning rate and the number of steps to come; the random state is seeded before it.
    `noisy`: its evaluation is, as that of agents and adversaries is, so labels are stricter.
    `comparable`: its training loss means the same from the first to the last step.
    """

    name: str
    start: Callable[[float, int], Training]
    lrs: tuple[float, ...]
    steps: int
    seeds: tuple[int, ...] = (0,)
    evaluations: int = 15
    noisy: bool = False
    comparable: bool = True


def grid(lowest: float, highest: float, count: int = 7) -> tuple[float, ...]:
    """Learning rates at equal ratios, to three digits."""
    ratio = (highest / lowest) ** (1 / (count - 1))
    return tuple(float(f"{lowest * ratio**i:.3g}") for i in range(count))


def record(kind: Kind, lr: float, seed: int) -> Case:
    """Train once and write it down; it has no label yet."""
    torch.manual_seed(1000 + seed)
    training = kind.start(lr, kind.steps)
    every = max(1, kind.steps // kind.evaluations)
    rows, evaluations, nonfinite = [], [(0, training.evaluate())], 0
    for step in range(kind.steps):
        rows.append(training.step(step))
        if (step + 1) % every == 0:
            evaluations.append((step + 1, training.evaluate()))
        nonfinite = 0 if math.isfinite(rows[-1].total) else nonfinite + 1
        if nonfinite == LONGEST_NONFINITE:
            break
    return _case(f"{kind.name}/lr{lr:.3g}/s{seed}", rows, evaluations)


def _case(name: str, rows: list[Row], evaluations: list[tuple[int, float]]) -> Case:
    first = rows[0]
    return Case(
        name=name,
        label=Label.GREY,
        why="not labelled yet",
        total=[row.total for row in rows],
        grad_norm=[row.grad_norm for row in rows],
        components={key: [row.components[key] for row in rows] for key in first.components},
        lr=[row.lr for row in rows],
        loss_weights=None
        if first.loss_weights is None
        else {key: [row.loss_weights[key] for row in rows] for key in first.loss_weights},
        grad_scale=None if first.grad_scale is None else [row.grad_scale for row in rows],
        skipped=frozenset(step for step, row in enumerate(rows) if row.skipped),
        evaluations=evaluations,
    )


def norm(parameters) -> float:
    """Of all gradients together."""
    return float(nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None]))


def draws(*tensors: Tensor, size: int) -> Callable[[], tuple[Tensor, ...]]:
    """A function that draws a batch, with replacement."""

    def draw() -> tuple[Tensor, ...]:
        chosen = torch.randint(len(tensors[0]), (size,))
        return tuple(tensor[chosen] for tensor in tensors)

    return draw


@dataclass(slots=True)
class Descent:
    """Gradient descent on a weighted sum of components.

    `losses` gets the step and returns the components; `schedule` gets it and returns a factor for the rate.
    """

    net: nn.Module
    optimizer: torch.optim.Optimizer
    losses: Callable[[int], Mapping[str, Tensor]]
    measure: Callable[[], Tensor | float]
    weights: Callable[[int], Mapping[str, float]] | None = None
    schedule: Callable[[int], float] | None = None
    clip: float | None = None
    rates: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.rates = [group["lr"] for group in self.optimizer.param_groups]

    def step(self, step: int) -> Row:
        lr = self.set_rate(step)
        self.optimizer.zero_grad()
        components = self.losses(step)
        weights = None if self.weights is None else dict(self.weights(step))
        total = sum(value * (weights or {}).get(key, 1.0) for key, value in components.items())
        total.backward()
        parameters = list(self.net.parameters())
        grad_norm = norm(parameters)
        if self.clip is not None:
            nn.utils.clip_grad_norm_(parameters, self.clip)
        self.optimizer.step()
        return Row(float(total.detach()), grad_norm, lr, numbers(components), weights)

    def set_rate(self, step: int) -> float:
        factor = 1.0 if self.schedule is None else self.schedule(step)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        return self.rates[0] * factor

    def evaluate(self) -> float:
        self.net.eval()
        with torch.no_grad():
            value = float(self.measure())
        self.net.train()
        return value


def numbers(components: Mapping[str, Tensor]) -> dict[str, float]:
    """Components as numbers; a single one is the total and not told twice."""
    return {key: float(value.detach()) for key, value in components.items()} if len(components) > 1 else {}


def mlp(*widths: int, act: type[nn.Module] = nn.ReLU, drop: float = 0.0) -> nn.Sequential:
    """Linear layers with an activation between them."""
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(zip(widths, widths[1:], strict=False)):
        layers.append(nn.Linear(a, b))
        if i < len(widths) - 2:
            layers += [act(), *([nn.Dropout(drop)] if drop else [])]
    return nn.Sequential(*layers)
