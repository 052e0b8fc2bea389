"""Options -> what each is in a study: a parameter with its range, the budget, the seed, an output."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from stability.commands.init.argv import Given, given, own_arguments
from stability.commands.init.asking import Setting
from stability.commands.init.first_evaluation import first_of
from stability.commands.init.intervals import interval_of
from stability.commands.init.options import Option, Place
from stability.commands.init.outputs import output_of
from stability.commands.init.ranges import KINDS, Kind, is_rate
from stability.importing.options import scalar

MOST = 8
"""A first study looks at no more parameters than this."""
_OF_TRIAL = {
    "seed": r"(?:[a-z]+_)*seed(?:_everything)?|random_state",
    "epochs": r"(?:num_|max_|n_|total_|nb_|training_)?(?:train_)?n?epochs?|trainer_max_epochs",
    "max_steps": r"(?:max|num|n|total|train|training|max_train|num_train|n_train)_(?:train_|training_)?"
    r"(?:steps?|iters?|iterations?|updates?)|steps|iterations|iters|niters?|max_iter",
    "run_directory": r"hydra_run_dir",
}
ROLES = tuple(_OF_TRIAL)


@dataclass(frozen=True, slots=True)
class StudyParam:
    """A parameter of the study: its option, what `params` says of it, and the value it is run with now."""

    option: Option
    name: str
    range: Mapping[str, Any]
    usual: Any


@dataclass(slots=True)
class Roles:
    """What the options are. `command` is as given; `end` is where its options end.

    `of_trial` holds the option of each field of a trial, `outputs` the text that each output is told instead.
    `places` says where in the command an option is given, by its name here; `cut` are the items that give
    one: all others stay as they are. `lines` say what was left out, and why. `intervals` say how often it
    prints, `firsts` let it evaluate before it trains, and `asked` holds what one of these is told instead.
    """

    command: list[str]
    end: int
    params: list[StudyParam] = field(default_factory=list)
    of_trial: dict[str, Option] = field(default_factory=dict)
    outputs: dict[str, tuple[Option, str]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Given] = field(default_factory=dict)
    cut: set[int] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    intervals: list[Setting] = field(default_factory=list)
    firsts: list[Setting] = field(default_factory=list)
    asked: dict[str, tuple[Option, int | bool]] = field(default_factory=dict)


def roles(options: Sequence[Option], command: Sequence[str]) -> Roles:
    """What each option is; `params` is empty where none is a known hyperparameter with a known value."""
    found = Roles(list(command), own_arguments(command, options)[1])
    places = {id(option): given(command, option, options) for option in options}
    values = {
        id(option): scalar(places[id(option)][-1].text) if places[id(option)] else option.default
        for option in options
    }
    ordered = sorted(
        options,
        key=lambda option: (
            _rank(option, values[id(option)], bool(places[id(option)])),
            "seed" in option.name and "seed" not in option.short_names,  # before those of parts
        ),
    )
    for option in ordered:
        _sort_in(found, option, values[id(option)], is_given=bool(places[id(option)]))
    told = [(option, values[id(option)], places[id(option)]) for option in ordered]
    found.intervals = _of_each_name([interval_of(*own) for own in told])
    found.firsts = _of_each_name([first_of(*own) for own in told])
    _drop_steps(found, places)
    _keep_most(found, places)
    for name, option in _placed(found):
        for one in places[id(option)]:  # what is given last counts, and is where the value is put
            found.places[name] = one
            found.cut |= set(range(one.start, one.end))
    _say_what_is_unknown(found, options, values)
    return found


def _rank(option: Option, value: Any, is_given: bool) -> int:
    """Of two options for one thing that comes first which decides: what is given, then what is in force."""
    if is_given:
        return 0
    if option.is_in_force or option.place in (Place.WITHIN, Place.ITEM):
        return 1
    if option.place is Place.FILE:
        return 2
    return 3 if value is not None else 4


def _sort_in(found: Roles, option: Option, value: Any, *, is_given: bool) -> None:
    role = next((role for role, form in _OF_TRIAL.items() if _is_any(form, option)), None)
    if role is not None:
        is_free = role not in found.of_trial and not option.is_switch and not option.is_list
        is_number = not isinstance(value, str) and (role == "seed" or not isinstance(value, bool))
        if is_free and is_number:
            found.of_trial[role], found.values[role] = option, value
        return
    output = output_of(option, value)
    if output is not None:
        found.outputs.setdefault(f"output {option.name}", (option, output.path))
        return
    param = None if option.is_list else _param(option, value, is_given=is_given)
    taken = {other.name: other for other in found.params}
    if param is not None and param.name in taken and param.option.flag != taken[param.name].option.flag:
        param = None if _is_same(param, taken[param.name]) else replace(param, name=_whole_name(option))
    if param is not None and param.name not in taken:
        found.params.append(param)


def _param(option: Option, value: Any, *, is_given: bool) -> StudyParam | None:
    """The parameter that an option is by any of its names; None where it is none."""
    for kind in KINDS:
        for name in option.short_names:
            if kind.has_to_be_given and not is_given:
                continue
            if (found := kind.range_of(name, option, value)) is not None:
                return StudyParam(option, _name(kind, name, option), found, _usual(found, value))
    return None


def _name(kind: Kind, short: str, option: Option) -> str:
    """The kind's; an option's own where it is one of several, such as `lr_generator`."""
    is_one_of_many = kind.name == "lr" and not re.fullmatch(
        r"(?:base_|peak_|max_|init_|initial_)?(?:lr0?|learning_?rate|lrate)|step_size|rate|eta", short
    )
    return short if is_one_of_many or not kind.name else kind.name


def _whole_name(option: Option) -> str:
    """With the groups that it lies in, `generator_lr`; what only says that it is an argument is left out."""
    return option.name.replace("init_args_", "")


def _is_same(one: StudyParam, other: StudyParam) -> bool:
    """Whether two options say the same thing: one of the command, and one of a config file or a source."""
    return one.option.place is not other.option.place or one.option.name == other.option.name


def _usual(found: Mapping[str, Any], value: Any) -> Any:
    if "values" in found:
        return value if value in found["values"] else value is True
    return float(value) if isinstance(found["min"], float) else int(value)


def _of_each_name(settings: Sequence[Setting | None]) -> list[Setting]:
    """The first of each name: an option of the command, and a default of it elsewhere, are one."""
    found: dict[str, Setting] = {}
    for own in settings:
        if own is not None:
            found.setdefault(own.option.short_names[0], own)
    return list(found.values())


def _drop_steps(found: Roles, places: Mapping[int, list[Given]]) -> None:
    """A program that counts epochs, and whose steps nobody gave, is given epochs alone."""
    steps = found.of_trial.get("max_steps")
    if steps is None:
        return
    known = found.values["max_steps"]
    is_positive = isinstance(known, int | float) and known > 0
    if ("epochs" in found.of_trial and not places[id(steps)]) or not is_positive:
        del found.of_trial["max_steps"]


def _keep_most(found: Roles, places: Mapping[int, list[Given]]) -> None:
    """Those that were given, then those that matter most."""
    order = [kind.range_of for kind in KINDS]

    def rank(param: StudyParam) -> tuple[bool, int]:
        is_free = not places[id(param.option)] and param.name not in ("lr", "clip")
        kinds = [
            i
            for i, own in enumerate(order)
            if any(own(n, param.option, param.usual) for n in param.option.short_names)
        ]
        return is_free, min(kinds, default=len(order))

    found.params.sort(key=rank)
    if left := found.params[MOST:]:
        found.lines.append(
            f"left as they are, {MOST} parameters being enough: {', '.join(p.name for p in left)}"
        )
        del found.params[MOST:]


def _placed(found: Roles) -> list[tuple[str, Option]]:
    own = [(param.name, param.option) for param in found.params]
    outputs = [(name, option) for name, (option, _) in found.outputs.items()]
    return [*found.of_trial.items(), *outputs, *own]


def _say_what_is_unknown(found: Roles, options: Sequence[Option], values: Mapping[int, Any]) -> None:
    if any(is_rate(name) for param in found.params for name in param.option.short_names):
        return
    for option in options:
        if any(map(is_rate, option.short_names)) and not isinstance(values[id(option)], int | float):
            found.lines.append(
                f"{option.flag} has no default that the program tells: give it behind `--`, and it is studied"
            )


def _is_any(form: str, option: Option) -> bool:
    return any(re.fullmatch(form, name) for name in (*option.short_names, option.name))
