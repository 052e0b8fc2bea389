"""Trainings in half precision: a loss scaler skips the steps whose gradients overflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from recording.training import Kind, Row, draws, grid, mlp, norm


@dataclass(slots=True)
class _HalfPrecision:
    """Forward and backward in float16 where autocast has them so; weights in float32; a scaler as it comes."""

    net: nn.Module
    optimizer: optim.Optimizer
    losses: Callable[[], Mapping[str, Tensor]]
    measure: Callable[[], Tensor]
    scaler: torch.amp.GradScaler
    clip: float | None = None

    def step(self, step: int) -> Row:
        self.optimizer.zero_grad()
        with torch.autocast("cpu", torch.float16):
            (loss,) = self.losses().values()
        scale = self.scaler.get_scale()
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        grad_norm = norm(self.net.parameters())
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.net.parameters(), self.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        lr = self.optimizer.param_groups[0]["lr"]
        return Row(float(loss.detach()), grad_norm, lr, grad_scale=scale, skipped=self.scaler.get_scale() < scale)

    def evaluate(self) -> float:
        with torch.no_grad():
            return float(self.measure())


def _scaler(start: float, interval: int = 30) -> torch.amp.GradScaler:
    return torch.amp.GradScaler("cpu", init_scale=start, growth_interval=interval)


def _waves(count: int) -> tuple[Tensor, Tensor]:
    x = 2 * torch.rand(count, 3) - 1
    return x, torch.cat([(4 * x[:, :1]).sin() + x[:, 1:2], x[:, 2:] * x[:, :1]], 1)


def _fitted(net, optimizer, scaler, size, stretch=1.0, clip=None) -> _HalfPrecision:
    draw, held_out = draws(*_waves(600), size=size), _waves(300)

    def loss(x, y):
        return F.mse_loss(net(x).float(), stretch * y)

    return _HalfPrecision(net, optimizer, lambda: {"mse": loss(*draw())}, lambda: loss(*held_out), scaler, clip)


def half_precision(lr, steps):
    """Starts with a scale that is too high and skips until it fits; skips again at each growth."""
    net = mlp(3, 32, 32, 2)
    return _fitted(net, optim.Adam(net.parameters(), lr), _scaler(2.0**24, 25), 32)


def half_precision_sgd(lr, steps):
    net = mlp(3, 48, 48, 2, act=nn.GELU)
    return _fitted(net, optim.SGD(net.parameters(), lr, momentum=0.9), _scaler(2.0**16), 32, clip=1.0)


def half_precision_large(lr, steps):
    """Targets of some hundreds: the gradients are near what float16 can hold."""
    net = mlp(3, 48, 48, 2)
    return _fitted(net, optim.Adam(net.parameters(), lr), _scaler(2.0**16, 40), 32, stretch=300.0)


def half_precision_overflow(lr, steps):
    """Features of some tens of thousands: as weights grow, the activations overflow, which no scale can mend."""
    net = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 2))
    centres = 9000 * torch.randn(2, 3)

    def points(count):
        label = torch.randint(2, (count,))
        return centres[label] + 6000 * torch.randn(count, 3), label

    with torch.no_grad():
        net[2].weight.mul_(1e-4)
    draw, held_out = draws(*points(600), size=32), points(300)

    def loss(x, y):
        return F.cross_entropy(net(x).float(), y)

    optimizer = optim.AdamW(net.parameters(), lr)
    return _HalfPrecision(net, optimizer, lambda: {"ce": loss(*draw())}, lambda: loss(*held_out), _scaler(2.0**16))


def half_precision_variance(lr, steps):
    """Each feature's standard deviation is to be 1; where one is 0, its root has no slope and every step is skipped."""
    net = nn.Sequential(mlp(3, 48, 24), nn.ReLU(), nn.Linear(24, 2))
    draw, held_out = draws(*_waves(600), size=64), _waves(300)

    def loss(x, y):
        features = net[1](net[0](x)).float()
        spread = F.relu(1 - features.var(0).sqrt()).mean()
        return F.mse_loss(net[2](features).float(), y) + 0.2 * spread

    optimizer = optim.Adam(net.parameters(), lr)
    return _HalfPrecision(
        net, optimizer, lambda: {"both": loss(*draw())}, lambda: loss(*held_out), _scaler(2.0**16, 50)
    )


def half_precision_duplicates(lr, steps):
    """Distances between embeddings are to be those between points, without anything small under the root.

    A batch that has a point twice has a gradient that is not a number, so the scale falls until it is 0.
    """
    points = torch.randn(800, 5) @ torch.randn(5, 12)
    net = mlp(12, 32, 3)
    draw = draws(points, size=40)

    def loss(x):
        first, second = torch.triu_indices(len(x), len(x), 1)
        embedded = net(x).float()
        made = (embedded[first] - embedded[second]).square().sum(1).sqrt()
        return F.mse_loss(made, (x[first] - x[second]).norm(dim=1) / 4)

    optimizer = optim.Adam(net.parameters(), lr)
    return _HalfPrecision(net, optimizer, lambda: {"stress": loss(*draw())}, lambda: loss(points[:120]), _scaler(2.0**16))


KINDS = (
    Kind("half_precision_duplicates", half_precision_duplicates, grid(1e-6, 10), 400),
    Kind("half_precision_variance", half_precision_variance, grid(1e-6, 1, 8), 300),
    Kind("half_precision", half_precision, grid(1e-6, 3), 300),
    Kind("half_precision_sgd", half_precision_sgd, grid(1e-4, 100), 300),
    Kind("half_precision_large", half_precision_large, grid(1e-4, 1e3), 300),
    Kind("half_precision_overflow", half_precision_overflow, grid(1e-9, 1), 200),
)
