"""What the words in a log mean: which numbers they name, and of which part of the data these are."""

from __future__ import annotations

import functools
import re
from enum import StrEnum
from typing import NamedTuple

from stability.judging.signals import direction, is_loss
from stability.logs.words import (
    AVERAGES,
    BEFORE_PLACES,
    BESIDE,
    BLENDS,
    COUNTS,
    EPOCHS,
    ERRORS,
    EVALUATE,
    GENERIC,
    METRICS,
    NORMS,
    OF_COUNTERS,
    RATES,
    STEPS,
    TERMS,
    TRAIN,
    words_of,
)
from stability.records import Direction


class Sort(StrEnum):
    """What a name says of its number."""

    STEP = "step"
    EPOCH = "epoch"
    LR = "lr"
    GRAD_NORM = "grad_norm"
    GRAD_SCALE = "grad_scale"
    LOSS = "loss"  # it says so
    TERM = "term"  # the usual name of a part of a loss
    ERROR = "error"  # falls with a loss: an error, a perplexity
    PART = "part"  # "train", "valid": a number of that part of the data, and no more is said
    METRIC = "metric"  # may be undefined
    BESIDE = "beside"  # times, sizes, counts, weights, the best so far
    UNKNOWN = "unknown"


LOSSES = (Sort.LOSS, Sort.TERM, Sort.ERROR, Sort.PART)
_RAISED = re.compile(r"\w(?:Error|Exception|Warning)\b")


class Meaning(NamedTuple):
    """What a name says; `ours` is what we call a loss of that name, `is_average` that it is of many steps."""

    sort: Sort
    ours: str = ""
    is_average: bool = False
    rank: int = 0
    """Among names of one sort the lower goes first."""
    is_turned: bool = False
    """It should rise, and is a loss times -1."""


def canonical(name: str) -> str:
    """The name by which two spellings are the same: `Gen Loss`, `gen_loss` and `GenLoss`."""
    if name.startswith("~"):
        return name
    return " ".join(words_of(name))


@functools.lru_cache(maxsize=8192)
def split_of(word: str) -> str:
    """Of which part of the data a single word says that it speaks: "train", "evaluate", or "" for none."""
    if word.endswith((".py", ".pt", ".ckpt", ".pth", ".json", ".yaml")):
        return ""
    pieces = set(words_of(word))
    return "evaluate" if EVALUATE & pieces else "train" if TRAIN & pieces else ""


def speaks(name: str) -> bool:
    """Whether a number may follow this name with nothing but a blank between them."""
    return meaning(name).sort not in (Sort.UNKNOWN, Sort.BESIDE, Sort.PART)


def place_behind(words: list[str]) -> int:
    """Of `loss at step`, where the place begins; 0 where there is none, or nothing before it."""
    last = words[-1].lower()
    if len(words) > 2 and last in ("last", "past", "previous") and words[-2].lower() in ("over", "of", "in"):
        return len(words) - 1
    if len(words) > 3 and [word.lower() for word in words[-3:-1]] in (
        ["over", "the"],
        ["of", "the"],
        ["for", "the"],
    ):
        return len(words) - 1 if last in ("last", "past", "previous") else 0
    if len(words) > 2 and words[-2].lower() in BEFORE_PLACES and last in STEPS | EPOCHS:
        return len(words) - 1
    return 0


@functools.lru_cache(maxsize=8192)
def meaning(name: str) -> Meaning:
    """What a number is that is called `name`."""
    words = words_of(name)
    if name.startswith("~") or _RAISED.search(name):
        return Meaning(Sort.UNKNOWN)
    own = _before_place([word for word in words if word not in EVALUATE | TRAIN])
    if len(own) > 1 and own[0] == "l":  # L_rec, as papers write it
        own = [*own[1:], "loss"]
    if not own:
        return Meaning(Sort.PART, "loss") if words else Meaning(Sort.UNKNOWN)
    if (place := _place(own)) is not None:
        return place
    if _is_rate(own):
        is_other = len(own) > 1 and own not in (["learning", "rate"], ["current", "lr"])
        return Meaning(Sort.LR, rank=int(is_other) + ("min" in own or "max" in own))
    if _is_norm(own):
        return Meaning(Sort.GRAD_NORM, rank=len(own))
    return _quantity(own)


def _before_place(own: list[str]) -> list[str]:
    """What a number is without its place: the loss, of `loss on held-out data` and `loss for final step`."""
    for i, word in enumerate(own):
        is_time = word in ("for", "at") and not (STEPS | EPOCHS).isdisjoint(own[i:])
        if word in ("on", "over", "across") or is_time:
            return own[:i] if {"loss", "losses", "error"} & set(own[:i]) else own
    return own


def _place(own: list[str]) -> Meaning | None:
    bare = [word for word in own if word not in OF_COUNTERS] or own[-1:]
    if len(bare) == 1 and bare[0] in STEPS:
        worth = 0 if {"global", "updates", "timesteps", "globalstep", "iteration"} & set(own) else 1
        return Meaning(
            Sort.STEP,
            rank=worth
            + 2 * (bare[0] in ("batch", "batches", "minibatch", "i", "n", "s", "row", "unnamed", "index")),
        )
    if len(bare) == 1 and bare[0] in EPOCHS:
        return Meaning(Sort.EPOCH)
    return None


def _is_rate(own: list[str]) -> bool:
    joined = "".join(own)
    if {"scale", "mult", "decay", "factor", "weight", "scheduler"} & set(own):
        return False
    return bool(RATES & set(own)) or "learningrate" in joined or joined == "rate"


def _is_norm(own: list[str]) -> bool:
    joined = "".join(own)
    if "loss" in own or {"max", "clip", "threshold", "limit"} & set(own):
        return False
    return bool(NORMS & set(own)) or (
        "grad" in joined and ("norm" in joined or own in (["grad"], ["gradient"]))
    )


def _quantity(own: list[str]) -> Meaning:
    rest = tuple(word for word in own if word not in GENERIC and not word.isdigit())
    says = own[-1].endswith(("loss", "losses")) or any(
        w.endswith(("loss", "losses")) or w in ("lossmean",) for w in own
    )
    average = bool(AVERAGES & set(own)) or "epoch" in own
    if {"scale", "scaler"} & set(own[-2:]) and (
        {"loss", "grad", "amp", "scaler"} & set(own) or own == ["scale"]
    ):
        return Meaning(Sort.GRAD_SCALE)
    if {"is", "was", "are", "not", "no", "detected", "too", "became", "exceeds", "exceeded"} & set(own):
        return Meaning(Sort.UNKNOWN)
    if says and not _beside(own) and own[-1] not in ERRORS | METRICS:
        return Meaning(Sort.LOSS, _ours(rest, own), average)
    if METRICS & set(own) or direction("_".join(own), {}) is Direction.UP:
        return Meaning(Sort.METRIC)
    if COUNTS & set(own) or _beside(own) or not is_loss("_".join(own), {}):
        return Meaning(Sort.BESIDE)
    if rest and (
        set(rest) <= TERMS | BLENDS | {"total"} and set(rest) & (TERMS | {"entropy", "likelihood"})
    ):
        return Meaning(Sort.TERM, "_".join(rest), average)
    if not rest and "total" in own:
        return Meaning(Sort.TERM, "total", average)
    if ERRORS & set(own):
        return Meaning(Sort.ERROR, "_".join(rest), average)
    return Meaning(Sort.UNKNOWN, "_".join(rest) or "_".join(own), average)


_SETTINGS = ("config", "cfg", "hparams", "hyperparameters", "hyperparams", "settings", "options", "args")
_SECONDS = ("sec", "secs", "seconds", "ms", "msec", "timing")
"""`sec/tick`: what it takes."""


def _beside(own: list[str]) -> bool:
    """Whether the last word, or the first, changes what the others mean: a weight of a loss."""
    return (
        own[-1] in BESIDE
        or own[0] in ("best", "min", "max", "prev", "previous", "lowest", "target", "initial")
        or "weight" in own[-2:]
        or (len(own) > 1 and (own[0] in _SETTINGS or own[0] in _SECONDS))
    )


def _ours(rest: tuple[str, ...], own: list[str]) -> str:
    """What a loss is called here: its own words, with `loss` where these alone would name something else."""
    bare = [word.removesuffix("losses").removesuffix("loss") or word for word in rest]
    if not rest:
        return "total"
    short = "_".join(bare)
    return short if _names_a_loss(short) else f"{short}_loss"


def _names_a_loss(short: str) -> bool:
    return is_loss(short, {}) and short not in (
        "step",
        "epoch",
        "lr",
        "grad_norm",
        "weight_norm",
        "grad_scale",
        "total",
    )
