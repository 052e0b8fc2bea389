"""Knobs -> the text of a study file, with comments on what was found out and what was guessed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stability.commands.init.params import Knob, Roles
from stability.importing.runs import first_lines
from stability.records import UserError
from stability.trainers.parse import guess

DIRECTORY = "{directory}/artifacts"
UNKNOWN = {"train": [guess.UNKNOWN_EPOCH, guess.UNKNOWN_LOSS]}
"""How a log is read of which nothing is known."""


def text(name: str, roles: Roles, log: Path | None, cwd: str = ".") -> str:
    """`cwd` is where the program runs, from the study file.

    Raises `UserError` for a log in which nothing looks like a loss.
    """
    parse, components = _parse(log)
    epochs = roles.values.get("epochs")
    batch = roles.values.get("batch_size")
    budget = {
        "epochs": min(epochs, 2) if isinstance(epochs, int) and epochs > 0 else 1,
        "batch_size": batch if isinstance(batch, int) and batch > 0 else 8,
        **({"max_steps": 50} if "max_steps" in roles.of_trial else {}),
        "timeout_s": 600,
    }
    lines = [
        "# A first study file, from the program's own help. Look at ranges, budget and arm before it runs.",
        f"name: {name}",
        "trainer:",
        f"  command: {_flow(_command(roles))}",
        *([] if cwd == "." else [f"  cwd: {_value(cwd)}"]),
        *_parse_lines(parse, log),
        f"budget: {_mapping(budget)}  # short: divergence shows early",
        "params:",
        *(f"  {knob.name}: {_mapping(knob.range)}" for knob in roles.knobs),
        "arms:",
        f"  ours: {_mapping({knob.name: knob.ours for knob in roles.knobs})}{_guessed(roles.knobs)}",
        "plan:",
        "  - liveness               # which of these settings change anything?",
        "  - compare: {seeds: 5}    # how often does our recipe diverge?",
        *_boundary(roles.knobs),
        f"yardstick: {_mapping(dict.fromkeys(components, 1.0))}",
        "seed: 0",
    ]
    return "\n".join(lines) + "\n"


def _command(roles: Roles) -> list[Any]:
    """The command as given, parameters and fields of the trial in their places; at its end the others."""
    arguments = {role: _field(roles, role) for role in roles.of_trial}
    arguments |= {knob.name: _parameter(roles, knob) for knob in roles.knobs}
    starts = {given.start: name for name, given in roles.places.items()}
    items: list[Any] = []
    for i, text in enumerate([*roles.command, ""]):
        if i == roles.end:
            items += [own for name in arguments if name not in roles.places for own in arguments[name]]
        if i in starts:
            items += arguments[starts[i]]
        elif i < len(roles.command) and i not in roles.cut:
            items.append(text.replace("{", "{{").replace("}", "}}"))
    return items


def _field(roles: Roles, role: str) -> list[str]:
    value = DIRECTORY if role in ("directory", "run_directory") else f"{{{role}}}"
    return _argument(roles, role, roles.of_trial[role].flag, value)


def _parameter(roles: Roles, knob: Knob) -> list[Any]:
    option = knob.option
    if not option.is_switch:
        return _argument(roles, knob.name, option.flag, f"{{{knob.name}}}")
    switch = {"when": knob.name, "then": [option.flag]}
    return [switch | ({"else": [option.off]} if option.off else {})]


def _argument(roles: Roles, name: str, flag: str, value: str) -> list[str]:
    """In the spelling in which the command has it, if it has."""
    if name in roles.places:
        return roles.places[name].again(value)
    return [f"{flag}{value}"] if flag.endswith("=") else [flag, value]


def _parse(log: Path | None) -> tuple[dict[str, list[str]], list[str]]:
    if log is None:
        return UNKNOWN, ["loss"]
    try:
        found = guess.of_lines(first_lines(log))
    except OSError as error:
        raise UserError(f"--log {log}: {error.strerror}") from None
    except ValueError as error:
        raise UserError(f"--log {log}: {error}") from None
    measured = found.get("evaluate") or found["train"]
    return found, guess.components_of(measured)


def _parse_lines(parse: Mapping[str, list[str]], log: Path | None) -> list[str]:
    origin = (
        f"as {log.name} has it" if log else "guessed: mend it, or give `stability init` an old log with --log"
    )
    lines = ["  parse:", f"    stdout: &log  # {origin}"]
    for kind, expressions in parse.items():
        lines += [f"      {kind}:", *(f"        - {_quoted(own)}" for own in expressions)]
    return [*lines, "    stderr: *log"]


def _boundary(knobs: list[Knob]) -> list[str]:
    if not any(knob.name == "lr" for knob in knobs):
        return []
    return [
        "  - boundary: {param: lr, trials: 24}   # where does it start to diverge, how far are we from it?"
    ]


def _guessed(knobs: list[Knob]) -> str:
    names = ", ".join(knob.name for knob in knobs if knob.is_guessed)
    return f"  # the help tells no default of {names}: guessed" if names else ""


def _mapping(values: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {_value(value)}" for key, value in values.items()) + "}"


def _flow(items: list[Any]) -> str:
    return "[" + ", ".join(_mapping(item) if isinstance(item, dict) else _value(item) for item in items) + "]"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return _flow(value)
    return repr(value) if isinstance(value, float) else json.dumps(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
