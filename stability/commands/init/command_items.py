"""Roles -> the command of a study: as given, with parameters and fields of the trial in their places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stability.commands.init.asking import as_written
from stability.commands.init.options import Option, Place
from stability.commands.init.outputs import FOLDER
from stability.commands.init.params import Roles, StudyParam
from stability.commands.init.readers import hparams
from stability.commands.init.readers.config_file import ConfigFile


def items(roles: Roles, files: dict[str, ConfigFile]) -> list[Any]:
    """The command; at its end what was not given. `files` are the config files that are copied, by path.

    What has no dash, as `SOLVER.BASE_LR 0.1`, comes last of all: programs take such words as the rest.
    """
    texts = _texts(roles, files)
    arguments = {name: _argument(roles, name, option, text) for name, option, text in _told(roles)}
    starts = {given.start: name for name, given in roles.places.items()}
    new = {name: own for name, own in arguments.items() if name not in roles.places}
    added = [own for items in new.values() if _has_dash(items) for own in items] + texts.pop(None, [])
    words = [own for items in new.values() if not _has_dash(items) for own in items]
    behind = min([roles.end, *_words_given(roles)])
    found: list[Any] = []
    for i, text in enumerate([*roles.command, ""]):
        if i == behind:
            found += added
        if i == len(roles.command):
            found += words
        if i in starts:
            found += arguments[starts[i]]
        elif i < len(roles.command) and i not in roles.cut:
            found.append(texts.get(i, escaped(text)))
    return found


def _has_dash(items: list[Any]) -> bool:
    """Whether an option is written with a dash, or is a switch, which always is."""
    return not isinstance(items[0], str) or items[0].startswith("-")


def _words_given(roles: Roles) -> list[int]:
    """Where words such as `SOLVER.BASE_LR` stand in the command: a program takes what follows as pairs."""
    pairs = [own for own in roles.places.values() if not own.is_glued and not own.before.startswith("-")]
    return [own.start for own in pairs]


def in_files(roles: Roles) -> dict[str, dict[str, str | int | bool]]:
    """For each config file, by its path, what is put into it by name: texts, and what is asked as it is."""
    found: dict[str, dict[str, str | int | bool]] = {}
    asked = [(name, *own) for name, own in roles.asked.items()]
    for _, option, own in [*_of_trial(roles), *asked]:
        if option.place is Place.FILE:
            found.setdefault(str(option.holder), {})[option.flag] = own
    return found


def copied_to(path: str) -> str:
    """Where a trial's copy of a config file lies."""
    return "{directory}/" + escaped(Path(path).name)


def escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _everything(roles: Roles) -> list[tuple[str, Option, str]]:
    """What is told: its name here, its option, and the text in place of its value."""
    asked = [(name, option, as_written(option, own)) for name, (option, own) in roles.asked.items()]
    return [*_of_trial(roles), *asked]


def _of_trial(roles: Roles) -> list[tuple[str, Option, str]]:
    """What differs from trial to trial."""
    fields = [
        (role, option, FOLDER if role == "run_directory" else f"{{{role}}}")
        for role, option in roles.of_trial.items()
    ]
    outputs = [(name, option, path) for name, (option, path) in roles.outputs.items()]
    return [*fields, *outputs, *((param.name, param.option, f"{{{param.name}}}") for param in roles.params)]


def _told(roles: Roles) -> list[tuple[str, Option, str]]:
    return [one for one in _everything(roles) if one[1].place is Place.ARGUMENT]


def _texts(roles: Roles, files: dict[str, ConfigFile]) -> dict[int | None, Any]:
    """Items that are written anew, by their number; under None those that are added."""
    found: dict[int | None, Any] = {}
    for _, option, text in _everything(roles):
        if option.place is Place.ITEM:
            found[int(option.holder)] = text
    for path, file in files.items():
        if file.item is None:
            found.setdefault(None, []).extend([file.flag, copied_to(path)])
        else:
            found[file.item] = escaped(file.before) + copied_to(path)
    return found | _within(roles, found.get(None, []))


def _within(roles: Roles, added: list[str]) -> dict[int | None, Any]:
    """Items that hold several settings, such as `a=1,b=2`."""
    found: dict[int | None, Any] = {}
    own = [one for one in _everything(roles) if one[1].place is Place.WITHIN]
    for holder in dict.fromkeys(str(option.holder) for _, option, _ in own):
        i, before, text = _held(roles.command, holder)
        text = escaped(text)
        for _, option, value in own:
            if option.holder == holder:
                text = hparams.with_value(text, option.flag, value)
        if i is None:
            found[None] = [*added, f"{holder}={text}"]
        else:
            found[i] = before + text
    return found


def _held(command: list[str], holder: str) -> tuple[int | None, str, str]:
    """The item with the settings, what stands before them in it, and the settings."""
    for i, item in enumerate(command):
        if item == holder and i + 1 < len(command):
            return i + 1, "", command[i + 1]
        if item.startswith(f"{holder}="):
            return i, f"{holder}=", item.removeprefix(f"{holder}=")
    return None, "", ""


def _argument(roles: Roles, name: str, option: Option, text: str) -> list[Any]:
    """In the spelling in which the command has it, if it has."""
    if name in roles.asked and option.is_switch:
        return [option.flag]
    param = next((own for own in roles.params if own.name == name), None)
    if param is not None and _is_boolean(param):
        if option.is_switch:
            switch = {"when": name, "then": [option.flag]}
            return [switch | ({"else": [option.off]} if option.off else {})]
        if option.is_python:
            on, off = (_spelled(roles, name, option, word) for word in ("True", "False"))
            return [{"when": name, "then": on, "else": off}]
    return _spelled(roles, name, option, text)


def _spelled(roles: Roles, name: str, option: Option, value: str) -> list[str]:
    if name in roles.places:
        return roles.places[name].again(value)
    return [f"{option.flag}{value}"] if option.flag.endswith("=") else [option.flag, value]


def _is_boolean(param: StudyParam) -> bool:
    return param.range.get("values") == [False, True]
