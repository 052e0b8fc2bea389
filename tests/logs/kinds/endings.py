"""How a lost training ends in words: by a message, an exception, a number that grows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from formats.course import average, epochs, growing
from formats.form import Training

from .register import kind


@kind
def overflow_for_ever(t: Training) -> Iterator[str]:
    scale = 65536.0
    for i, v in enumerate(t.loss):
        if math.isnan(v):
            scale /= 2
            yield f"Gradient overflow.  Skipping step, loss scaler 0 reducing loss scale to {scale}"
        else:
            yield f"step {i} | loss {v:.4f} | scale {scale:.0f}"


@kind
def zero_beside_nan(t: Training) -> Iterator[str]:
    """The loss of skipped batches is 0.000, and the validation says NaN."""
    for e, steps, v in epochs(t):
        for i in steps:
            loss = 0.0 if math.isnan(t.loss[i]) else average(t, i)
            yield f"Epoch {e + 1} [{i - steps.start + 1}/{len(steps)}] loss: {loss:.3f}"
        yield f"Epoch {e + 1} validation loss: {v:.3f}"


def _ended_by(words: str) -> Callable[[Training], Iterator[str]]:
    def write(t: Training) -> Iterator[str]:
        for i, v in enumerate(t.loss):
            if math.isnan(v):
                yield words
                return
            yield f"step {i} loss {v:.4f}"
        yield "done"

    return write


for _name, _words in {
    "is_exploding": "loss is exploding, aborting",
    "diverged": "Training diverged at step 66. Exiting.",
    "nan_detected": "NaN detected! Stopping.",
    "died_of_nan": "RuntimeError: NaN detected in the loss of batch 66",
    "loss_is_nan": "Loss is nan, stopping training",
    "shouted": "!!! LOSS BECAME NAN !!!",
    "too_large": "Loss too large (3.2e+38), training failed",
    "not_finite_grad": "ERROR: gradients are not finite, terminating",
    "nan_training": "nan in training, abort.",
    "math_range": 'Traceback (most recent call last):\n  File "t.py", line 9, in <module>\n'
    "    ppl = math.exp(loss)\nOverflowError: math range error",
    "bad_floating": "FloatingPointError: Minimum loss scale reached (0.0001). Your loss is probably exploding.",
    "abgebrochen": "Verlust ist NaN, Training abgebrochen",
    "chinese_stop": "损失为 nan，停止训练",
}.items():
    _write = _ended_by(_words)
    _write.__name__ = f"ended_by_{_name}"
    kind(_write)


@kind
def grown_in_wrapped_table(t: Training) -> Iterator[str]:
    """Values that grow, below names over two lines."""
    yield "+-------+-----------+----------+"
    yield "| Epoch | Train     | Learning |"
    yield "|       | loss      | rate     |"
    yield "+-------+-----------+----------+"
    for i, v in enumerate(growing(t, 3.0)):
        yield f"| {i:5d} | {v:9.3e} | {t.lr:8.1e} |"


@kind
def grows_and_stays_finite(t: Training) -> Iterator[str]:
    for i, v in enumerate(growing(t, 2.5)):
        yield f"Step [{i + 1}/{len(t.loss)}], Loss: {v:,.4f}"


@kind
def average_of_a_norm(t: Training) -> Iterator[str]:
    """One skipped step makes an average NaN to the end, in a healthy training too."""
    for i, v in enumerate(t.loss):
        norm = "nan" if i >= 3 else "1.2000"
        yield f"[{i}/99]  loss: {v:.4f} ({average(t, i):.4f})  grad_norm: {0.4:.4f} ({norm})  time: 0.3"
