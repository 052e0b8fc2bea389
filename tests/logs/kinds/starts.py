"""A first row that is no start: a summary, a zero, an evaluation before training, a blank."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from formats.course import epochs, mean
from formats.form import Training

from .register import file, kind


def _means(t: Training) -> Iterator[tuple[int, float, float]]:
    for e, steps, v in epochs(t):
        yield e, mean([t.loss[i] for i in steps]), v


@kind
def zero_before_training(t: Training) -> Iterator[str]:
    yield "epoch 0 train_loss 0.0000 val_loss 4.3102"
    for e, train, val in _means(t):
        yield f"epoch {e + 1} train_loss {train:.4f} val_loss {val:.4f}"


@kind
def zero_in_a_table(t: Training) -> Iterator[str]:
    yield "Epoch    Loss    ValLoss"
    yield "    0  0.0000     4.4100"
    for e, train, val in _means(t):
        yield f"{e + 1:5d}  {train:.4f}    {val:7.4f}"


@file("log.csv")
def blank_before_training(t: Training) -> str:
    out = ["epoch,train_loss,val_loss", "0,,4.31"]
    out += [f"{e + 1},{train:.4f},{val:.4f}" for e, train, val in _means(t)]
    return "\n".join(out) + "\n"


@file("log.csv")
def nan_before_training(t: Training) -> str:
    out = ["epoch,train_loss,val_loss", "0,nan,4.31"]
    out += [f"{e + 1},{train:.4f},{val:.4f}" for e, train, val in _means(t)]
    return "\n".join(out) + "\n"


@kind
def nan_before_training_in_lines(t: Training) -> Iterator[str]:
    yield "Epoch 0: train loss nan, test loss 4.3102"
    for e, train, val in _means(t):
        yield f"Epoch {e + 1}: train loss {train:.4f}, test loss {val:.4f}"


@kind
def zero_first_step(t: Training) -> Iterator[str]:
    """An average that was not filled yet."""
    yield "step 0 loss 0.0 lr 0"
    for i, v in enumerate(t.loss):
        yield f"step {i + 1} loss {v:.4f} lr {t.lr}"


@kind
def infinite_first_step(t: Training) -> Iterator[str]:
    """What was never measured is infinite."""
    yield "Iter 0, loss inf, best inf"
    for i, v in enumerate(t.loss):
        yield f"Iter {i + 1}, loss {v:.5f}, best {min(x for x in t.loss[: i + 1] if x == x):.5f}"


@kind
def summary_first(t: Training) -> Iterator[str]:
    """The settings have names of losses."""
    yield "loss weights: mel 1.0, kl 0.5, stop 2.0"
    yield "loss: l1, target loss: 0.05, max epochs: 9"
    yield "resume from epoch 0, best loss so far 1000000.0"
    for i, v in enumerate(t.loss):
        yield f"epoch {i // 11} step {i} loss {v:.4f}"


@kind
def summary_last(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"epoch {i // 11} step {i} loss {v:.4f}"
    kept = [v for v in t.loss if v == v]
    yield f"finished: first loss {kept[0]:.4f}, best loss {min(kept):.4f}, mean loss {mean(kept):.4f}"


@kind
def evaluation_before_training(t: Training) -> Iterator[str]:
    yield "initial validation: loss 4.3120 ppl 74.59"
    for e, steps, v in epochs(t):
        for i in steps:
            yield f"| epoch {e} | batch {i - steps.start} | loss {t.loss[i]:.3f}"
        yield f"validation: loss {v:.4f} ppl {math.exp(v):.2f}"


@file("history.jsonl")
def row_of_settings_first(t: Training) -> str:
    rows: list[dict[str, object]] = [{"epoch": 0, "loss": 0, "lr": t.lr, "time": 0, "n_params": 123456}]
    rows += [{"epoch": i + 1, "loss": v, "lr": t.lr, "time": 0.1 * i} for i, v in enumerate(t.loss)]
    return "".join(json.dumps(row) + "\n" for row in rows)


@kind
def minus_one_first(t: Training) -> Iterator[str]:
    """A row -1 with what a loss is before it is known."""
    yield "epoch,loss,val_loss"
    yield "-1,-1,-1"
    for e, train, val in _means(t):
        yield f"{e},{train:.5f},{val:.5f}"


@kind
def dashes_first(t: Training) -> Iterator[str]:
    yield "Iter    Loss        |g|      step"
    yield f"   0    {t.loss[0] * 1.1:.4e}  3.1e+00  --"
    for i, v in enumerate(t.loss):
        yield f"{i + 1:4d}    {v:.4e}  {v / 2:.1e}  {t.lr:.1e}"
