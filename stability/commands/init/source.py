"""Defaults that a program's help does not tell: constants in its calls of `add_argument` and `option`."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stability.commands.init.help_text import Option

CALLS = ("add_argument", "option")


def with_defaults(options: Sequence[Option], command: Sequence[str]) -> list[Option]:
    """The options, with defaults from the first Python file of the command where they lack one."""
    script = next((Path(item) for item in command if item.endswith(".py") and Path(item).is_file()), None)
    known = {} if script is None else _defaults(script)
    return [
        replace(one, default=next((known[flag] for flag in one.spellings if flag in known), None))
        if one.default is None
        else one
        for one in options
    ]


def _defaults(script: Path) -> dict[str, Any]:
    """By spelling; none where two calls, as those of two subcommands, do not agree."""
    try:
        tree = ast.parse(script.read_bytes())
    except (SyntaxError, ValueError):  # for another Python than this
        return {}
    found: dict[str, list[Any]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in CALLS:
            for flag in (one.value for one in node.args if isinstance(one, ast.Constant)):
                for spelling in str(flag).split("/"):
                    found.setdefault(spelling, []).append(_default(node))
    return {spelling: values[0] for spelling, values in found.items() if len(set(map(repr, values))) == 1}


def _default(call: ast.Call) -> Any:
    """None where there is no default, or it is computed."""
    given = [word.value for word in call.keywords if word.arg == "default"]
    return given[0].value if given and isinstance(given[0], ast.Constant) else None


def _name(function: ast.expr) -> str | None:
    return getattr(function, "attr", None) or getattr(function, "id", None)
