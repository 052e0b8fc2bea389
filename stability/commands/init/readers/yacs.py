"""yacs: after the config stand pairs of a name and its value, `SOLVER.BASE_LR 0.02`."""

from __future__ import annotations

import ast
import re

from stability.commands.init.options import Option
from stability.commands.init.program import Program
from stability.commands.init.readers import config_file
from stability.importing.options import scalar

_NAME = re.compile(r"[A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)*")
_TAKES_PAIRS = re.compile(r"\bopts\b[^\n]*\.\.\.|\[?opts\b", re.IGNORECASE)


def options(program: Program) -> list[Option]:
    """What is given so, what the config holds, and what `_C.NAME = value` in the source sets.

    None where neither the help nor the command shows that such pairs are taken.
    """
    given = _given(program)
    if not given and not _TAKES_PAIRS.search(program.help):
        return []
    values = _defaults(program.sources)
    for file in config_file.named_in(program):
        values |= {name: value for name, value in config_file.settings(file) if _NAME.fullmatch(name)}
    values |= given
    return [Option(name, value, is_in_force=True, is_python=True) for name, value in values.items()]


def _given(program: Program) -> dict[str, object]:
    items = program.command
    return {
        name: scalar(value)
        for name, value in zip(items, items[1:], strict=False)
        if _NAME.fullmatch(name) and "." in name
    }


def _defaults(sources: tuple[ast.Module, ...]) -> dict[str, object]:
    """Constants that are assigned to a name of capitals below one other: `_C.SOLVER.BASE_LR = 0.001`."""
    found = {}
    for tree in sources:
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                name = ast.unparse(node.targets[0]).partition(".")[2]
                if _NAME.fullmatch(name) and isinstance(node.value, ast.Constant):
                    found[name] = node.value.value
    return found
