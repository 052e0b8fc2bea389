"""Which options decide whether a training is stable, and the range in which each is looked at.

A range lies around the value that the program is run with: nothing is known of an option without one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stability.commands.init.options import Option

FEW = 6
"""Of an option with more choices nobody wants all tried."""
Range = dict[str, Any]
_NO_RATE = {
    "min", "final", "end", "decay", "scheduler", "schedule", "sched", "step", "steps", "gamma", "factor",
    "warmup", "patience", "type", "policy", "milestones", "mult", "multiplier", "scale", "ratio", "update",
    "iters", "epochs", "power", "find", "finder", "drop", "cycle", "freq", "interval", "mode", "mu", "log",
}  # fmt: skip
_NO_CLIP = {
    "range",
    "coef",
    "epsilon",
    "eps",
    "vloss",
    "value_loss",
    "param",
    "algorithm",
    "type",
    "mode",
    "alg",
}
_CLIP = re.compile(r"clip|(?:^|_)max_(?:grad_)?norm$|grad(?:ient)?_norm$")
_WEIGHT = re.compile(r"(?:^|_)(?:weights?|lambdas?|beta|alpha|coefs?|coeffs?)(?:_|$)|^lambda|^c_|_w$")
_OF_LOSS = re.compile(r"loss|kl|mel|stop|dur|adv|gen|mse|l1|fm|rec|stft|commit")
_BATCH = re.compile(
    r"(?:per_device_|per_gpu_|micro_|mini_?|ims_per_)?(?:train_)?(?:batch_?size|bs|batch)(?:_train|_per_gpu|_per_device)?"
)
_WARMUP = re.compile(r"warm_?up(?:_(?:steps?|updates?|iters?|iterations|epochs?|ratio|proportion|frac))?$")
_TOGGLE = re.compile(
    r"(?:^|_)(?:adaptive|huber|smooth\w*|norm|normali[sz]e|guided|anneal\w*|warm\w*|ema|clip\w*)(?:_|$)"
)
_OF_OPTIMIZER = re.compile(r"(?:^|_)(?:nesterov|amsgrad|decoupled|fused|foreach)(?:_|$)")
_PRECISION = re.compile(r"(?:^|_)(?:fp16|bf16|amp|mixed|half|autocast|tf32|float16|bfloat16)(?:_|$)")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of hyperparameter: its name in a study (empty: the option's own), and the range around a value.

    `range_of` returns None where an option is not of this kind. One `has_to_be_given`, or is left alone.
    """

    name: str
    range_of: Callable[[str, Option, Any], Range | None]
    has_to_be_given: bool = False


def is_rate(name: str) -> bool:
    """Whether a name is one of a learning rate."""
    words = set(name.split("_"))
    if name in ("step_size", "rate", "eta"):
        return True
    named = words & {"lr", "lr0", "lrate", "learningrate"} or "learning_rate" in name
    return bool(named) and not words & _NO_RATE


def _rate(name: str, _: Option, value: Any) -> Range | None:
    return _decades(value, 2, 2) if is_rate(name) and _is_positive(value) else None


def _clip(name: str, _: Option, value: Any) -> Range | None:
    is_clip = _CLIP.search(name) and not set(name.split("_")) & _NO_CLIP
    return _decades(value, 1, 2) if is_clip and _is_positive(value) else None


def _loss_weight(name: str, option: Option, value: Any) -> Range | None:
    is_weight = any(_WEIGHT.search(own) and _OF_LOSS.search(own) for own in (name, option.name))
    return _decades(value, 1, 1) if is_weight and "decay" not in name and _is_positive(value) else None


def _warmup(name: str, _: Option, value: Any) -> Range | None:
    if not _WARMUP.search(name) or not _is_number(value) or value < 0:
        return None
    if isinstance(value, float) and value < 1:
        return {"min": 0.0, "max": max(0.5, value)}
    return {"min": 0, "max": max(10, 2 * int(value))} if value == int(value) else None


def _weight_decay(name: str, _: Option, value: Any) -> Range | None:
    is_decay = re.fullmatch(r"(?:\w+_)?weight_?decay|wd|l2", name)
    return {"min": 0.0, "max": _rounded(max(0.1, 10 * value))} if is_decay and _is_number(value) else None


def _batch_size(name: str, _: Option, value: Any) -> Range | None:
    if not _BATCH.fullmatch(name) or not isinstance(value, int) or isinstance(value, bool) or value < 1:
        return None
    return {"min": max(1, value // 4), "max": 2 * value, "log": True}


def _dropout(name: str, _: Option, value: Any) -> Range | None:
    is_dropout = re.search(r"(?:^|_)drop(?:out)?(?:_?p|_rate|_prob)?$", name)
    return (
        {"min": 0.0, "max": max(0.5, value)} if is_dropout and _is_number(value) and 0 <= value < 1 else None
    )


def _momentum(name: str, _: Option, value: Any) -> Range | None:
    second = re.search(r"beta_?2$|betas_1$", name)
    first = re.search(r"beta_?1$|betas_0$|^momentum$", name)
    if not (first or second) or not _is_number(value) or not 0 <= value < 1:
        return None
    return (
        {"min": min(0.9, value), "max": max(0.9999, value)}
        if second
        else {"min": 0.0, "max": max(0.99, value)}
    )


def _epsilon(name: str, _: Option, value: Any) -> Range | None:
    return (
        _decades(value, 2, 2)
        if re.search(r"adam_eps(?:ilon)?$|^eps(?:ilon)?$", name) and _is_positive(value)
        else None
    )


def _optimizer(name: str, option: Option, value: Any) -> Range | None:
    is_choice = (
        re.fullmatch(r"optim(?:izer)?(?:_(?:name|type))?|opt", name) and 1 < len(option.choices) <= FEW
    )
    return {"values": list(option.choices)} if is_choice and str(value) in option.choices else None


def _toggle(name: str, option: Option, value: Any) -> Range | None:
    is_boolean = option.is_switch or isinstance(value, bool)
    return {"values": [False, True]} if is_boolean and _TOGGLE.search(name) else None


def _of_optimizer(name: str, option: Option, value: Any) -> Range | None:
    is_boolean = option.is_switch or isinstance(value, bool)
    return {"values": [False, True]} if is_boolean and _OF_OPTIMIZER.search(name) else None


def _precision(name: str, option: Option, value: Any) -> Range | None:
    """One that is on may be off; one that is off may need a GPU that is not here."""
    is_boolean = option.is_switch or isinstance(value, bool)
    return {"values": [False, True]} if is_boolean and value is True and _PRECISION.search(name) else None


KINDS = (
    Kind("lr", _rate),
    Kind("clip", _clip),
    Kind("", _loss_weight),
    Kind("", _warmup),
    Kind("weight_decay", _weight_decay),
    Kind("batch_size", _batch_size),
    Kind("", _dropout),
    Kind("optimizer", _optimizer),
    Kind("", _precision),
    Kind("", _toggle),
    Kind("", _of_optimizer, has_to_be_given=True),
    Kind("", _momentum, has_to_be_given=True),
    Kind("", _epsilon, has_to_be_given=True),
)
"""In the order in which they matter."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_positive(value: Any) -> bool:
    return _is_number(value) and value > 0


def _decades(value: float, below: int, above: int) -> Range:
    return {"min": _rounded(value * 10.0**-below), "max": _rounded(value * 10.0**above), "log": True}


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
