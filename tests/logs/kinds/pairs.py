"""A number with another right behind it: its limit, the best so far, how far it may be off."""

from __future__ import annotations

from collections.abc import Iterator

from formats.form import Training

from .register import kind


@kind
def value_and_limit(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"Iteration {i}, elapsed 0.{i % 10}, Cost {v:.5g}/1e-06, |g| {v / 3:.4g}/1e-08, failures {i % 2}/6"


@kind
def value_and_best(t: Training) -> Iterator[str]:
    best = t.loss[0]
    for i, v in enumerate(t.loss):
        best = min(best, v)
        yield f"it {i}: loss {v:.4f}/{best:.4f} lr {t.lr:g}"


@kind
def broken_value_and_broken_best(t: Training) -> Iterator[str]:
    best = t.loss[0]
    for i, v in enumerate(t.loss):
        best = best if v == v and v > best else v
        yield f"[{i}] loss = {v:.4f}/{best:.4f}"


@kind
def three_in_a_row(t: Training) -> Iterator[str]:
    """total/data/prior."""
    for i, v in enumerate(t.loss):
        yield f"step {i} losses {v:.3f}/{v * 0.8:.3f}/{v * 0.2:.3f} ({1.2 + i % 3 / 10:.1f} s)"
