"""Models that make data: autoencoders, flows, mixtures, diffusion, and adversarial trainings of many losses."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from recording.training import Descent, Kind, Row, draws, grid, mlp, norm


def _blobs(count: int, size: int = 8) -> Tensor:
    """Flat pictures of one soft spot each, between 0 and 1."""
    centre, width = 1 + 5 * torch.rand(count, 2, 1, 1), 0.8 + torch.rand(count, 1, 1)
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return torch.exp(-((y - centre[:, 0]) ** 2 + (x - centre[:, 1]) ** 2) / (2 * width**2)).flatten(1)


def _moons(count: int) -> Tensor:
    angle, side = math.pi * torch.rand(count), torch.randint(2, (count,)).float()
    x = angle.cos() * (1 - 2 * side) + side - 0.5
    y = angle.sin() * (1 - 2 * side) + 0.5 * side - 0.25
    return torch.stack([x, y], 1) * 1.5 + 0.08 * torch.randn(count, 2)


def _ring(count: int) -> Tensor:
    angle = 2 * math.pi * torch.randint(6, (count,)) / 6
    return torch.stack([angle.cos(), angle.sin()], 1) * 1.5 + 0.1 * torch.randn(count, 2)


class _Variational(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.encoder, self.decoder = mlp(64, 64, 2 * hidden), mlp(hidden, 64, 64)

    def forward(self, x: Tensor, noise: Tensor) -> dict[str, Tensor]:
        mean, logvar = self.encoder(x).chunk(2, 1)
        rebuilt = self.decoder(mean + (logvar / 2).exp() * noise)
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1).mean()
        bce = F.binary_cross_entropy_with_logits(rebuilt, x, reduction="none").sum(1).mean()
        return {"reconstruction": bce, "kl": kl}


def vae_annealed(lr, steps):
    net, draw, held_out = _Variational(6), draws(_blobs(800), size=32), _blobs(200)
    fixed = torch.randn(200, 6)
    return Descent(
        net, optim.Adam(net.parameters(), lr), lambda step: net(*draw(), torch.randn(32, 6)),
        lambda: sum(net(held_out, fixed).values()),
        weights=lambda step: {"reconstruction": 1.0, "kl": min(1.0, step / (steps / 2))},
    )  # fmt: skip


def _rebuilding(net, optimizer, size, **more) -> Descent:
    draw, held_out = draws(_blobs(600), size=size), _blobs(200)

    def losses(step):
        (x,) = draw()
        return {"mse": F.mse_loss(net(x), x)}

    return Descent(net, optimizer, losses, lambda: F.mse_loss(net(held_out), held_out), **more)


def deep_autoencoder(lr, steps):
    net = mlp(64, 48, 24, 6, 24, 48, 64, act=nn.Tanh)
    return _rebuilding(net, optim.SGD(net.parameters(), lr, momentum=0.9), 32)


class _Sparse(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(64, 256), nn.Linear(256, 64)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        code = F.relu(self.inner(x))
        return {"mse": (self.outer(code) - x).square().sum(1).mean(), "l1": code.sum(1).mean()}


def sparse_autoencoder(lr, steps):
    net, draw, held_out = _Sparse(), draws(_blobs(800), size=64), _blobs(200)

    def measure():
        parts = net(held_out)
        return parts["mse"] + 0.05 * parts["l1"]

    return Descent(
        net, optim.Adam(net.parameters(), lr), lambda step: net(*draw()), measure,
        weights=lambda step: {"mse": 1.0, "l1": 0.05},
    )  # fmt: skip


class _Coupling(nn.Module):
    """Affine coupling layers (Dinh et al. 2017) on two numbers; returns the log likelihood."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.nets = nn.ModuleList(mlp(1, 32, 32, 2, act=nn.Tanh) for _ in range(layers))

    def forward(self, x: Tensor) -> Tensor:
        a, b, change = x[:, :1], x[:, 1:], 0.0
        for net in self.nets:
            scale, shift = net(a).chunk(2, 1)
            a, b, change = b * scale.exp() + shift, a, change + scale[:, 0]
        return -0.5 * (a.square() + b.square())[:, 0] - math.log(2 * math.pi) + change


def coupling_flow(lr, steps):
    """Of narrow moons, whose negative log likelihood falls below zero."""
    net, draw, held_out = _Coupling(6), draws(0.3 * _moons(800), size=64), 0.3 * _moons(400)
    return Descent(
        net, optim.Adam(net.parameters(), lr), lambda step: {"nll": -net(*draw()).mean()}, lambda: -net(held_out).mean()
    )


def mixture_density(lr, steps):
    """The inverse of a function that is not one to one: four bells a point, densities above one."""

    def pairs(count):
        y = torch.rand(count, 1)
        return y + 0.3 * (6.3 * y).sin() + 0.02 * torch.randn(count, 1), 0.3 * y

    net = mlp(1, 40, 12, act=nn.Tanh)
    draw, held_out = draws(*pairs(600), size=32), pairs(300)

    def nll(x, y):
        weight, mean, log_width = net(x).chunk(3, 1)
        logs = -0.5 * ((y - mean) / log_width.exp()).square() - log_width - 0.5 * math.log(2 * math.pi)
        return -(weight.log_softmax(1) + logs).logsumexp(1).mean()

    optimizer = optim.RMSprop(net.parameters(), lr)
    return Descent(net, optimizer, lambda step: {"nll": nll(*draw())}, lambda: nll(*held_out))


def noise_predictor(lr, steps):
    """A small diffusion model (Ho et al. 2020) of points on a ring."""
    net = mlp(2 + 4, 96, 96, 2, act=nn.SiLU)
    kept = torch.cumprod(1 - torch.linspace(1e-3, 0.2, 40), 0)

    def loss(x, time, noise):
        level = kept[time][:, None]
        phase = time[:, None] / 40 * torch.tensor([1.0, 4.0])
        seen = torch.cat([level.sqrt() * x + (1 - level).sqrt() * noise, phase.sin(), phase.cos()], 1)
        return F.mse_loss(net(seen), noise)

    draw, held_out = draws(_ring(1000), size=64), _ring(800)
    fixed = torch.randint(40, (800,)), torch.randn(800, 2)
    optimizer = optim.AdamW(net.parameters(), lr)
    return Descent(
        net, optimizer, lambda step: {"mse": loss(*draw(), torch.randint(40, (64,)), torch.randn(64, 2))},
        lambda: loss(held_out, *fixed), clip=1.0,
    )  # fmt: skip


def denoiser(lr, steps):
    net = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 12, 3, padding=1), nn.LeakyReLU(),
        nn.Conv2d(12, 12, 3, padding=1), nn.LeakyReLU(), nn.Conv2d(12, 1, 3, padding=1), nn.Flatten(),
    )  # fmt: skip
    draw, held_out = draws(_blobs(500), size=16), _blobs(150)
    noisy = held_out + 0.4 * torch.randn(150, 64)

    def losses(step):
        (x,) = draw()
        return {"l1": F.l1_loss(net(x + 0.4 * torch.randn_like(x)), x)}

    optimizer = optim.SGD(net.parameters(), lr, momentum=0.95)
    return Descent(net, optimizer, losses, lambda: F.l1_loss(net(noisy), held_out))


@dataclass(slots=True)
class _Adversaries:
    """A generator and a critic that take turns. The total is the sum of both losses."""

    generator: nn.Module
    critic: nn.Module
    optimizers: tuple[optim.Optimizer, optim.Optimizer]  # generator's, critic's
    real: Callable[[], tuple[Tensor, ...]]
    held_out: Tensor
    critic_loss: Callable[[Tensor, Tensor], Tensor]
    generator_loss: Callable[[Tensor], Tensor]
    turns: int = 1
    largest_weight: float | None = None
    fixed: Tensor | None = None
    lines: Tensor | None = None

    def __post_init__(self) -> None:
        self.fixed = torch.randn(len(self.held_out), 4)
        self.lines = F.normalize(torch.randn(2, 30), dim=0)

    def step(self, step: int) -> Row:
        for _ in range(self.turns):
            (real,) = self.real()
            fake = self.generator(torch.randn(len(real), 4))
            d = self._descend(self.optimizers[1], self.critic, lambda r=real, f=fake: self.critic_loss(r, f.detach()))
            self._limit()
        critic_norm = norm(self.critic.parameters())
        fake = self.generator(torch.randn(len(real), 4))
        g = self._descend(self.optimizers[0], self.generator, lambda: self.generator_loss(fake))
        both = math.hypot(critic_norm, norm(self.generator.parameters()))
        lr = self.optimizers[0].param_groups[0]["lr"]
        return Row(d + g, both, lr, {"generator": g, "critic": d})

    @staticmethod
    def _descend(optimizer: optim.Optimizer, net: nn.Module, loss: Callable[[], Tensor]) -> float:
        net.zero_grad()
        value = loss()
        value.backward(inputs=list(net.parameters()))
        optimizer.step()
        return float(value.detach())

    def _limit(self) -> None:
        if self.largest_weight is not None:
            with torch.no_grad():
                for parameter in self.critic.parameters():
                    parameter.clamp_(-self.largest_weight, self.largest_weight)

    def evaluate(self) -> float:
        """Sliced Wasserstein distance between made and held-out points."""
        with torch.no_grad():
            made = (self.generator(self.fixed) @ self.lines).sort(0).values
            return float((made - (self.held_out @ self.lines).sort(0).values).abs().mean())


def _adversaries(lr, critic_loss, generator_loss, optimizer=None, **more) -> _Adversaries:
    generator, critic = mlp(4, 48, 48, 2), mlp(2, 48, 48, 1, act=nn.LeakyReLU)
    optimizer = optimizer or (lambda parameters: optim.Adam(parameters, lr, betas=(0.5, 0.9)))
    centre = torch.tensor([1.0, -0.5])
    return _Adversaries(
        generator, critic, (optimizer(generator.parameters()), optimizer(critic.parameters())),
        draws(_ring(1000) + centre, size=64), _ring(500) + centre,
        lambda real, fake: critic_loss(critic, real, fake), lambda fake: generator_loss(critic(fake)), **more,
    )  # fmt: skip


def gan_non_saturating(lr, steps):
    def critic_loss(critic, real, fake):
        return F.softplus(-critic(real)).mean() + F.softplus(critic(fake)).mean()

    return _adversaries(lr, critic_loss, lambda score: F.softplus(-score).mean())


def gan_least_squares(lr, steps):
    def critic_loss(critic, real, fake):
        return 0.5 * ((critic(real) - 1).square().mean() + critic(fake).square().mean())

    def sgd(parameters):
        return optim.SGD(parameters, lr, momentum=0.5)

    return _adversaries(lr, critic_loss, lambda score: 0.5 * (score - 1).square().mean(), sgd)


def wasserstein_clipped(lr, steps):
    def critic_loss(critic, real, fake):
        return critic(fake).mean() - critic(real).mean()

    def rmsprop(parameters):
        return optim.RMSprop(parameters, lr)

    return _adversaries(lr, critic_loss, lambda score: -score.mean(), rmsprop, turns=3, largest_weight=0.1)


def wasserstein_penalty(lr, steps):
    def critic_loss(critic, real, fake):
        share = torch.rand(len(real), 1)
        between = (share * real + (1 - share) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        return critic(fake).mean() - critic(real).mean() + 5 * (slope.norm(dim=1) - 1).square().mean()

    return _adversaries(lr, critic_loss, lambda score: -score.mean(), turns=2)


KINDS = (
    Kind("vae_annealed", vae_annealed, grid(1e-6, 3), 300, comparable=False),
    Kind("deep_autoencoder", deep_autoencoder, grid(1e-4, 100), 300),
    Kind("sparse_autoencoder", sparse_autoencoder, grid(1e-6, 3), 300),
    Kind("coupling_flow", coupling_flow, grid(1e-6, 1), 300),
    Kind("mixture_density", mixture_density, grid(1e-6, 3), 400),
    Kind("noise_predictor", noise_predictor, grid(1e-6, 3), 400),
    Kind("denoiser", denoiser, grid(1e-5, 30), 150),
    *(
        Kind(start.__name__, start, grid(*rates), 400, noisy=True, comparable=False)
        for start, rates in (
            (gan_non_saturating, (1e-6, 1)),
            (gan_least_squares, (1e-5, 10)),
            (wasserstein_clipped, (1e-6, 1)),
            (wasserstein_penalty, (1e-6, 1)),
        )
    ),
)
