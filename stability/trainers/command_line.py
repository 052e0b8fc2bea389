"""A program's arguments, environment and paths from a trial's parameters; no shell takes part."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stability.records import TrialSpec
from stability.spec.command import Argument, CommandTrainer
from stability.yamlfile import Address

TRIAL_FIELDS = ("seed", "epochs", "batch_size", "max_steps", "device", "directory", "key")
FIELDS = (*TRIAL_FIELDS, "folder", "python")
"""What a placeholder may name besides parameters, which come first where both have a name.

Of a trial: see `TrialSpec`. `folder` is the study file's, `python` the interpreter that runs the trial.
"""
FIXED = ("folder", "python")
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|[{}]")
Text = str | int | float | bool


def values_of(trial: TrialSpec, folder: Path) -> dict[str, Any]:
    """What placeholders stand for in one trial."""
    return {name: getattr(trial, name) for name in TRIAL_FIELDS} | fixed_values(folder) | dict(trial.params)


def fixed_values(folder: Path) -> dict[str, Any]:
    """What placeholders stand for that are the same in every trial."""
    return {"folder": folder, "python": sys.executable}


def arguments(command: list[Argument], values: Mapping[str, Any]) -> list[str]:
    """The program's arguments, placeholders filled; a parameter is on unless it is false or null."""
    chosen = [
        item.then
        if item.when is None or not (values[item.when] is None or values[item.when] is False)
        else item.otherwise
        for item in command
    ]
    return [rendered(text, values) for texts in chosen for text in texts]


def rendered(text: Text, values: Mapping[str, Any]) -> str:
    """`text` with its placeholders filled."""
    return PLACEHOLDER.sub(lambda found: _filled(found, values), written(text))


def alone(text: Text | None) -> str | None:
    """The name of a text that is one placeholder and nothing else, which stands for a value of any kind."""
    found = PLACEHOLDER.fullmatch(text) if isinstance(text, str) else None
    return None if found is None else found["name"]


def value_of(text: Text | None, values: Mapping[str, Any]) -> Any:
    """What is put into a config file: a value as it is, and a text with its placeholders filled."""
    name = alone(text)
    if name is not None:
        return str(values[name]) if isinstance(values[name], Path) else values[name]
    return rendered(text, values) if isinstance(text, str) else text


def written(value: Any) -> str:
    """A value as an argument: `true` and `false`, numbers with all their digits, text as it is."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(float(value)) if isinstance(value, float) else str(value)


def names(text: Text) -> list[str]:
    """The placeholders in `text`. Raises `ValueError` for a brace that is neither doubled nor part of one."""
    found = list(PLACEHOLDER.finditer(written(text)))
    if any(match.group() in ("{", "}") for match in found):
        raise ValueError(f"{text!r} has a single brace; write {{{{ or }}}} where no placeholder is meant")
    return [match.group("name") for match in found if match.group("name") is not None]


def texts(trainer: CommandTrainer) -> Iterator[tuple[Address, Text, str | None]]:
    """Every text that may hold placeholders: where it stands, and the parameter it depends on, if any."""
    for i, item in enumerate(trainer.command):
        for branch, own, depends in (("then", item.then, item.when), ("else", item.otherwise, None)):
            yield from ((("command", i, branch, j), text, depends) for j, text in enumerate(own))
    for path, copy in trainer.files.items():
        yield ("files", path), path, None
        yield ("files", path, "from"), copy.source, None
        yield from ((("files", path, "set", name), text, alone(text)) for name, text in copy.values.items())
    yield from ((("env", name), text, None) for name, text in trainer.env.items())
    if trainer.cwd is not None:
        yield ("cwd",), trainer.cwd, None
    yield from ((("parse", name, "path"), path, None) for name, path in paths(trainer).items())


def used(trainer: CommandTrainer) -> set[str]:
    """All names that something depends on."""
    deciding = {item.when for item in trainer.command if item.when is not None}
    return deciding | {name for _, text, _ in texts(trainer) for name in names(text)}


def paths(trainer: CommandTrainer) -> dict[str, str]:
    """The paths of those sources that are files, by the source's name."""
    given = trainer.parse.sources() if trainer.parse is not None else {}
    return {name: source.path for name, source in given.items() if hasattr(source, "path")}


def _filled(found: re.Match[str], values: Mapping[str, Any]) -> str:
    name = found.group("name")
    return found.group()[0] if name is None else written(values[name])
