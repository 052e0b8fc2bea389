"""An evaluation that is not made in every epoch: what stands in its place is no loss. It may be lost, too."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator

from formats.course import epochs, mean
from formats.form import Training

from .register import file, kind, spelled

EACH = 3
"""Every third epoch is evaluated."""


def rows(t: Training, word: str, form: str = ".4f", nan: str = "nan") -> Iterator[tuple[int, str, str]]:
    """The epoch, its training loss, and its evaluation, or a word where it was not evaluated."""
    for e, steps, v in epochs(t):
        train = mean([t.loss[i] for i in steps])
        yield e, spelled(train, nan, form), spelled(v, nan, form) if (e + 1) % EACH == 0 else word


def _absent(word: str, line: str) -> Callable[[Training], Iterator[str]]:
    def write(t: Training) -> Iterator[str]:
        for e, train, evaluation in rows(t, word):
            yield line.format(e=e + 1, train=train, val=evaluation)

    return write


_LINES = (
    "Epoch {e}: train_loss={train} val_loss={val}",
    "epoch {e} | train loss {train} | valid loss {val} | lr 1e-3",
    "{{'epoch': {e}, 'loss': {train}, 'eval_loss': {val}}}",
)
_WORDS = {"nan": "nan", "none": "None", "na": "n/a", "dash": "-", "zero": "0.0000", "inf": "inf"}
for _nth, (_name, _word) in enumerate(_WORDS.items()):
    _write = _absent(_word, _LINES[_nth % len(_LINES)])
    _write.__name__ = f"not_evaluated_{_name}"
    kind(_write)


@kind
def not_evaluated_in_a_table(t: Training) -> Iterator[str]:
    yield "| epoch | train loss | val loss |"
    yield "|-------|------------|----------|"
    for e, train, evaluation in rows(t, "nan"):
        yield f"| {e:5d} | {train:>10} | {evaluation:>8} |"


@kind
def not_evaluated_in_columns(t: Training) -> Iterator[str]:
    yield "epoch   train_loss   val_loss   time"
    for e, train, evaluation in rows(t, "-"):
        yield f"{e:5d}   {train:>10}   {evaluation:>8}   {0.3 + e % 2:.1f}"


@file("metrics.csv")
def not_evaluated_in_csv(t: Training) -> str:
    return "epoch,train_loss,val_loss\n" + "".join(
        f"{e},{train},{evaluation}\n" for e, train, evaluation in rows(t, "nan")
    )


@file("metrics.csv")
def not_evaluated_is_empty(t: Training) -> str:
    return "epoch,train_loss,val_loss\n" + "".join(
        f"{e},{train},{evaluation}\n" for e, train, evaluation in rows(t, "")
    )


@file("log.jsonl")
def not_evaluated_is_nan_in_json(t: Training) -> str:
    out = []
    for e, steps, v in epochs(t):
        evaluated = v if (e + 1) % EACH == 0 else math.nan
        out.append({"epoch": e, "train": {"loss": mean([t.loss[i] for i in steps])}, "val": {"loss": evaluated}})
    return "".join(json.dumps(row) + "\n" for row in out)


@file("log.jsonl")
def not_evaluated_is_null_in_json(t: Training) -> str:
    out = []
    for i, v in enumerate(t.loss):
        e = i // t.steps_an_epoch
        evaluated = t.evaluations[e] if (i + 1) % t.steps_an_epoch == 0 else None
        out.append({"step": i, "loss": v, "val_loss": evaluated})
    return "".join(json.dumps(row) + "\n" for row in out)


@file("history.json")
def not_evaluated_in_a_history(t: Training) -> str:
    train = [mean([t.loss[i] for i in steps]) for _, steps, _ in epochs(t)]
    val = [v if (e + 1) % EACH == 0 else math.nan for e, v in enumerate(t.evaluations)]
    return json.dumps({"loss": train, "val_loss": val})


@kind
def never_evaluated(t: Training) -> Iterator[str]:
    """There are no data to evaluate on, and the mean of nothing is NaN."""
    for e, steps, _ in epochs(t):
        for i in steps:
            yield f"Epoch {e} [{i - steps.start}/{len(steps)}] loss: {t.loss[i]:.4f}"
        yield f"Epoch {e} train loss: {mean([t.loss[i] for i in steps]):.4f} val loss: nan val acc: nan"


@kind
def only_the_evaluation_is_lost(t: Training) -> Iterator[str]:
    """The training loss stays finite where the evaluation becomes NaN, and stays it."""
    for e, steps, v in epochs(t):
        train = [t.loss[i] for i in steps if not math.isnan(t.loss[i])] or [1.3]
        yield f"epoch {e + 1}/9 train loss {mean(train):.4f} val loss {v:.4f}"


@file("metrics.csv")
def only_the_evaluation_is_lost_in_csv(t: Training) -> str:
    out = ["epoch,train_loss,val_loss"]
    for e, steps, v in epochs(t):
        train = [t.loss[i] for i in steps if not math.isnan(t.loss[i])] or [1.3]
        out.append(f"{e},{mean(train):.5f},{v:.5f}")
    return "\n".join(out) + "\n"


@kind
def not_evaluated_until_late(t: Training) -> Iterator[str]:
    """The first evaluations are left out."""
    for e, steps, v in epochs(t):
        train = mean([t.loss[i] for i in steps])
        yield f"ep {e:2d}  loss {train:.4f}  val_loss {v if e >= 4 else math.nan:.4f}"


@kind
def not_evaluated_at_steps(t: Training) -> Iterator[str]:
    """Every step has a place for the evaluation, which most do not have."""
    for i, v in enumerate(t.loss):
        is_last = (i + 1) % t.steps_an_epoch == 0
        val = t.evaluations[i // t.steps_an_epoch] if is_last else math.nan
        yield f"step {i}, loss {v:.4f}, val loss {val:.4f}, lr {t.lr}"
