"""Regressions: of large and of tiny targets, of quantiles, counts and equations, of tasks that change."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from recording.training import Descent, Kind, Row, draws, grid, mlp, norm


def _surface(count: int, width: int = 4) -> tuple[Tensor, Tensor]:
    x = torch.randn(count, width)
    y = (1.5 * x[:, :1]).sin() + x[:, 1:2] * x[:, 2:3] + 0.3 * x[:, 3:4]
    return x, y + 0.1 * torch.randn(count, 1)


def _regression(net, optimizer, loss, data, held_out, size, **more) -> Descent:
    draw = draws(*data, size=size)

    def losses(step):
        x, y = draw()
        return {"loss": loss(net(x), y)}

    return Descent(net, optimizer, losses, lambda: loss(net(held_out[0]), held_out[1]), **more)


def profits_huber(lr, steps):
    """Yearly profits as they are written, in units."""
    (x, y), (hx, hy) = _surface(600), _surface(300)
    net = mlp(4, 64, 64, 1)
    data, held_out = (x, 5e4 + 1e5 * y), (hx, 5e4 + 1e5 * hy)
    return _regression(net, optim.Adam(net.parameters(), lr), F.smooth_l1_loss, data, held_out, 32)


def large_targets_sgd(lr, steps):
    (x, y), (hx, hy) = _surface(600), _surface(300)
    net = mlp(4, 32, 1, act=nn.Tanh)
    data, held_out = (x, 2e5 * y), (hx, 2e5 * hy)
    return _regression(net, optim.SGD(net.parameters(), lr), F.mse_loss, data, held_out, 64)


def tiny_targets(lr, steps):
    """Displacements of a tenth of a millimetre, in metres: losses of 1e-8."""
    (x, y), (hx, hy) = _surface(600), _surface(300)
    net = mlp(4, 32, 32, 1)
    nn.init.zeros_(net[-1].weight)
    nn.init.zeros_(net[-1].bias)
    data, held_out = (x, 1e-4 * y), (hx, 1e-4 * hy)
    return _regression(net, optim.Adam(net.parameters(), lr, eps=1e-12), F.mse_loss, data, held_out, 32)


def pinball(predicted: Tensor, target: Tensor) -> Tensor:
    quantiles = torch.tensor([0.1, 0.5, 0.9])
    return torch.maximum(quantiles * (target - predicted), (quantiles - 1) * (target - predicted)).mean()


def quantiles(lr, steps):
    net = mlp(4, 48, 48, 3, act=nn.Softplus)
    return _regression(net, optim.Adam(net.parameters(), lr), pinball, _surface(500), _surface(300), 25)


def counts_poisson(lr, steps):
    def counts(count):
        x = torch.randn(count, 5)
        rate = (0.6 * x[:, :1] + 0.5 * (2 * x[:, 1:2]).sin() + 1.0).exp()
        return x, torch.poisson(rate)

    net = mlp(5, 32, 1)
    return _regression(net, optim.SGD(net.parameters(), lr), F.poisson_nll_loss, counts(600), counts(400), 32)


def two_moments(lr, steps):
    """A mean and a variance that depend on the input; the likelihood's logarithm falls below zero."""

    def spread(count):
        x = 4 * torch.rand(count, 1) - 2
        return x, 0.2 * (2 * x).sin() + (0.02 + 0.05 * x.abs()) * torch.randn(count, 1)

    def nll(out, y):
        return F.gaussian_nll_loss(out[:, :1], y, out[:, 1:].exp(), eps=1e-8)

    net = mlp(1, 64, 64, 2, act=nn.Tanh)
    return _regression(net, optim.Adam(net.parameters(), lr), nll, spread(500), spread(400), 32)


def bad_batches(lr, steps):
    """Some targets are not a number; steps without a finite gradient are left out, as many programs do."""
    (x, y), held_out = _surface(600), _surface(300)
    net = mlp(4, 48, 1)
    inner = _regression(net, optim.Adam(net.parameters(), lr), F.mse_loss, (x, y), held_out, 32)
    clean = inner.losses
    inner.losses = lambda step: {
        key: value * (math.nan if step % 47 == 30 else 1.0) for key, value in clean(step).items()
    }
    return _Skipping(inner)


@dataclass(slots=True)
class _Skipping:
    inner: Descent

    def step(self, step: int) -> Row:
        loss = self.inner.losses(step)["loss"]
        self.inner.optimizer.zero_grad()
        loss.backward()
        grad_norm = norm(self.inner.net.parameters())
        skipped = not math.isfinite(grad_norm)
        if not skipped:
            self.inner.optimizer.step()
        return Row(float(loss.detach()), grad_norm, self.inner.rates[0], skipped=skipped)

    def evaluate(self) -> float:
        return self.inner.evaluate()


def oscillator(lr, steps):
    """A net obeys u'' = -u' / 5 - 4 u with u(0) = 1, u'(0) = 0; known answer for the evaluation."""
    net = mlp(1, 32, 32, 1, act=nn.Tanh)
    t_held = torch.linspace(0, 3, 100)[:, None]
    w = math.sqrt(4 - 0.01)
    answer = (-0.1 * t_held).exp() * ((w * t_held).cos() + 0.1 / w * (w * t_held).sin())
    zero = torch.zeros(1, 1, requires_grad=True)

    def slope(u, t):
        return torch.autograd.grad(u.sum(), t, create_graph=True)[0]

    def losses(step):
        t = (3 * torch.rand(40, 1)).requires_grad_()
        u = net(t)
        first = slope(u, t)
        u0 = net(zero)
        equation = (slope(first, t) + 0.2 * first + 4 * u).square().mean()
        return {"equation": equation, "start": (u0 - 1).square().mean() + slope(u0, zero).square().mean()}

    return Descent(
        net, optim.Adam(net.parameters(), lr), losses, lambda: F.mse_loss(net(t_held), answer),
        weights=lambda step: {"equation": 1.0, "start": 20.0},
    )  # fmt: skip


def decay_rates(lr, steps):
    """Three rates of a chain of reactions, fitted through Euler steps of its equations."""
    rates = nn.Parameter(torch.tensor([0.1, 0.1, 0.1]))
    net = nn.ParameterList([rates])
    known = torch.tensor([1.1, 0.6, 0.3])

    def path(k):
        a, b, c, seen = torch.ones(()), torch.zeros(()), torch.zeros(()), []
        for _ in range(40):
            a, b, c = a - 0.1 * k[0] * a, b + 0.1 * (k[0] * a - k[1] * b), c + 0.1 * (k[1] * b - k[2] * c)
            seen.append(torch.stack([a, b, c]))
        return torch.stack(seen)

    truth = path(known)
    seen = truth + 0.01 * torch.randn(truth.shape)
    return Descent(
        net, optim.SGD(net.parameters(), lr, momentum=0.8), lambda step: {"loss": F.mse_loss(path(rates), seen)},
        lambda: F.mse_loss(path(rates), truth),
    )  # fmt: skip


@dataclass(slots=True)
class _Lbfgs(Descent):
    """Each step is one call with several evaluations of the loss; the first one is written down."""

    def step(self, step: int) -> Row:
        seen: list[tuple[float, float]] = []

        def closure():
            self.optimizer.zero_grad()
            total = sum(self.losses(step).values())
            total.backward()
            seen.append((float(total.detach()), norm(self.net.parameters())))
            return total

        self.optimizer.step(closure)
        return Row(*seen[0], self.rates[0])


def second_order(lr, steps):
    x, y = _surface(150)
    held_out = _surface(300)
    net = mlp(4, 12, 1, act=nn.Tanh)
    optimizer = optim.LBFGS(net.parameters(), lr, max_iter=3, history_size=8)
    decay = sum(p.numel() for p in net.parameters())

    def losses(step):
        ridge = sum(p.square().sum() for p in net.parameters()) / decay
        return {"loss": F.mse_loss(net(x), y) + 0.05 * ridge}

    return _Lbfgs(net, optimizer, losses, lambda: F.mse_loss(net(held_out[0]), held_out[1]))


def two_tasks(lr, steps):
    """A value and a class from one trunk; the weight moves from one to the other."""
    x, y = _surface(700)
    z = (x[:, 0] > 0).long() + (x[:, 1] > 0.3).long()
    trunk, value, group = mlp(4, 48, 48), nn.Linear(48, 1), nn.Linear(48, 3)
    net = nn.ModuleList([trunk, value, group])
    draw = draws(x[:500], y[:500], z[:500], size=32)

    def components(x, y, z):
        inner = F.relu(trunk(x))
        return {"mse": F.mse_loss(value(inner), y), "ce": F.cross_entropy(group(inner), z)}

    def weights(step):
        share = step / (steps - 1)
        return {"mse": 1.0 - 0.9 * share, "ce": 0.1 + 1.9 * share}

    return Descent(
        net, optim.Adam(net.parameters(), lr), lambda step: components(*draw()),
        lambda: sum(components(x[500:], y[500:], z[500:]).values()), weights=weights,
    )  # fmt: skip


def harder_and_harder(lr, steps):
    """A curriculum: further from the middle the targets are larger, so a healthy training's loss rises."""
    net = mlp(1, 64, 64, 1, act=nn.Tanh)
    held_out = torch.linspace(-2, 2, 200)[:, None]

    def task(x):
        return x.square() * (3 * x).sin() + 0.2 * (7 * x).cos()

    def losses(step):
        reach = 2.0 * (1 + 3 * step // steps) / 3
        x = reach * (2 * torch.rand(40, 1) - 1)
        return {"loss": F.mse_loss(net(x), task(x) + 0.1 * reach * torch.randn(40, 1))}

    return Descent(net, optim.Adam(net.parameters(), lr), losses, lambda: F.mse_loss(net(held_out), task(held_out)))


def long_regression(lr, steps):
    net = mlp(4, 24, 24, 1, act=nn.SiLU)
    optimizer = optim.SGD(net.parameters(), lr, momentum=0.9, weight_decay=1e-4)
    return _regression(
        net, optimizer, F.mse_loss, _surface(600), _surface(300), 16,
        schedule=lambda step: 0.5 * (1 + math.cos(math.pi * step / steps)),
    )  # fmt: skip


KINDS = (
    Kind("profits_huber", profits_huber, grid(1e-3, 1e5, 8), 400),
    Kind("large_targets_sgd", large_targets_sgd, grid(1e-7, 1), 300),
    Kind("tiny_targets", tiny_targets, grid(1e-9, 0.1, 8), 300),
    Kind("quantiles", quantiles, grid(1e-6, 30), 400),
    Kind("counts_poisson", counts_poisson, grid(1e-6, 1), 400),
    Kind("two_moments", two_moments, grid(1e-6, 1), 400),
    Kind("bad_batches", bad_batches, grid(1e-6, 10), 300),
    Kind("oscillator", oscillator, grid(1e-6, 1), 600),
    Kind("decay_rates", decay_rates, grid(1e-6, 30), 100),
    Kind("second_order", second_order, grid(1e-5, 10), 60),
    Kind("two_tasks", two_tasks, grid(1e-6, 3), 400, comparable=False),
    Kind("harder_and_harder", harder_and_harder, grid(1e-6, 1), 600, comparable=False),
    Kind("long_regression", long_regression, grid(1e-5, 3), 1500, evaluations=20),
)
