"""Config files in JSON, YAML or TOML that the command names, or that an option names by its default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stability.commands.init.options import Option, Place
from stability.commands.init.program import Program
from stability.commands.init.readers import help_lines
from stability.commands.init.source import with_defaults
from stability.trainers import config_files

MOST_BYTES = 2**20
"""A larger one is data."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A config file: its path as the program is told it, by an item of the command or by an option.

    `before` stands before the path in the item. `item` is None where the path is the default of `flag`.
    """

    path: str
    item: int | None = None
    before: str = ""
    flag: str = ""


def options(program: Program) -> list[Option]:
    """Every value in them by its whole name."""
    return [
        Option(name, value, place=Place.FILE, holder=file.path)
        for file in named_in(program)
        for name, value in settings(file)
    ]


def named_in(program: Program) -> list[ConfigFile]:
    """Those that the command names; without any, those that are an option's default."""
    given = []
    for i, item in enumerate(program.command):
        path = item.rpartition("=")[2]
        if _is_config(path):
            given.append(ConfigFile(path, i, item.removesuffix(path)))
    told = with_defaults(help_lines.options(program), program.sources)
    defaults = [ConfigFile(own.default, flag=own.flag) for own in told if _is_config(own.default)]
    return given or defaults


def settings(file: ConfigFile) -> list[tuple[str, Any]]:
    """The values in a file; none of one that cannot be read. What refers to another value is None."""
    form = config_files.format_of(file.path)
    try:
        found = config_files.scalars(Path(file.path).read_text(encoding="utf-8"), form)
    except (OSError, ValueError):
        return []
    refers = {name for name, value in found.items() if isinstance(value, str) and value.startswith("${")}
    return [(name, None if name in refers else value) for name, value in found.items()]


def beside(file: ConfigFile) -> dict[str, str]:
    """Values that name a file which is found from the config file's folder only: its path from here."""
    folder = Path(file.path).parent
    return {
        name: str(folder / value)
        for name, value in settings(file)
        if isinstance(value, str) and value and not Path(value).exists() and (folder / value).is_file()
    }


def _is_config(path: Any) -> bool:
    if not isinstance(path, str) or config_files.format_of(path) is None:
        return False
    return Path(path).is_file() and Path(path).stat().st_size <= MOST_BYTES
