"""Options -> what each is in a study: a parameter with its range, the budget, the seed, the output folder."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stability.importing.options import scalar
from stability.records import UserError
from stability.starting.help_text import Option

LR, CLIP = 1e-3, 1.0
"""What is taken where a program does not say its default."""
_OF_TRIAL = {
    "seed": r"(?:global_|random_|manual_|training_)?seed(?:_everything)?",
    "epochs": r"(?:num_|max_|n_)?(?:train_)?epochs?|trainer_max_epochs",
    "max_steps": r"(?:max|num|total|train)_(?:train_)?(?:steps|iters|iterations)",
    "batch_size": r"(?:per_device_)?(?:train_)?(?:batch_size|bs)",
    "directory": r"(?:out|output|save|log|logging|work|run|checkpoint|ckpt|default_root)"
    r"_?(?:dir|path|folder|directory)?",
}
_RATE = r"(?:base_|peak_|max_)?(?:lr|learning_rate)"
_CLIP = (
    r"(?:max_)?(?:grad(?:ient)?_)?(?:norm_)?clip(?:ping)?(?:_(?:val|value|norm|grad|grad_norm|thresh))?"
    r"|max_(?:grad_)?norm"
)
_WEIGHT = r"(?:^|_)(?:weight|lambda|beta|alpha|coef|coeff)(?:_|$)"
_OF_LOSS = r"loss|kl|mel|stop|dur|adv|gen|mse|l1|fm|rec"
_SWITCHES = (
    r"adaptive|huber|smooth|fp16|bf16|amp|mixed|half|norm|guided|anneal|warm|ema|checkpointing|schedule|clip"
)
FEW = 6
"""Of an option with more choices nobody wants all tried."""


@dataclass(frozen=True, slots=True)
class Knob:
    """A parameter of the study: its option, what `params` says of it, and its value in the arm `ours`."""

    option: Option
    name: str
    range: Mapping[str, Any]
    ours: Any
    is_guessed: bool = False


@dataclass(slots=True)
class Roles:
    """What the options are. `command` is as given, without the options that a trial sets itself."""

    command: list[str]
    knobs: list[Knob] = field(default_factory=list)
    of_trial: dict[str, Option] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def roles(options: Sequence[Option], command: Sequence[str]) -> Roles:
    """Raises `UserError` where no option is a learning rate or another known hyperparameter."""
    found = Roles(list(command))
    for option in options:
        given = _taken(found.command, option)
        name = option.name
        last = _last(option)
        role = next((role for role, form in _OF_TRIAL.items() if _is(form, last) or _is(form, name)), None)
        if role is not None and role not in found.of_trial and not option.is_switch:
            found.of_trial[role] = option
            found.values[role] = option.default if given is None else given
        elif role is None and (knob := _knob(option, given)) is not None:
            if all(knob.name != other.name for other in found.knobs):
                found.knobs.append(knob)
        elif given is not None:
            found.command += _again(option, given)
    if "epochs" in found.of_trial:
        found.of_trial.pop("max_steps", None)
    if not found.knobs:
        names = ", ".join(option.flag for option in options[:8]) or "none"
        raise UserError(f"no option is a known hyperparameter, such as --lr; the help tells of: {names}")
    return found


def _last(option: Option) -> str:
    """The name of an option without the groups it lies in."""
    return option.flag.strip("-=").rpartition(".")[2].replace("-", "_").lower()


def _is(form: str, name: str) -> bool:
    return re.fullmatch(form, name) is not None


def _taken(command: list[str], option: Option) -> Any:
    """The value that the command gives an option; it is removed there. None where it does not."""
    for i, item in enumerate(command):
        if option.flag.endswith("=") and item.startswith(option.flag):
            del command[i]
            return scalar(item.removeprefix(option.flag))
        if item == option.flag:
            if option.is_switch:
                del command[i]
                return True
            if i + 1 < len(command):
                value = command[i + 1]
                del command[i : i + 2]
                return scalar(value)
        if item.startswith(f"{option.flag}="):
            del command[i]
            return scalar(item.partition("=")[2])
    return None


def _again(option: Option, given: Any) -> list[str]:
    """An option that is nobody's: back to where it was, with its value."""
    if option.flag.endswith("="):
        return [f"{option.flag}{given}"]
    return [option.flag] if option.is_switch else [option.flag, str(given)]


def _knob(option: Option, given: Any) -> Knob | None:
    value = option.default if given is None else given
    guessed = value is None
    last = _last(option)
    if re.fullmatch(_RATE, last):
        own = _number(value, LR)
        return Knob(option, "lr", _log(own, 1e-2, 1e4), own, guessed)
    if re.fullmatch(_CLIP, last):
        own = _number(value, CLIP)
        own = own if own > 0 else CLIP
        return Knob(option, "clip", _log(own, 1e-1, 1e3), own, guessed)
    if re.search(_WEIGHT, last) and re.search(_OF_LOSS, last):
        own = _number(value, 1.0)
        return None if own <= 0 else Knob(option, option.name, _log(own, 1e-1, 1e1), own, guessed)
    if re.search(r"dropout(?:_p|_rate|_prob)?$", last):
        return Knob(option, option.name, {"min": 0.0, "max": 0.5}, _number(value, 0.1), guessed)
    if re.search(r"warmup_(?:steps|updates|iters)$|^warmup$", last):
        own = int(_number(value, 0))
        return Knob(option, option.name, {"min": 0, "max": max(10, 2 * own)}, own, guessed)
    if re.fullmatch(r"weight_decay|wd", last):
        own = _number(value, 0.0)
        return Knob(option, "weight_decay", {"min": 0.0, "max": max(0.3, own)}, own, guessed)
    if option.is_switch and re.search(_SWITCHES, last):
        return Knob(option, option.name, {"values": [False, True]}, value is True)
    if re.fullmatch(r"optim(?:izer)?|opt", last) and 1 < len(option.choices) <= FEW:
        own = str(value) if str(value) in option.choices else option.choices[0]
        return Knob(option, option.name, {"values": list(option.choices)}, own, guessed)
    return None


def _number(value: Any, otherwise: float) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else otherwise


def _log(around: float, below: float, above: float) -> dict[str, Any]:
    around = around if around > 0 else 1.0
    return {"min": float(f"{around * below:.3g}"), "max": float(f"{around * above:.3g}"), "log": True}
