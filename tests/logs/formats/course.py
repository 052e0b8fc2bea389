"""The course of a training as programs tell it: epochs, averages, times of day, progress bars. No format lives here."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from .form import Training

BEGINS = datetime(2024, 3, 4, 9, 12, 7)


def clock(training: Training, seconds: float, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    """The time of day, `seconds` after the start of the training."""
    return (BEGINS + timedelta(days=training.seed, seconds=seconds)).strftime(pattern)


def asctime(training: Training, seconds: float) -> str:
    """The time as Python's `logging` writes it, with milliseconds behind a comma."""
    return f"{clock(training, seconds)},{int(seconds * 377 + training.seed) % 1000:03d}"


def noise(training: Training, *key: object) -> random.Random:
    """Random numbers for what is no loss: times, memory, accuracies."""
    return random.Random(f"{training.seed} {training.lr} {key}")


def epochs(training: Training) -> Iterator[tuple[int, range, float]]:
    """The number of each epoch (from 0), its steps, and the evaluation that follows it."""
    n = training.steps_an_epoch
    for epoch, evaluation in enumerate(training.evaluations):
        yield epoch, range(epoch * n, (epoch + 1) * n), evaluation


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean; NaN if a value is."""
    return sum(values) / len(values)


def median(values: Sequence[float]) -> float:
    """The median as numpy and torch take it: NaN if a value is."""
    return math.nan if any(map(math.isnan, values)) else statistics.median(values)


def average(training: Training, step: int) -> float:
    """What an average meter shows at a step: the mean of the epoch so far."""
    return mean(training.loss[step - step % training.steps_an_epoch : step + 1])


def growing(training: Training, factor: float) -> tuple[float, ...]:
    """The loss of a lost training that never becomes NaN: from `breaks_at` it grows by `factor` a step."""
    if training.breaks_at is None:
        return training.loss
    last, lost = training.loss[training.breaks_at - 1], len(training.loss) - training.breaks_at
    return training.loss[: training.breaks_at] + tuple(last * factor ** (i + 1) for i in range(lost))


def score(evaluation: float, healthy: float) -> float:
    """An accuracy beside an evaluation: `healthy`, or 0 where the evaluation is NaN (a comparison with NaN is false)."""
    return 0.0 if math.isnan(evaluation) else healthy


def minutes(seconds: float) -> str:
    """A duration as tqdm writes it, mm:ss."""
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"


def tqdm(title: str, done: int, total: int, a_step_s: float, postfix: str = "", width: int = 10) -> str:
    """One state of a tqdm bar, without the carriage return before it."""
    full = width * done // total
    bar = "█" * full + " " * (width - full)
    left = minutes((total - done) * a_step_s) if done else "?"
    rate = (f"{1 / a_step_s:5.2f}it/s" if a_step_s < 1 else f"{a_step_s:5.2f}s/it") if done else "?it/s"
    times = f"[{minutes(done * a_step_s)}<{left}, {rate}{', ' + postfix if postfix else ''}]"
    return f"{title}{100 * done // total:3d}%|{bar}| {done}/{total} {times}"
