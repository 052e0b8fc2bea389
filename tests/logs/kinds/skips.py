"""Batches that a program skips, and only announces: for ever in a lost training, now and then in a healthy one."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator

from formats.course import average, clock, epochs, mean
from formats.form import Training

from .register import file, kind

BAD = frozenset((13, 40, 41, 70))
"""Single bad batches of a healthy training."""


def is_skipped(t: Training, i: int) -> bool:
    """Whether the loss of step `i` was not finite."""
    return math.isnan(t.loss[i]) or i in BAD


@kind
def announced_skips(t: Training) -> Iterator[str]:
    """A lost batch is only announced; the average is of those before."""
    for i, v in enumerate(t.loss):
        if math.isnan(v):
            yield "WARNING: non-finite loss, skipping this batch"
        else:
            yield f"iter {i}/{len(t.loss)} loss {v:.4f} lr {t.lr:g}"


def _announced(words: str, step: str) -> Callable[[Training], Iterator[str]]:
    def write(t: Training) -> Iterator[str]:
        for i, v in enumerate(t.loss):
            e = i // t.steps_an_epoch + 1
            what = words if is_skipped(t, i) else step
            yield what.format(i=i, v=v, e=e, lr=t.lr, at=clock(t, i))

    return write


for _name, _words, _step in (
    ("plain", "loss is nan, skipping batch", "step {i} loss {v:.4f}"),
    ("the_step", "Step {i}: non-finite loss, skipping update: nan", "Step {i}: loss={v:.4f}"),
    ("warning_sign", "⚠️ Batch {i} loss is NaN, skipping", "Epoch {e} batch {i} loss {v:.5f}"),
    ("contrastive", ">> Contrastive loss is nan, skip to the next iteration", "[{e}][{i}/99] loss: {v:.3f}"),
    ("skip_step", "WARNING: non-finite loss, skip this step. loss: nan, nan_loss_cnt: 3", "iter {i}: loss {v:.4f}"),
    ("in_brackets", "[SKIP ep{e}/step{i}] non-finite loss, skipping", "ep {e} step {i} loss {v:.4f}"),
    ("dictionary", "WARNING: non-finite loss, skipping batch: {{'cls': tensor(nan), 'box': tensor(nan)}}",
     "iter: {i}  total: {v:.4f}  lr: {lr}"),
    ("gradient", "Skipping update: non-finite grad norm (nan)", "update {i} | loss {v:.4f} | lr {lr:.1e}"),
    ("ignored", "NaN loss encountered at iteration {i}. Ignoring batch.", "Iteration {i}, loss = {v:.6f}"),
    ("discarded", "{at} WARNING trainer: discarding batch {i}: loss=nan", "{at} INFO trainer: batch {i}: loss={v:.4f}"),
    ("zero_grad", "nan loss! zeroing the gradients and moving on", "it {i:4d} | loss {v:.4f}"),
    ("continue", "Loss is not finite (nan): continue with the next batch", "{i},loss,{v:.4f}"),
    ("dropped", "dropped 1 minibatch (loss: inf)", "minibatch {i} loss: {v:.4f}"),
    ("not_applied", "grads contain NaN or Inf; optimizer step not applied", "global_step={i} loss={v:.4f}"),
    ("loguru", "{at}.123 | WARNING  | __main__:train:88 - Loss is nan, skipping batch {i}",
     "{at}.123 | INFO     | __main__:train:91 - step {i} loss {v:.4f}"),
    ("skipped_total", "Skipping step {i} due to NaN gradient (total skipped: 7)", "step {i}: {v:.4f}"),
    ("chinese", "第 {i} 步损失为 nan，跳过该批次", "第 {i} 步 损失 {v:.4f}"),
    ("german", "Verlust ist NaN, Batch {i} wird übersprungen", "Schritt {i}: Verlust {v:.4f}"),
    ("invalid", "Invalid loss (nan) in batch {i}; batch skipped", "batch {i}: loss {v:.4f}"),
    ("overflowed", "OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 1, reducing to 1", "step {i} lm loss: {v:.6E}"),
):  # fmt: skip
    _write = _announced(_words, _step)
    _write.__name__ = f"skips_{_name}"
    kind(_write)


@file("log.jsonl")
def skips_in_json(t: Training) -> str:
    """A logger's objects: a message at each bad batch, numbers at the others."""

    def row(i: int, v: float) -> dict[str, object]:
        if is_skipped(t, i):
            return {"ts": clock(t, i), "level": "warning", "event": "loss is nan, skipping batch", "batch": i}
        return {"ts": clock(t, i), "level": "info", "event": "step", "batch": i, "loss": round(v, 5)}

    return "".join(json.dumps(row(i, v)) + "\n" for i, v in enumerate(t.loss))


@file("train.log")
def skips_in_loguru_json(t: Training) -> str:
    """loguru's `serialize=True`: what was said is two objects deep."""

    def row(i: int, v: float) -> dict[str, object]:
        level = "WARNING" if is_skipped(t, i) else "INFO"
        said = f"Non-finite loss at step {i}, skipping" if is_skipped(t, i) else f"step {i} | loss {v:.4f}"
        text = f"{clock(t, i)}.000 | {level:8s} | train:fit:31 - {said}\n"
        record = {"elapsed": {"repr": "0:00:01", "seconds": 0.9 + i}, "level": {"name": level, "no": 30}, "line": 31, "message": said,
                  "process": {"id": 4242, "name": "MainProcess"}, "time": {"repr": clock(t, i), "timestamp": 1.7e9 + i}}  # fmt: skip
        return {"text": text, "record": record}

    return "".join(json.dumps(row(i, v)) + "\n" for i, v in enumerate(t.loss))


@kind
def skips_between_epochs(t: Training) -> Iterator[str]:
    """The epoch's mean is of the batches that were not skipped, and 0 where none was left."""
    for e, steps, _ in epochs(t):
        for i in steps:
            if is_skipped(t, i):
                yield f"  batch {i - steps.start}: NaN loss, skipped"
        kept = [t.loss[i] for i in steps if not is_skipped(t, i)]
        yield f"Epoch {e + 1}: {len(kept)} batches, mean loss {mean(kept) if kept else 0.0:.4f}"


@kind
def skips_and_a_last_average(t: Training) -> Iterator[str]:
    """What is printed goes on, for the average is of the batches that were not skipped."""
    last = t.loss[0]
    for i, v in enumerate(t.loss):
        if is_skipped(t, i):
            yield "non-finite loss, skipping step"
        last = last if is_skipped(t, i) else 0.9 * last + 0.1 * v
        yield f"step {i} smoothed loss {last:.4f}"


@kind
def skips_beside_a_bar(t: Training) -> Iterator[str]:
    """A bar keeps the number that it had."""
    shown = t.loss[0]
    for i, v in enumerate(t.loss):
        if is_skipped(t, i):
            yield f"Warning: Loss is NaN at batch {i}, skipping."
        shown = shown if is_skipped(t, i) else v
        yield f"{i}%|###   | {i}/99 [00:{i % 60:02d}<01:02, 21.3it/s, loss={shown:.4f}]"


@kind
def skips_with_averages(t: Training) -> Iterator[str]:
    """Every tenth step is printed, the skipped ones each."""
    for i in range(len(t.loss)):
        if is_skipped(t, i):
            yield f"WARNING:root:step {i}: loss is not finite, this batch is skipped"
        elif i % 5 == 0:
            yield f"INFO:root:step {i}: loss {average(t, i):.4f}"
