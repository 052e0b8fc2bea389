"""What was found out -> the text of a study file, as a person would have written it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stability.commands.init import command_items
from stability.commands.init.params import Roles
from stability.commands.init.readers.config_file import ConfigFile

ARM = "usual"
WIDTH = 108


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a study file says. `cwd` is where the program runs, from the study file's folder.

    `files` are the program's config files by their path, `parse` is how its numbers are read, `budget` how
    long a trial is and `why`, `yardstick` the names of the losses; `lines` are remarks for its head. `beside`
    holds what a config file names beside itself: by the file's path, the path from `cwd` by the value's name.
    """

    name: str
    roles: Roles
    files: Mapping[str, ConfigFile] = field(default_factory=dict)
    parse: Any = "auto"
    budget: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    yardstick: Sequence[str] = ("loss",)
    lines: Sequence[str] = ()
    cwd: str = "."
    beside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def text(draft: Draft) -> str:
    roles = draft.roles
    copied = {path: draft.files[path] for path in command_items.in_files(roles)}
    lines = [
        f"# A first study of: {shlex.join(roles.command)}",
        *(f"# - {line}" for line in draft.lines),
        f"name: {draft.name}",
        "trainer:",
        *_command(command_items.items(roles, copied)),
        *_files(draft),
        *([] if draft.cwd == "." else [f"  cwd: {value(draft.cwd)}"]),
        f"  parse: {value(draft.parse)}",
        f"budget: {value(draft.budget)}{_comment(draft.why)}",
        "params:",
        *(f"  {param.name}: {value(param.range)}{_comment(_reason(param.name))}" for param in roles.params),
        "arms:",
        f"  {ARM}: {value({param.name: param.usual for param in roles.params})}  # as it is run now",
        "plan:",
        "  - liveness                # which of these parameters change anything?",
        f"  - compare: {{seeds: 5}}     # how often does `{ARM}` diverge?",
        *_boundary(roles),
        f"yardstick: {value(dict.fromkeys(draft.yardstick, 1.0))}",
        "seed: 0",
    ]
    return "\n".join(lines) + "\n"


def value(own: Any) -> str:
    """A value on one line, as a person writes it: quotes only where they are needed."""
    if isinstance(own, Mapping):
        return "{" + ", ".join(f"{value(key)}: {value(item)}" for key, item in own.items()) + "}"
    if isinstance(own, list | tuple):
        return "[" + ", ".join(map(value, own)) + "]"
    if isinstance(own, str):
        return own if _is_plain(own) else json.dumps(own, ensure_ascii=False)
    return _number(own) if isinstance(own, float) else json.dumps(own)


def _number(own: float) -> str:
    digits = repr(own)
    return digits.replace("e-0", "e-").replace("e+0", "e+") if "e" in digits else digits


def _is_plain(text: str) -> bool:
    """Whether YAML reads the text as it stands, as a text and nothing else."""
    words = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}
    allowed = all(mark.isalnum() or mark in "_-./=+@%" for mark in text) and text.isascii()
    begins = text[:1].isalpha() or text[:1] in "/_." or text.startswith("--")
    number_like = text.replace(".", "").replace("_", "").isdigit() or text[:2] in (".i", ".n", ".I", ".N")
    is_short = text.startswith("-") and text[1:2].isalpha()
    return bool(text) and allowed and (begins or is_short) and text.lower() not in words and not number_like


def _command(items: Sequence[Any]) -> list[str]:
    """One line, or as many as are needed; an option stays beside its value."""
    shown = [value(item) for item in items]
    lines, line = [], "  command: ["
    for i, item in enumerate(shown):
        end = "]" if i + 1 == len(shown) else ", "
        takes_value = (
            item.startswith("-") and i + 1 < len(shown) and not shown[i + 1].startswith(("-", "{when"))
        )
        room = len(line) + len(item) + (len(shown[i + 1]) + 2 if takes_value else 0) + 1
        if room > WIDTH and line.strip() and not line.endswith("["):
            lines.append(line.rstrip())
            line = " " * 12
        line += item + end
    return [*lines, line]


def _files(draft: Draft) -> list[str]:
    """A copy would look beside itself for what the config file names beside itself: these get whole paths."""
    found = command_items.in_files(draft.roles)
    lines = ["  files:  # each trial gets its own copy, with these values put in"] if found else []
    for path, values in found.items():
        start = "{folder}" if draft.cwd == "." else f"{{folder}}/{draft.cwd}"
        beside = {
            name: f"{start}/{command_items.escaped(own)}" for name, own in draft.beside.get(path, {}).items()
        }
        target, own = value(command_items.copied_to(path)), {"from": path, "set": values | beside}
        line = f"    {target}: {value(own)}"
        split = [f"    {target}:", f"      from: {value(path)}", *_set(own["set"])]
        lines += [line] if len(line) <= WIDTH else split
    return lines


def _set(values: Mapping[str, Any]) -> list[str]:
    """What is put into a config file, on one line, or one a line where that is too long."""
    line = f"      set: {value(values)}"
    each = ["      set:", *(f"        {value(name)}: {value(own)}" for name, own in values.items())]
    return [line] if len(line) <= WIDTH else each


def _reason(name: str) -> str:
    return {"lr": "two decades either way", "clip": "from ten times tighter to as good as none"}.get(name, "")


def _comment(text: str) -> str:
    return f"  # {text}" if text else ""


def _boundary(roles: Roles) -> list[str]:
    rates = [param.name for param in roles.params if param.range.get("log") and param.name.startswith("lr")]
    rates = rates or [
        param.name for param in roles.params if "lr" in param.name.split("_") or "learning_rate" in param.name
    ]
    if not rates:
        return []
    entry = f"  - boundary: {{param: {rates[0]}, trials: 24}}"
    return [f"{entry}  # where does it start to diverge, how far is `{ARM}` from it?"]
