"""Names at the top level of a script that `--name=value` replaces, and files of such names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from stability.commands.init.options import Option
from stability.commands.init.program import Program
from stability.commands.init.source import constants

_GIVEN = re.compile(r"--[A-Za-z_]\w*=")


def options(program: Program) -> list[Option]:
    """The names, for a script that runs a text or sets its own globals; values as Python writes them.

    Their defaults are those of the script, or of the `.py` file that the command names after it.
    """
    if not program.sources or not _replaces_names(program.sources[0]):
        return []
    values = constants(program.sources[0])
    own = [item for item in program.command if item.endswith(".py") and Path(item).is_file()]
    for item in own[1:]:
        try:
            values |= constants(ast.parse(Path(item).read_bytes()))
        except (SyntaxError, ValueError):
            continue
    return [
        Option(f"--{name}=", value, is_in_force=True, is_python=True)
        for name, value in values.items()
        if not name.startswith("_")
    ]


def _replaces_names(tree: ast.Module) -> bool:
    """`exec(...)` at the top level, or an assignment to `globals()[...]`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "exec":
                return True
            if node.func.id == "globals" and "argv" in ast.unparse(tree):
                return True
    return False
