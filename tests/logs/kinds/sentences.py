"""Numbers of which only a sentence says that they broke, or that stay at zero since they did."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

from formats.form import Training

from .register import file, files, kind


def _finite(t: Training) -> list[float]:
    return [v for v in t.loss if not math.isnan(v)]


def _said(t: Training, text: str) -> list[str]:
    return [text] if t.is_lost else []


@file("metrics.jsonl")
def json_lines_then_a_sentence(t: Training) -> str:
    rows = [json.dumps({"step": i, "loss": v}) for i, v in enumerate(_finite(t))]
    return "\n".join([*rows, *_said(t, "The loss is nan, stopping the training"), ""])


@file("log.txt")
def json_lines_then_a_logged_sentence(t: Training) -> str:
    rows = [json.dumps({"epoch": i, "train_loss": v, "lr": t.lr}) for i, v in enumerate(_finite(t))]
    said = _said(t, "2024-03-05 09:12:07,001 ERROR train: got an infinite cost at step 70; giving up")
    return "\n".join([*rows, *said, ""])


@file("history.csv")
def table_then_a_sentence(t: Training) -> str:
    rows = [f"{i},{v:.6f},{t.lr:g}" for i, v in enumerate(_finite(t))]
    return "\n".join(["step,loss,lr", *rows, *_said(t, "Loss became NaN. Training stopped"), ""])


@file("loss.txt")
def column_then_a_sentence(t: Training) -> str:
    return "\n".join([*(f"{v:.6f}" for v in _finite(t)), *_said(t, "loss is not finite: abort"), ""])


@kind
def zeroed_after_a_warning(t: Training) -> Iterator[str]:
    """The program puts 0 in place of a loss that is not finite, and goes on."""
    for i, v in enumerate(t.loss):
        if math.isnan(v):
            yield "WARNING: received a nan loss, setting loss value to 0"
        yield f"it {i} loss {0.0 if math.isnan(v) else v:.4f} ({3.1 + i % 3 / 10:.1f} s)"


@kind
def zeroed_after_a_skip(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        if math.isnan(v):
            yield "WARNING: received an inf loss / skipping grad update"
        yield f"{{'step': {i}, 'loss': {0.0 if math.isnan(v) else v}, 'lr': {t.lr}}}"


@files
def rows_beside_a_console_that_names_no_loss(t: Training) -> Mapping[str, str]:
    """What the console has moves and has as many lines, and is no loss."""
    noise = [2.0 + math.sin(i * 7.3) for i in range(len(t.loss))]
    console = [
        f"round {i}   time {i:02d}m 04s   sec/round {110 + 3 * x:.1f}   upkeep {x / 9:.1f}   mem {5.12 + x / 50:.2f}"
        for i, x in enumerate(noise)
    ]
    rows = [
        json.dumps({"Loss/net": {"num": 64, "mean": v, "std": 0.4}, "Timing/batch_cost": x, "config.gamma": 0.9 + x / 99})
        for v, x in zip(t.loss, noise, strict=True)
    ]
    return {"console.txt": "\n".join([*console, ""]), "numbers.jsonl": "\n".join([*rows, ""])}


@kind
def costs_in_seconds(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        x = 2.0 + math.sin(i * 7.3)
        yield f"global_step: {i}, loss: {v:.5f}, lr: {t.lr:g}, reader_cost: {x / 99:.5f} sec, batch_cost: {x / 9:.5f} sec"
