"""Embeddings and orders: what belongs together, what comes with what, what is preferred."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from recording.training import Descent, Kind, draws, grid, mlp


def _views(count: int, mixing: Tensor) -> tuple[Tensor, Tensor]:
    """Two noisy views of the same hidden cause."""
    cause = torch.randn(count, 5)
    return (
        (cause @ mixing[:5]).tanh() + 0.2 * torch.randn(count, 16),
        (cause @ mixing[5:]).tanh() + 0.2 * torch.randn(count, 16),
    )


def contrastive_pairs(lr, steps):
    """InfoNCE in both directions (Radford et al. 2021), with a learned temperature."""
    mixing = torch.randn(10, 16)
    left, right = mlp(16, 32, 8), mlp(16, 32, 8)
    temperature = nn.Parameter(torch.tensor(1.5))
    net = nn.ModuleList([left, right, nn.ParameterList([temperature])])
    draw, held_out = draws(*_views(800, mixing), size=48), _views(96, mixing)

    def loss(a, b):
        logits = F.normalize(left(a), dim=1) @ F.normalize(right(b), dim=1).T * temperature.exp()
        target = torch.arange(len(a))
        return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))

    optimizer = optim.AdamW(net.parameters(), lr)
    return Descent(net, optimizer, lambda step: {"nce": loss(*draw())}, lambda: loss(*held_out))


def triplets_hardest(lr, steps):
    """Triplets with the hardest negative of the batch, embeddings without a norm."""
    centres = torch.randn(8, 12)

    def points(count):
        label = torch.randint(8, (count,))
        return centres[label] + 0.7 * torch.randn(count, 12), label

    net = mlp(12, 48, 6)
    draw, held_out = draws(*points(600), size=40), points(200)

    def loss(x, y):
        far = torch.cdist(net(x), net(x) + 1e-4)
        same = y[:, None] == y[None]
        positive = (far * same).sum(1) / same.sum(1)
        negative = far.masked_fill(same, 1e9).min(1).values
        return F.relu(positive - negative + 0.5).mean()

    optimizer = optim.SGD(net.parameters(), lr, momentum=0.9)
    return Descent(net, optimizer, lambda step: {"triplet": loss(*draw())}, lambda: loss(*held_out))


def words_skip_gram(lr, steps):
    """Word vectors with negative sampling (Mikolov et al. 2013), from words that come in topics."""
    topics = torch.randn(6, 60).mul(1.5).softmax(1)

    def pairs(count):
        topic = torch.randint(6, (count,))
        return torch.multinomial(topics[topic], 2, replacement=True).unbind(1)

    net = nn.ModuleList([nn.Embedding(60, 12), nn.Embedding(60, 12)])
    nn.init.normal_(net[0].weight, std=0.1)
    nn.init.normal_(net[1].weight, std=0.1)
    draw, held_out = draws(*pairs(4000), size=64), pairs(1000)
    fixed = torch.randint(60, (1000, 4))

    def loss(word, near, others):
        vector = net[0](word)
        positive = (vector * net[1](near)).sum(1)
        negative = (net[1](others) @ vector[:, :, None])[:, :, 0]
        return (F.softplus(-positive) + F.softplus(negative).sum(1)).mean()

    optimizer = optim.Adam(net.parameters(), lr)
    return Descent(
        net, optimizer, lambda step: {"sampled": loss(*draw(), torch.randint(60, (64, 4)))},
        lambda: loss(*held_out, fixed),
    )  # fmt: skip


def ratings_factors(lr, steps):
    """People and films as vectors whose product is a rating."""
    people, films = torch.randn(80, 4), torch.randn(60, 4)

    def seen(count):
        who, what = torch.randint(80, (count,)), torch.randint(60, (count,))
        return who, what, (people[who] * films[what]).sum(1) + 0.3 * torch.randn(count)

    net = nn.ModuleList([nn.Embedding(80, 6), nn.Embedding(60, 6)])
    nn.init.normal_(net[0].weight, std=0.3)
    nn.init.normal_(net[1].weight, std=0.3)
    draw, held_out = draws(*seen(4000), size=128), seen(800)

    def parts(who, what, rating):
        a, b = net[0](who), net[1](what)
        return {"mse": F.mse_loss((a * b).sum(1), rating), "l2": (a.square() + b.square()).sum(1).mean()}

    return Descent(
        net, optim.SGD(net.parameters(), lr), lambda step: parts(*draw()), lambda: parts(*held_out)["mse"],
        weights=lambda step: {"mse": 1.0, "l2": 0.01},
    )  # fmt: skip


def preferred_answers(lr, steps):
    """A reward model from pairs of which one was preferred (Bradley and Terry 1952)."""
    judge = mlp(10, 16, 1, act=nn.Tanh)

    def pairs(count):
        with torch.no_grad():
            a, b = torch.randn(2, count, 10)
            first = torch.rand(count, 1) < (8 * (judge(a) - judge(b))).sigmoid()
            return torch.where(first, a, b), torch.where(first, b, a)

    net = mlp(10, 32, 32, 1)
    draw, held_out = draws(*pairs(1500), size=32), pairs(500)

    def loss(better, worse):
        return F.softplus(net(worse) - net(better)).mean()

    optimizer = optim.AdamW(net.parameters(), lr, weight_decay=0.1)
    return Descent(net, optimizer, lambda step: {"ranking": loss(*draw())}, lambda: loss(*held_out))


KINDS = (
    Kind("contrastive_pairs", contrastive_pairs, grid(1e-6, 3), 300),
    Kind("triplets_hardest", triplets_hardest, grid(1e-6, 10), 300),
    Kind("words_skip_gram", words_skip_gram, grid(1e-6, 30), 400),
    Kind("ratings_factors", ratings_factors, grid(1e-3, 1e4), 600),
    Kind("preferred_answers", preferred_answers, grid(1e-6, 3), 300),
)
