"""Objectives that should rise, alone and beside losses that should fall."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from formats.course import epochs, mean, noise
from formats.form import Training

from .register import file, kind, spelled


@kind
def rising_objective(t: Training) -> Iterator[str]:
    """What should rise, and is negative."""
    for i, v in enumerate(t.loss):
        yield f"iter {i:4d}  log-likelihood {-v * 100:.3f}  dt {noise(t, i).uniform(1, 2):.1f}ms"


@kind
def rising_elbo(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"Iteration {i}: ELBO = {-v * 31:.4f}"


@kind
def elbo_beside_its_parts(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"epoch {i}: elbo {-v * 1.2:.4f}, reconstruction {v:.4f}, kl {v * 0.2:.4f}"


@kind
def elbo_beside_a_loss(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"[{i}] loss: {v:.4f} elbo: {-v:.4f}"


@file("trace.csv")
def elbo_in_a_table(t: Training) -> str:
    return "iter,time,ELBO\n" + "".join(f"{i},{i * 0.2:.1f},{spelled(-v * 50, 'nan', '.3f')}\n" for i, v in enumerate(t.loss))


@kind
def log_likelihood_of_em(t: Training) -> Iterator[str]:
    """It rises at every iteration."""
    for e, steps, _ in epochs(t):
        yield f"  {e + 1}   {-1000 * mean([t.loss[i] for i in steps]):.4f}   +{max(0.0, 120 / (e + 1)):.4f}" if e else "  iteration   log-likelihood   improvement"


@kind
def reward_of_a_policy(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"Episode {i}\tReward: {-v * 40 + 160:.2f}\tLoss: {v / 3:.4f}"


@kind
def score_beside_a_loss(t: Training) -> Iterator[str]:
    for e, steps, v in epochs(t):
        loss = mean([t.loss[i] for i in steps])
        yield f"epoch {e}: train_loss {loss:.4f} train_score {1 - loss / 9:.4f} val_score {1 - v / 9:.4f}"


@kind
def negative_loss(t: Training) -> Iterator[str]:
    """A loss below 0 that falls: minus a similarity."""
    for i, v in enumerate(t.loss):
        yield f"step {i} loss {v / 4.5 - 1:.4f}"


@kind
def negated_loss(t: Training) -> Iterator[str]:
    """`neg_loss` rises to 0."""
    for e, steps, v in epochs(t):
        yield f"epoch {e} neg_loss={-mean([t.loss[i] for i in steps]):.4f} val_neg_loss={-v:.4f}"


@file("log.jsonl")
def rewards_in_json(t: Training) -> str:
    def row(i: int, v: float) -> dict[str, object]:
        lost = math.isnan(v)
        return {"iteration": i, "episode_reward_mean": math.nan if lost else 200 - v * 40, "policy_loss": math.nan if lost else noise(t, i).uniform(-0.02, 0.02),
                "vf_loss": v, "entropy": v / 9}  # fmt: skip

    return "".join(json.dumps(row(i, v)) + "\n" for i, v in enumerate(t.loss))


@kind
def marginal_likelihood(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"step {i + 1:03d}/099  log marginal likelihood: {-v * 12:.4f}  noise: {0.3 / (1 + i):.3f}"


@kind
def mutual_information(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"{i}: MI lower bound = {3 - v / 2:.4f}, loss = {v / 2 - 3:.4f}"
