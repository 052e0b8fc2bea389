"""Trains the small classifiers of AUTOTRAINER's benchmark, and records them. Only data and training; no rule.

From `tests/verdicts`: python -m recording.autotrainer [NAME]

The benchmark is that of AUTOTRAINER (Zhang et al., ICSE 2021; github.com/shiningrain/AUTOTRAINER): networks for
two data sets of 1000 points in the plane, Circle (two classes) and Blob (three), of which 700 are trained on.
Its saved networks are binary files that are not in its repository. What is: the hand-written cases of each
problem, the seed network, and the script that makes variants of it (another activation, another initial value,
3 to 12 more layers) with a random optimizer, learning rate and batch size. `source` says which of these a
network follows: the name of a case, or what the variant is of.

Here as there: layers, initial values, optimizers with the defaults of Keras, batch sizes, and the shapes of the
data sets with their noise. Other than there: the points are drawn anew, accuracy is measured on 3000 new points
rather than 300, a loss is computed of logits, so that it is never clipped, and some trainings have fewer
epochs (`shortened`). The best that anything can do is about 0.84 on both data sets.
"""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from autotrainer_runs import FILE, Bug, Run, save
from torch import Tensor, nn

import stability
from stability.records import BEFORE_TRAINING, Evaluation, Step

TRAINED_ON, HELD_OUT = 700, 3000


@dataclass(frozen=True, slots=True)
class Net:
    """One network and how it is trained. `shortened`: for how many epochs the original trained, if more."""

    name: str
    bug: Bug
    source: str
    layers: int
    width: int
    activation: str
    init: str
    optimizer: str
    lr: float
    batch: int
    epochs: int
    options: Mapping[str, Any] = field(default_factory=dict)
    bias: str = "zeros"
    clip: float | None = None
    shortened: int | None = None

    @property
    def data(self) -> str:
        return self.name.partition("/")[0]


M9 = {"momentum": 0.9}
NETS = (
    # Exploding gradients: exponential layers, as in case26.py and gradient_explode/case_15.py.
    Net("circle/explode/case26", Bug.EXPLODING, "case26", 4, 5, "exponential", "he_uniform", "adam", 1e-3, 128, 100),
    Net("circle/explode/case15", Bug.EXPLODING, "case_15", 5, 5, "exponential", "glorot_uniform", "sgd", 1e-2, 32, 200, clip=1.0),
    Net("circle/explode/case15-free", Bug.EXPLODING, "case_15, 3 layers, without clipping, lr", 3, 5, "exponential", "glorot_uniform", "sgd", 1e-1, 32, 100),
    Net("circle/explode/case26-lr", Bug.EXPLODING, "case26, 2 layers, lr", 2, 5, "exponential", "he_uniform", "adam", 3e-1, 128, 100),
    Net("circle/explode/linear-deep", Bug.EXPLODING, "seed, linear, he_uniform, 12 layers more", 19, 20, "linear", "he_uniform", "sgd", 1e-2, 128, 60, M9),
    Net("circle/explode/selu", Bug.EXPLODING, "seed, selu, he_uniform, 6 layers more", 13, 20, "selu", "he_uniform", "sgd", 1e-1, 128, 60, M9),
    Net("circle/explode/deep-relu", Bug.EXPLODING, "seed, relu and ones, 6 layers more", 13, 5, "relu", "ones", "sgd", 1e-2, 128, 60),
    Net("circle/explode/wide", Bug.EXPLODING, "case20, lr", 5, 128, "relu", "he_uniform", "sgd", 10.0, 128, 60, M9),
    Net("blob/explode/elu", Bug.EXPLODING, "seed, elu, he_uniform", 7, 20, "elu", "he_uniform", "sgd", 1e-1, 128, 100, M9),
    Net("blob/explode/case26-narrow", Bug.EXPLODING, "case26, glorot", 2, 5, "exponential", "glorot_uniform", "sgd", 1e-2, 128, 100, M9),
    Net("blob/explode/selu", Bug.EXPLODING, "seed, selu and ones, 3 layers more", 10, 5, "selu", "ones", "adam", 1e-2, 128, 60),
    Net("blob/explode/deep-relu", Bug.EXPLODING, "seed, relu and ones, 3 layers more", 10, 5, "relu", "ones", "sgd", 1e-1, 64, 60, M9),
    Net("blob/explode/case24-sgd", Bug.EXPLODING, "case24, SGD, lr", 1, 50, "relu", "he_uniform", "sgd", 10.0, 32, 200, M9),
    # Vanishing gradients: sigmoid layers, as in case16.py and gradient_vanish/case_15.py.
    Net("circle/vanish/case16", Bug.VANISHING, "case16", 7, 5, "sigmoid", "he_uniform", "adam", 1e-3, 128, 100),
    Net("circle/vanish/case15", Bug.VANISHING, "case_15", 10, 5, "sigmoid", "glorot_uniform", "adam", 1e-3, 32, 200),
    Net("circle/vanish/case16-sgd", Bug.VANISHING, "case16, SGD", 7, 5, "sigmoid", "he_uniform", "sgd", 1e-2, 128, 100, M9),
    Net("circle/vanish/deep", Bug.VANISHING, "seed, 12 layers more", 19, 5, "sigmoid", "he_uniform", "adam", 1e-2, 128, 60),
    Net("circle/vanish/normal", Bug.VANISHING, "seed, random_normal", 7, 5, "sigmoid", "random_normal", "rmsprop", 1e-3, 64, 60),
    Net("circle/vanish/tanh", Bug.VANISHING, "seed, tanh and random_normal", 7, 5, "tanh", "random_normal", "sgd", 1e-2, 128, 100, M9),
    Net("circle/vanish/softsign", Bug.VANISHING, "seed, softsign and random_uniform, 3 more", 10, 5, "softsign", "random_uniform", "adagrad", 1e-2, 128, 100),
    Net("blob/vanish/case16", Bug.VANISHING, "case16", 7, 5, "sigmoid", "he_uniform", "adam", 1e-3, 128, 100),
    Net("blob/vanish/deep", Bug.VANISHING, "seed, 6 layers more", 13, 5, "sigmoid", "glorot_uniform", "adam", 1e-2, 128, 60),
    Net("blob/vanish/case16-sgd", Bug.VANISHING, "case16, SGD", 7, 5, "sigmoid", "he_uniform", "sgd", 1e-2, 128, 100, M9),
    Net("blob/vanish/hard", Bug.VANISHING, "seed, hard sigmoid", 7, 5, "hard_sigmoid", "glorot_uniform", "adamax", 1e-3, 64, 60),
    Net("blob/vanish/softmax", Bug.VANISHING, "seed, softmax, 3 layers more", 10, 5, "softmax", "glorot_uniform", "adam", 1e-3, 128, 100),
    # Dying ReLU: narrow and deep, or small initial values, as in case14.py and circle_case.py.
    Net("circle/dying/case14", Bug.DYING, "case14", 8, 5, "relu", "random_uniform", "adam", 1e-3, 128, 50),
    Net("circle/dying/case15", Bug.DYING, "case_15", 5, 5, "relu", "glorot_uniform", "adam", 1e-3, 32, 200),
    Net("circle/dying/circle-case", Bug.DYING, "circle_case", 3, 5, "relu", "glorot_uniform", "sgd", 1e-2, 128, 300, M9),
    Net("circle/dying/deep", Bug.DYING, "seed, relu, 12 layers more", 19, 5, "relu", "he_uniform", "adam", 1e-2, 128, 60),
    Net("circle/dying/lr", Bug.DYING, "case_15, lr", 5, 5, "relu", "glorot_uniform", "adam", 1e-1, 32, 200),
    Net("circle/dying/bias", Bug.DYING, "case14, negative bias", 5, 5, "relu", "random_uniform", "adam", 1e-3, 128, 100, bias="minus_one"),
    Net("circle/dying/zeros", Bug.DYING, "seed, relu and zeros", 7, 5, "relu", "zeros", "adam", 1e-3, 128, 50),
    Net("blob/dying/case14", Bug.DYING, "case14", 8, 5, "relu", "random_uniform", "adam", 1e-3, 128, 50),
    Net("blob/dying/deep", Bug.DYING, "seed, relu, 9 layers more", 16, 5, "relu", "he_uniform", "adam", 1e-2, 128, 60),
    Net("blob/dying/lr", Bug.DYING, "case_15, SGD, lr", 5, 5, "relu", "glorot_uniform", "sgd", 1.0, 64, 60),
    Net("blob/dying/sgd", Bug.DYING, "seed, relu, SGD", 7, 5, "relu", "he_uniform", "sgd", 1e-1, 64, 60, M9),
    # Oscillating losses: wide layers and high rates, as in case20.py and case_20.py.
    Net("circle/oscillate/case20", Bug.OSCILLATING, "case20", 5, 128, "relu", "he_uniform", "sgd", 1e-2, 128, 100, M9),
    Net("circle/oscillate/lr", Bug.OSCILLATING, "case20, lr", 5, 128, "relu", "he_uniform", "sgd", 3e-1, 128, 80, M9),
    Net("circle/oscillate/adam", Bug.OSCILLATING, "case20, Adam, lr", 5, 128, "relu", "he_uniform", "adam", 1e-1, 128, 60),
    Net("circle/oscillate/rmsprop", Bug.OSCILLATING, "case20, RMSprop, lr", 5, 128, "relu", "he_uniform", "rmsprop", 3e-2, 64, 40),
    Net("circle/oscillate/tanh", Bug.OSCILLATING, "seed, tanh, SGD, lr", 4, 64, "tanh", "glorot_uniform", "sgd", 1.0, 64, 60, M9),
    Net("blob/oscillate/case20", Bug.OSCILLATING, "case_20", 1, 50, "relu", "he_uniform", "sgd", 1e-2, 1, 6, M9, shortened=200),
    Net("blob/oscillate/case24-adam", Bug.OSCILLATING, "case24, lr 1", 1, 50, "relu", "he_uniform", "adam", 1.0, 32, 200),
    Net("blob/oscillate/case24-sgd", Bug.OSCILLATING, "case24, SGD, lr 1", 1, 50, "relu", "he_uniform", "sgd", 1.0, 32, 200),
    Net("blob/oscillate/rmsprop", Bug.OSCILLATING, "case20, RMSprop, lr", 5, 128, "relu", "he_uniform", "rmsprop", 3e-2, 64, 40),
    # Slow convergence: rates from 1e-4 to 1e-7, as in case24.py and in the generator's choices.
    Net("circle/slow/sgd-5", Bug.SLOW, "case20, lr", 5, 128, "relu", "he_uniform", "sgd", 1e-5, 128, 100, M9),
    Net("circle/slow/adam-7", Bug.SLOW, "case20, Adam, lr", 5, 128, "relu", "he_uniform", "adam", 1e-7, 128, 100),
    Net("circle/slow/adadelta", Bug.SLOW, "circle_case, Adadelta", 3, 5, "relu", "glorot_uniform", "adadelta", 1e-3, 64, 60),
    Net("circle/slow/adagrad", Bug.SLOW, "case30, Adagrad, lr", 7, 64, "relu", "he_uniform", "adagrad", 1e-6, 128, 80),
    Net("circle/slow/tanh", Bug.SLOW, "seed, tanh, SGD, lr", 7, 5, "tanh", "glorot_uniform", "sgd", 1e-4, 64, 60, M9),
    Net("blob/slow/adam-5", Bug.SLOW, "case24, lr 1e-5", 1, 50, "relu", "he_uniform", "adam", 1e-5, 32, 200),
    Net("blob/slow/adam-6", Bug.SLOW, "case24, lr 1e-6", 1, 50, "relu", "he_uniform", "adam", 1e-6, 32, 200),
    Net("blob/slow/adam-7", Bug.SLOW, "case24, lr 1e-7", 1, 50, "relu", "he_uniform", "adam", 1e-7, 32, 200),
    Net("blob/slow/sgd-6", Bug.SLOW, "case24, SGD, lr 1e-6", 1, 50, "relu", "he_uniform", "sgd", 1e-6, 32, 200),
    Net("blob/slow/adadelta", Bug.SLOW, "seed, tanh, Adadelta", 7, 5, "tanh", "glorot_uniform", "adadelta", 1e-4, 128, 100),
    # Normal: the same families at rates and widths that learn.
    Net("circle/normal/case30", Bug.NONE, "case30", 7, 64, "relu", "he_uniform", "adam", 1e-3, 512, 150, shortened=1000),
    Net("circle/normal/case20-adam", Bug.NONE, "case20, Adam", 5, 128, "relu", "he_uniform", "adam", 1e-3, 128, 60),
    Net("circle/normal/circle-case", Bug.NONE, "circle_case, wider", 3, 32, "relu", "glorot_uniform", "sgd", 1e-2, 128, 200, M9),
    Net("circle/normal/case15", Bug.NONE, "case_15, wider, tanh", 5, 20, "tanh", "glorot_uniform", "adam", 1e-3, 32, 200),
    Net("circle/normal/selu", Bug.NONE, "case16, selu", 7, 20, "selu", "lecun_normal", "adam", 1e-3, 64, 60),
    Net("circle/normal/elu", Bug.NONE, "seed, elu, RMSprop", 4, 20, "elu", "he_uniform", "rmsprop", 1e-3, 64, 60),
    Net("circle/normal/softplus", Bug.NONE, "seed, softplus, Adamax", 3, 32, "softplus", "he_uniform", "adamax", 1e-2, 64, 60),
    Net("circle/normal/adagrad", Bug.NONE, "case20, Adagrad", 3, 64, "relu", "he_uniform", "adagrad", 1e-1, 128, 100),
    Net("circle/normal/sigmoid", Bug.NONE, "seed, two layers", 2, 20, "sigmoid", "glorot_uniform", "adam", 1e-2, 64, 80),
    Net("circle/normal/adadelta", Bug.NONE, "case30, Adadelta", 4, 64, "relu", "he_uniform", "adadelta", 1.0, 64, 60),
    Net("blob/normal/case24-adam", Bug.NONE, "case24, lr 1e-2", 1, 50, "relu", "he_uniform", "adam", 1e-2, 32, 200),
    Net("blob/normal/case24-adam-3", Bug.NONE, "case24, lr 1e-3", 1, 50, "relu", "he_uniform", "adam", 1e-3, 32, 200),
    Net("blob/normal/case24-sgd", Bug.NONE, "case24, SGD", 1, 50, "relu", "he_uniform", "sgd", 1e-2, 32, 200, M9),
    Net("blob/normal/case30", Bug.NONE, "case30", 7, 64, "relu", "he_uniform", "adam", 1e-3, 512, 150, shortened=1000),
    Net("blob/normal/tanh", Bug.NONE, "seed, tanh", 4, 20, "tanh", "glorot_uniform", "adam", 1e-3, 64, 60),
    Net("blob/normal/rmsprop", Bug.NONE, "seed, relu, RMSprop", 3, 20, "relu", "he_uniform", "rmsprop", 1e-3, 64, 60),
    Net("blob/normal/elu", Bug.NONE, "seed, elu, Adagrad", 3, 20, "elu", "he_uniform", "adagrad", 1e-1, 128, 100),
    Net("blob/normal/selu", Bug.NONE, "seed, selu, Adamax", 4, 20, "selu", "lecun_normal", "adamax", 1e-3, 64, 80),
    Net("blob/normal/sigmoid", Bug.NONE, "seed, two layers", 2, 20, "sigmoid", "glorot_uniform", "adam", 1e-2, 64, 80),
    Net("blob/normal/softsign", Bug.NONE, "seed, softsign, SGD", 2, 20, "softsign", "glorot_uniform", "sgd", 1e-2, 32, 60, M9),
)

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "exponential": torch.exp,
    "selu": nn.functional.selu,
    "elu": nn.functional.elu,
    "softplus": nn.functional.softplus,
    "softsign": nn.functional.softsign,
    "softmax": lambda x_BC: torch.softmax(x_BC, dim=1),
    "hard_sigmoid": lambda x_BC: nn.functional.hardtanh(0.2 * x_BC + 0.5, 0.0, 1.0),
    "linear": lambda x_BC: x_BC,
}
INITIAL: Mapping[str, Callable[[Tensor], Any]] = {
    "glorot_uniform": nn.init.xavier_uniform_,
    "he_uniform": lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu"),
    "lecun_normal": lambda w: nn.init.normal_(w, std=1 / math.sqrt(w.shape[1])),
    "random_normal": lambda w: nn.init.normal_(w, std=0.05),
    "random_uniform": lambda w: nn.init.uniform_(w, -0.05, 0.05),
    "ones": nn.init.ones_,
    "zeros": nn.init.zeros_,
    "minus_one": lambda w: nn.init.constant_(w, -1.0),
}
OPTIMIZERS: Mapping[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": lambda weights, **given: torch.optim.Adam(weights, eps=1e-7, **given),
    "adamax": lambda weights, **given: torch.optim.Adamax(weights, eps=1e-7, **given),
    "adagrad": lambda weights, **given: torch.optim.Adagrad(weights, eps=1e-7, **given),
    "rmsprop": lambda weights, **given: torch.optim.RMSprop(weights, alpha=0.9, eps=1e-7, **given),
    "adadelta": lambda weights, **given: torch.optim.Adadelta(weights, rho=0.95, eps=1e-7, **given),
}
CLASSES = {"circle": 2, "blob": 3}


class Network(nn.Module):
    """Equal hidden layers and logits: one for two classes, else one a class."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        sizes = [2, *[net.width] * net.layers, 1 if CLASSES[net.data] == 2 else CLASSES[net.data]]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False))
        self.activation = ACTIVATIONS[net.activation]
        for layer in self.layers:
            INITIAL[net.init](layer.weight)
            nn.init.zeros_(layer.bias)
        for layer in self.layers[:-1]:
            INITIAL[net.bias](layer.bias)

    def forward(self, x_BC: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x_BC = self.activation(layer(x_BC))
        return self.layers[-1](x_BC)


def circle(points: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two rings of radius 1 and 0.8 with a noise of 0.1, scaled to at most about 1."""
    inner = rng.permutation(points) % 2
    angle = rng.uniform(0, 2 * math.pi, points)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.where(inner, 0.8, 1.0)[:, None]
    return (ring + rng.normal(0, 0.1, ring.shape)) / 1.25, inner


def blob(points: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Three clouds with a standard deviation of 2, not scaled; the centres are those of the original."""
    centres = np.array([[-1.28, -9.48], [0.99, -1.29], [-1.59, -3.39]])
    kind = rng.permutation(points) % 3
    return centres[kind] + rng.normal(0, 2.0, (points, 2)), kind


POINTS = {"circle": circle, "blob": blob}


class Kept:
    """A recorder that keeps every step and judges nothing."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, losses: Mapping[str, float], **given: Any) -> None:
        self.steps.append(Step(len(self.steps), dict(losses), **given))


def train(net: Net, seed: int) -> tuple[Run, int]:
    """The training of one network, and how many weights it has."""
    torch.manual_seed(seed)
    points = [POINTS[net.data](number, np.random.default_rng((seed, i))) for i, number in enumerate((TRAINED_ON, HELD_OUT))]
    (x_BC, y_B), (new_BC, new_B) = [(torch.from_numpy(x).float(), torch.from_numpy(y)) for x, y in points]
    model = Network(net)
    optimizer = OPTIMIZERS[net.optimizer](model.parameters(), lr=net.lr, **net.options)
    per_epoch = math.ceil(TRAINED_ON / net.batch)
    kept = Kept()
    watch = stability.watch(model, optimizer, recorder=kept)
    seen = [_evaluated(model, new_BC, new_B)]
    for _ in range(net.epochs):
        for batch in torch.randperm(TRAINED_ON).split(net.batch):
            optimizer.zero_grad()
            total = _loss(model(x_BC[batch]), y_B[batch])
            total.backward()
            watch.step(losses={"loss": total}, total=total)
            if net.clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), net.clip)
            optimizer.step()
        seen.append(_evaluated(model, new_BC, new_B))
    watch.close()
    accuracies = [round(accuracy, 4) for _, accuracy in seen]
    evaluations = [Evaluation(i * per_epoch, i + BEFORE_TRAINING, {"val": loss}) for i, (loss, _) in enumerate(seen)]
    run = Run(net.name, net.bug, net.source, CLASSES[net.data], kept.steps, evaluations, accuracies[-1], max(accuracies))
    return run, sum(weight.numel() for weight in model.parameters())


def _loss(logits_BC: Tensor, y_B: Tensor) -> Tensor:
    if logits_BC.shape[1] == 1:
        return nn.functional.binary_cross_entropy_with_logits(logits_BC[:, 0], y_B.float())
    return nn.functional.cross_entropy(logits_BC, y_B)


def _evaluated(model: Network, x_BC: Tensor, y_B: Tensor) -> tuple[float, float]:
    """Loss and accuracy; a NaN logit is for no class, so it counts as wrong."""
    with torch.no_grad():
        logits_BC = model(x_BC)
    found_B = (logits_BC[:, 0] > 0).long() if logits_BC.shape[1] == 1 else logits_BC.argmax(dim=1)
    right_B = (found_B == y_B) & ~logits_BC.isnan().any(dim=1)
    return _loss(logits_BC, y_B).item(), right_B.float().mean().item()


def main(names: Sequence[str]) -> None:
    torch.set_num_threads(1)
    runs, elements = [], {}
    for seed, net in enumerate(NETS):
        if names and net.name not in names:
            continue
        began = time.perf_counter()
        run, elements[net.name] = train(net, seed)
        runs.append(run)
        took = time.perf_counter() - began
        print(f"{net.name:28} {run.outcome.value:5} accuracy {run.accuracy:.3f}, best {run.best_accuracy:.3f}, {len(run.steps)} steps, {took:.1f} s", flush=True)
    print(Counter((run.bug is not Bug.NONE, run.outcome.value) for run in runs))
    if not names:
        save(runs, elements, FILE)
        print(f"{FILE.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
