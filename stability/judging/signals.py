"""The role of each recorded number: which way it should go, or that it has no direction at all.

Declared in the study file (`signals: {gen: {direction: none}, bleu: {direction: up}}`), else inferred from
its name.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping

from stability.records import Direction, Step

# Words of a name, split at anything but letters and at changes of case.
_UP = {
    *("acc", "accuracy", "bleu", "sacrebleu", "f", "auc", "auroc", "reward", "rewards", "rew", "return"),
    *("returns", "score", "map", "iou", "miou", "precision", "recall", "psnr", "ssim", "success", "win"),
    *("hit", "hits", "top", "mos", "pesq", "stoi", "meteor", "rouge", "chrf", "cider", "dice", "ap"),
    *("snr", "sdr", "mrr", "ndcg", "mcc", "kappa", "correlation", "pearson", "spearman", "exact", "em"),
    *("elo", "likelihood", "similarity"),
}
_NONE = {
    *("gen", "generator", "g", "d", "disc", "discriminator", "dis", "critic", "adv", "adversarial", "fake"),
    *("real", "gan", "actor", "policy", "pg", "pi", "entropy", "td", "q", "qf", "wasserstein", "penalty"),
    *("gp", "advantage", "value", "vf", "beta", "kl", "kld"),
}
_NO_LOSS = {
    *("lr", "learning", "rate", "scale", "scaler", "norm", "gnorm", "gradnorm", "time", "sec", "secs"),
    *("second", "seconds", "ms", "eta", "elapsed", "runtime", "wall", "mem", "memory", "epoch", "step"),
    *("steps", "iter", "iteration", "iterations", "global", "updates", "throughput", "fps", "wps", "wpb"),
    *("ups", "bsz", "size", "tokens", "samples", "seen", "momentum", "decay", "weight", "coef", "gpu"),
    *("epochs", "batch", "index", "idx", "count", "vram", "gn"),
    *("util", "mfu", "tflops", "speed", "ips", "temperature"),
}
"""As the last word of a name: `time_loss` is a loss."""
_NEGATED = {"neg", "negative", "minus"}
"""With these a metric that should rise is a loss: the negative log-likelihood."""
_ERRORS = {"err", "error", "errors"}


def direction(name: str, declared: Mapping[str, Direction]) -> Direction:
    """Which way the number called `name` should go: what is declared for it, else what its name says.

    A name that says nothing is a loss. `DOWN` for losses, `UP` for metrics, `NONE` for terms that rise and
    fall in a healthy training (adversarial, policy, annealed) and for numbers that are no loss.
    """
    return Direction(declared[name]) if name in declared else _by_name(name)


def is_loss(name: str, declared: Mapping[str, Direction]) -> bool:
    """Whether a number is a loss at all: no metric that should rise, no rate, norm, time or counter."""
    if name in declared:
        return Direction(declared[name]) is not Direction.UP
    return _by_name(name) is not Direction.UP and ("loss" in name.lower() or not _is_no_loss(_words(name)))


@functools.cache
def _by_name(name: str) -> Direction:
    words = _words(name)
    if len(words) > 1 and words[-1] == "rate" and words[-2] in _ERRORS:
        return Direction.DOWN
    said = {*words, *(piece.lower() for piece in re.findall("[A-Za-z]+", name))}  # mIoU is no m, Io and U
    if "loss" not in said and (_is_no_loss(words) or "lr" in said):
        return Direction.UP if words[-1] == "rate" and said & _UP else Direction.NONE
    if not said & {"loss", *_ERRORS} and said & _UP:
        return Direction.DOWN if said & _NEGATED else Direction.UP
    if "cross" in said:
        said.discard("entropy")
    return Direction.NONE if said & _NONE or _is_no_loss(words) else Direction.DOWN


def _is_no_loss(words: list[str]) -> bool:
    """Whether the last word says so: before `per` in `tokens_per_s`, before `step` in `train_loss_step`."""
    if "per" in words[1:]:
        words = words[: words.index("per", 1)]
    while len(words) > 1 and words[-1] in ("step", "epoch"):
        words = words[:-1]
    return bool(words) and words[-1] in _NO_LOSS


def training_loss(step: Step, declared: Mapping[str, Direction]) -> float:
    """The sum of a step's components that should fall; of all its losses where none should.

    NaN where it has no loss at all.
    """
    directed = [v for name, v in step.losses.items() if direction(name, declared) is Direction.DOWN]
    losses = directed or [v for name, v in step.losses.items() if is_loss(name, declared)]
    return sum(losses) if losses else math.nan


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]", name)]
