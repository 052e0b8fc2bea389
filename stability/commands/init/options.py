"""A program's options: what one is called, what it has by default, and where its value stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Place(Enum):
    """Where the value of an option stands."""

    ARGUMENT = "argument"  # an item of the command, or two: `--lr 1`, `lr=1`, `SOLVER.BASE_LR 1`
    WITHIN = "within"  # a part of an item: `--hparams lr=1,width=2`
    FILE = "file"  # a value in a config file that the command names
    ITEM = "item"  # an item that has no name: `train.py 0.01`


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `flag` is how it is written (`--lr`, or `optimizer.lr=`, or `train.lr` in a file).

    A switch takes no value. `off` is what turns one off, where there is such a flag. `aliases` are its other
    spellings; one that `is_list` takes several values. `about` is what the help says of it. `is_in_force`:
    the default is what the program says it would train with. `is_python`: it reads `True`, and not `true`.
    `holder` is the option it stands within, the file, or the item's number in the command.
    """

    flag: str
    default: Any = None
    choices: tuple[str, ...] = ()
    is_switch: bool = False
    off: str | None = None
    aliases: tuple[str, ...] = ()
    is_list: bool = False
    about: str = ""
    is_in_force: bool = False
    is_python: bool = False
    place: Place = Place.ARGUMENT
    holder: str | int = ""

    @property
    def name(self) -> str:
        """Without dashes; the whole path of a nested one, with underscores."""
        return named(self.flag)

    @property
    def spellings(self) -> tuple[str, ...]:
        """All that turn it on or give it a value."""
        return (self.flag, *self.aliases)

    @property
    def short_names(self) -> list[str]:
        """Its names without the groups it lies in; before a number the group's name stays."""
        return [_last(own) for own in self.spellings if len(own.strip("-=")) > 1]


def named(flag: str) -> str:
    """The name in a spelling of an option."""
    return re.sub(r"\W+", "_", flag.strip("-=")).strip("_").lower()


def _last(flag: str) -> str:
    parts = [named(part) for part in flag.strip("-=").split(".")]
    return "_".join(parts[-2:]) if parts[-1].isdigit() else parts[-1]
