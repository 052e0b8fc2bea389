"""Options -> what each is in a study: a parameter with its range, the budget, the seed, the output folder."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stability.commands.init.argv import Given, given, own_arguments
from stability.commands.init.help_text import Option, named
from stability.importing.options import scalar
from stability.records import UserError

LR, CLIP = 1e-3, 1.0
"""What is taken where a program does not say its default."""
_OF_TRIAL = {
    "seed": r"(?:global_|random_|manual_|training_)?seed(?:_everything)?",
    "epochs": r"(?:num_|max_|n_)?(?:train_)?epochs?|trainer_max_epochs",
    "max_steps": r"(?:max|num|total|train)_(?:train_)?(?:steps|iters|iterations)",
    "batch_size": r"(?:per_device_)?(?:train_)?(?:batch_size|bs)",
    "directory": r"(?:out|output|save|log|logging|work|run|checkpoint|ckpt|default_root)"
    r"_?(?:dir|path|folder|directory)?",
    "run_directory": r"hydra_run_dir",
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
    """What the options are. `command` is as given; `end` is where its options end.

    `places` says where in it a parameter, or a field of the trial, is given; `cut` are the items that give
    one: all others stay as they are.
    """

    command: list[str]
    end: int
    knobs: list[Knob] = field(default_factory=list)
    of_trial: dict[str, Option] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Given] = field(default_factory=dict)
    cut: set[int] = field(default_factory=set)


def roles(options: Sequence[Option], command: Sequence[str], fix: str) -> Roles:
    """Raises `UserError`, which ends with `fix`, where no option is a known hyperparameter."""
    found = Roles(list(command), own_arguments(command, options)[1])
    places = {option.flag: given(command, option, options) for option in options}
    for option in options:
        value = scalar(places[option.flag][-1].text) if places[option.flag] else option.default
        role = next((role for role, form in _OF_TRIAL.items() if _is_any(form, option)), None)
        if role is not None and role not in found.of_trial and not option.is_switch and not option.is_list:
            found.of_trial[role] = option
            found.values[role] = value
            continue
        knob = None if role is not None or option.is_list else _knob(option, value)
        if knob is not None and all(knob.name != other.name for other in found.knobs):
            found.knobs.append(knob)
    steps = found.of_trial.get("max_steps")
    if "epochs" in found.of_trial and steps is not None and not places[steps.flag]:
        del found.of_trial["max_steps"]
    if not found.knobs:
        names = ", ".join(option.flag for option in options[:8] if option.name != "help") or "none"
        raise UserError(f"no option is a known hyperparameter, such as --lr (it has: {names}); {fix}")
    for name, option in [*found.of_trial.items(), *((knob.name, knob.option) for knob in found.knobs)]:
        _place(found, name, places[option.flag])
    return found


def _place(found: Roles, name: str, all_given: Sequence[Given]) -> None:
    """What is given last counts, and is where the parameter is put; the others go."""
    for one in all_given:
        found.places[name] = one
        found.cut |= set(range(one.start, one.end))


def _lasts(option: Option) -> list[str]:
    """The names of an option without the groups it lies in."""
    return [named(own.strip("-=").rpartition(".")[2]) for own in option.spellings if len(own) > 2]


def _is_any(form: str, option: Option) -> bool:
    return any(re.fullmatch(form, name) for name in (*_lasts(option), option.name))


def _knob(option: Option, value: Any) -> Knob | None:
    """The parameter that an option is by any of its names; None where it is none."""
    return next(filter(None, (_named(last, option, value) for last in _lasts(option))), None)


def _named(last: str, option: Option, value: Any) -> Knob | None:
    guessed = value is None
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
        own = _number(value, 0.1)
        return Knob(option, option.name, {"min": 0.0, "max": max(0.5, own)}, own, guessed)
    if re.search(r"warmup_(?:steps|updates|iters)$|^warmup$", last):
        own = int(_number(value, 0))
        return Knob(option, option.name, {"min": 0, "max": max(10, 2 * own)}, own, guessed)
    if re.fullmatch(r"weight_decay|wd", last):
        own = _number(value, 0.0)
        return Knob(option, "weight_decay", {"min": 0.0, "max": max(0.3, own)}, own, guessed)
    is_boolean = option.is_switch or (option.flag.endswith("=") and isinstance(option.default, bool))
    if is_boolean and re.search(_SWITCHES, last):
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
