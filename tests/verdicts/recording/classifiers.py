"""Classifiers: of spirals, of drawn shapes, with noise in the labels, at hinge loss, with steps of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from recording.training import Descent, Kind, Row, draws, grid, mlp, norm, numbers


def spirals(count: int, arms: int = 3, noise: float = 0.15) -> tuple[Tensor, Tensor]:
    """Points on arms that wind around the origin, and the arm of each."""
    label = torch.randint(arms, (count,))
    radius = torch.rand(count)
    angle = 2 * math.pi * label / arms + 4 * radius + noise * torch.randn(count)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1) * 2, label


def clusters(count: int, classes: int, width: int, centres: Tensor, spread: float = 1.0) -> tuple[Tensor, Tensor]:
    label = torch.randint(classes, (count,))
    return centres[label] + spread * torch.randn(count, width), label


def shapes(count: int) -> tuple[Tensor, Tensor]:
    """Pictures of 12 by 12 with a bar, a column, a cross or a frame somewhere, under noise."""
    label = torch.randint(4, (count,))
    image = 0.4 * torch.randn(count, 1, 12, 12)
    for i, kind in enumerate(label.tolist()):
        r, c = torch.randint(2, 7, (2,)).tolist()
        if kind in (0, 2):
            image[i, 0, r + 1, c - 1 : c + 4] += 1.5
        if kind in (1, 2):
            image[i, 0, r - 1 : r + 4, c + 1] += 1.5
        if kind == 3:
            image[i, 0, r - 1 : r + 4 : 4, c - 1 : c + 4] += 1.0
            image[i, 0, r - 1 : r + 4, c - 1 : c + 4 : 4] += 1.0
    return image, label


def _classifier(net, optimizer, data, held_out, size, **more) -> Descent:
    draw = draws(*data, size=size)

    def losses(step):
        x, y = draw()
        return {"ce": F.cross_entropy(net(x), y)}

    return Descent(net, optimizer, losses, lambda: F.cross_entropy(net(held_out[0]), held_out[1]), **more)


def spiral_adamw(lr, steps):
    net = mlp(2, 48, 48, 3, act=nn.Tanh)
    return _classifier(net, optim.AdamW(net.parameters(), lr), spirals(800), spirals(400), 32)


def shapes_bn_sgd(lr, steps):
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(16, 4),
    )  # fmt: skip
    optimizer = optim.SGD(net.parameters(), lr, momentum=0.9, nesterov=True)
    return _classifier(net, optimizer, shapes(600), shapes(200), 32)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = mlp(width, width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


def residual_plain(lr, steps):
    net = nn.Sequential(nn.Linear(2, 32), *[_Residual(32) for _ in range(8)], nn.Linear(32, 3))
    return _classifier(net, optim.SGD(net.parameters(), lr), spirals(800), spirals(400), 64)


def label_noise(lr, steps):
    centres = torch.randn(6, 10)
    x, y = clusters(500, 6, 10, centres)
    noisy = torch.where(torch.rand(len(y)) < 0.4, torch.randint(6, y.shape), y)
    net = mlp(10, 64, 64, 6)
    optimizer = optim.RMSprop(net.parameters(), lr)
    return _classifier(net, optimizer, (x, noisy), clusters(400, 6, 10, centres), 50)


def linear_svm(lr, steps):
    direction = torch.randn(20)
    x = torch.randn(900, 20)
    y = torch.sign(x @ direction + 1.0 * torch.randn(900))
    net = nn.Linear(20, 1)
    draw = draws(x[:600], y[:600], size=16)

    def losses(step):
        bx, by = draw()
        return {"hinge": F.relu(1 - by * net(bx)[:, 0]).mean(), "l2": net.weight.square().sum()}

    return Descent(
        net, optim.SGD(net.parameters(), lr), losses,
        lambda: F.relu(1 - y[600:] * net(x[600:])[:, 0]).mean(), weights=lambda step: {"hinge": 1.0, "l2": 1e-3},
    )  # fmt: skip


def batch_of_one(lr, steps):
    centres = 1.5 * torch.randn(4, 6)
    net = mlp(6, 24, 4)
    data, held_out = clusters(800, 4, 6, centres), clusters(300, 4, 6, centres)
    return _classifier(net, optim.SGD(net.parameters(), lr), data, held_out, 1)


def heavy_dropout(lr, steps):
    centres = torch.randn(5, 16)
    net = mlp(16, 96, 96, 5, drop=0.7)
    data, held_out = clusters(600, 5, 16, centres), clusters(300, 5, 16, centres)
    return _classifier(net, optim.Adam(net.parameters(), lr), data, held_out, 32)


def warmed_up(lr, steps):
    net = mlp(2, 64, 64, 64, 4, act=nn.GELU)
    optimizer = optim.SGD(net.parameters(), lr, momentum=0.9)
    rise = steps // 5
    return _classifier(
        net, optimizer, spirals(800, 4), spirals(400, 4), 48, clip=1.0,
        schedule=lambda step: min(1.0, (step + 1) / rise) * min(1.0, (steps - step) / (steps - rise)),
    )  # fmt: skip


def warm_restarts(lr, steps):
    net = mlp(2, 64, 64, 3)
    period = steps // 4
    return _classifier(
        net, optim.SGD(net.parameters(), lr, momentum=0.9), spirals(800), spirals(400), 32,
        schedule=lambda step: 0.5 * (1 + math.cos(math.pi * (step % period) / period)),
    )  # fmt: skip


def twenty_steps(lr, steps):
    centres = 1.2 * torch.randn(3, 8)
    net = mlp(8, 32, 3)
    data, held_out = clusters(400, 3, 8, centres), clusters(300, 3, 8, centres)
    return _classifier(net, optim.Adam(net.parameters(), lr), data, held_out, 64)


def imbalanced(lr, steps):
    """One in forty is positive, and weighs forty times as much."""
    positive = torch.rand(2400) < 1 / 40
    x = torch.randn(2400, 12) + positive[:, None] * torch.linspace(0, 1.5, 12)
    y = positive.float()
    net = mlp(12, 32, 1)
    draw, weight = draws(x[:1600], y[:1600], size=64), torch.tensor(40.0)

    def loss(bx, by):
        return F.binary_cross_entropy_with_logits(net(bx)[:, 0], by, pos_weight=weight)

    optimizer = optim.Adam(net.parameters(), lr)
    return Descent(net, optimizer, lambda step: {"bce": loss(*draw())}, lambda: loss(x[1600:], y[1600:]))


def neighbours_distilled(lr, steps):
    """A net learns the softened votes of the 12 nearest neighbours."""
    x, y = spirals(900)
    teacher_x, teacher_y = x[:400], F.one_hot(y[:400], 3).float()
    nearest = torch.cdist(x, teacher_x).topk(12, largest=False).indices
    votes = teacher_y[nearest].mean(1) * 0.94 + 0.02
    net = mlp(2, 40, 40, 3, act=nn.SiLU)
    draw = draws(x[400:700], votes[400:700], size=30)

    def divergence(bx, target):
        return F.kl_div(F.log_softmax(net(bx), 1), target, reduction="batchmean")

    optimizer = optim.NAdam(net.parameters(), lr)
    return Descent(
        net, optimizer, lambda step: {"kl": divergence(*draw())}, lambda: divergence(x[700:], votes[700:])
    )


def _fine_tuned(lr: float, moved: float) -> Descent:
    """From a net that already knows a task whose classes then move."""
    centres = torch.randn(6, 10)
    net = mlp(10, 64, 6)
    before = _classifier(
        net, optim.Adam(net.parameters(), 3e-3), clusters(800, 6, 10, centres), clusters(10, 6, 10, centres), 64
    )
    for step in range(300):
        before.step(step)
    centres = centres + moved * torch.randn(6, 10)
    optimizer = optim.AdamW(net.parameters(), lr)
    return _classifier(net, optimizer, clusters(800, 6, 10, centres), clusters(400, 6, 10, centres), 32)


def fine_tuned(lr, steps):
    return _fine_tuned(lr, 0.5)


def fine_tuned_near(lr, steps):
    """Starts so good that there is little to gain."""
    return _fine_tuned(lr, 0.25)


def rate_rising(lr, steps):
    """A range test: the rate grows from a thousandth of `lr` to `lr`."""
    net = mlp(2, 48, 48, 3)
    optimizer = optim.SGD(net.parameters(), lr, momentum=0.9)
    return _classifier(
        net, optimizer, spirals(800), spirals(400), 64, schedule=lambda step: 1e-3 ** (1 - step / (steps - 1))
    )


@dataclass(slots=True)
class _Sharpness(Descent):
    """Sharpness-aware minimization (Foret et al. 2021): the gradient is taken where the loss is worse."""

    radius: float = 0.05

    def step(self, step: int) -> Row:
        lr = self.set_rate(step)
        state = torch.get_rng_state()
        self.optimizer.zero_grad()
        components = self.losses(step)
        total = sum(components.values())
        total.backward()
        parameters = [p for p in self.net.parameters() if p.grad is not None]
        grad_norm = norm(parameters)
        moves = [p.grad * (self.radius / (grad_norm + 1e-12)) for p in parameters]
        self._move(parameters, moves, 1.0)
        self.optimizer.zero_grad()
        torch.set_rng_state(state)  # the same batch again
        sum(self.losses(step).values()).backward()
        self._move(parameters, moves, -1.0)
        self.optimizer.step()
        return Row(float(total.detach()), grad_norm, lr, numbers(components))

    @staticmethod
    def _move(parameters: list[Tensor], moves: list[Tensor], sign: float) -> None:
        with torch.no_grad():
            for parameter, move in zip(parameters, moves, strict=True):
                parameter.add_(move, alpha=sign)


def sharpness_aware(lr, steps):
    net = mlp(2, 48, 48, 3)
    held_out, draw = spirals(400), draws(*spirals(600), size=40)

    def losses(step):
        x, y = draw()
        return {"ce": F.cross_entropy(net(x), y)}

    return _Sharpness(
        net, optim.SGD(net.parameters(), lr, momentum=0.9), losses,
        lambda: F.cross_entropy(net(held_out[0]), held_out[1]),
    )  # fmt: skip


@dataclass(slots=True)
class _Accumulated(Descent):
    """One step from the mean of several small batches, which is what is logged."""

    parts: int = 4

    def step(self, step: int) -> Row:
        self.optimizer.zero_grad()
        total = 0.0
        for _ in range(self.parts):
            loss = sum(self.losses(step).values()) / self.parts
            loss.backward()
            total += float(loss.detach())
        grad_norm = norm(self.net.parameters())
        self.optimizer.step()
        return Row(total, grad_norm, self.rates[0])


def accumulated(lr, steps):
    held_out, draw = shapes(200), draws(*shapes(500), size=8)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2), nn.ELU(), nn.Conv2d(8, 16, 3, stride=2), nn.ELU(), nn.Flatten(),
        nn.Linear(64, 4),
    )  # fmt: skip

    def losses(step):
        x, y = draw()
        return {"ce": F.cross_entropy(net(x), y)}

    return _Accumulated(
        net, optim.Adagrad(net.parameters(), lr), losses,
        lambda: F.cross_entropy(net(held_out[0]), held_out[1]),
    )  # fmt: skip


KINDS = (
    Kind("spiral_adamw", spiral_adamw, grid(1e-6, 3), 400),
    Kind("shapes_bn_sgd", shapes_bn_sgd, grid(1e-5, 30), 250),
    Kind("residual_plain", residual_plain, grid(1e-5, 10), 350),
    Kind("label_noise", label_noise, grid(1e-6, 1), 400),
    Kind("linear_svm", linear_svm, grid(1e-5, 1000), 300),
    Kind("batch_of_one", batch_of_one, grid(3e-6, 3, 8), 1500, evaluations=20),
    Kind("heavy_dropout", heavy_dropout, grid(3e-6, 3), 300),
    Kind("warmed_up", warmed_up, grid(1e-4, 30), 400),
    Kind("warm_restarts", warm_restarts, grid(1e-4, 30), 400),
    Kind("twenty_steps", twenty_steps, grid(1e-5, 30, 8), 20, evaluations=10),
    Kind("imbalanced", imbalanced, grid(1e-6, 10), 300),
    Kind("neighbours_distilled", neighbours_distilled, grid(1e-6, 3), 300),
    Kind("fine_tuned", fine_tuned, grid(1e-6, 10, 8), 200),
    Kind("fine_tuned_near", fine_tuned_near, grid(1e-7, 10, 8), 200),
    Kind("rate_rising", rate_rising, grid(1e-3, 100, 8), 400),
    Kind("sharpness_aware", sharpness_aware, grid(1e-4, 10), 300),
    Kind("accumulated", accumulated, grid(1e-6, 10), 150),
)
