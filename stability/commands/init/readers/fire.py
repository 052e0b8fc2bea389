"""Fire: `-l, --lr=LR`, its type and default in lines below; values are read as Python writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stability.commands.init.options import Option
from stability.commands.init.program import Program
from stability.importing.options import scalar

_IS_FIRE = re.compile(r"^(?:FLAGS|ARGUMENTS|POSITIONAL ARGUMENTS)$", re.M)
_FLAG = re.compile(r"^    (?:-(?P<short>\w), )?--(?P<name>[\w-]+)=[A-Z_0-9]+\s*$")
_DEFAULT = re.compile(r"^\s+Default: (?P<value>.*)$", re.M)


def options(program: Program) -> list[Option]:
    """The flags of the function or command; none where it is no help of Fire."""
    if not (_IS_FIRE.search(program.help) and re.search(r"^SYNOPSIS$", program.help, re.M)):
        return []
    return list(_flags(program.help))


def _flags(text: str) -> Iterator[Option]:
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if found := _FLAG.match(line):
            end = next((j for j in range(i + 1, len(lines)) if not lines[j].startswith(" " * 8)), len(lines))
            rest = "\n".join(lines[i + 1 : end])
            told = _DEFAULT.search(rest)
            default = None if told is None else scalar(told["value"].strip("'\""))
            aliases = (f"-{found['short']}",) if found["short"] else ()
            if "_" in found["name"]:
                aliases += (f"--{found['name'].replace('_', '-')}",)
            yield Option(f"--{found['name']}", default, aliases=aliases, about=rest, is_python=True)
