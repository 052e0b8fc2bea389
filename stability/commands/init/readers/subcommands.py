"""Programs of several commands: which there are, for whoever named none."""

from __future__ import annotations

import re

from stability.commands.init.readers.rich_help import unboxed

_SUBCOMMANDS = re.compile(
    r"\{(?P<braces>[\w,-]+)\}\s+\.\.\.|^Commands:?[^\S\n]*\n(?P<listed>(?:[^\S\n]+\S.*\n?)+)"
    r"|^ +COMMAND is one of the following:\s*\n(?P<fire>(?:\s*\n| {5,}\S.*\n?)+)",
    re.M,
)


def advice(text: str) -> str | None:
    """Which commands a help lists; None where it lists none."""
    found = _SUBCOMMANDS.search("\n".join(unboxed(text)))
    if found is None:
        return None
    lines = (found["listed"] or found["fire"] or "").splitlines()
    listed = [line.split()[0] for line in lines if line.strip()]
    names = ", ".join(listed or found["braces"].split(","))
    return f"it has subcommands: end the command with one of {names}"
