"""yacs: after the config stand pairs of a name and its value, `SOLVER.BASE_LR 0.02`."""

from __future__ import annotations

import ast
import re

from stability.commands.init.options import Option
from stability.commands.init.program import Program
from stability.commands.init.readers import config_file
from stability.commands.init.readers.config_file import ConfigFile
from stability.commands.init.readers.nested import flat
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
        bases = [ConfigFile(path) for name, path in config_file.beside(file).items() if name == "_BASE_"]
        own = [pair for one in (*bases, file) for pair in config_file.settings(one)]
        values |= {name: value for name, value in own if _NAME.fullmatch(name)}
    values |= given
    return [Option(name, value, is_in_force=True, is_python=True) for name, value in values.items()]


def _given(program: Program) -> dict[str, object]:
    """From the first such name on the command has nothing but pairs; one name at least has a point in it."""
    items = program.command
    for i, item in enumerate(items):
        names = items[i::2]
        if _NAME.fullmatch(item) and len(items[i:]) % 2 == 0 and all(map(_NAME.fullmatch, names)):
            is_sure = any("." in name for name in names) or _TAKES_PAIRS.search(program.help)
            return dict(zip(names, map(scalar, items[i + 1 :: 2]), strict=True)) if is_sure else {}
    return {}


def _defaults(sources: tuple[ast.Module, ...]) -> dict[str, object]:
    """Constants below names of capitals, as `_C.SOLVER.BASE_LR = 0.001` or as a dictionary in the source."""
    found: dict[str, object] = {}
    inner: set[int] = set()
    for tree in sources:
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                name = ast.unparse(node.targets[0]).partition(".")[2]
                if _NAME.fullmatch(name) and isinstance(node.value, ast.Constant):
                    found[name] = node.value.value
            elif isinstance(node, ast.Dict) and node.keys and all(map(_is_capital, node.keys)):
                found |= {} if id(node) in inner else _of_dictionary(node)
                inner |= set(map(id, node.values))  # which come after it
    return found


def _is_capital(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and isinstance(key.value, str) and bool(_NAME.fullmatch(key.value))


def _of_dictionary(node: ast.Dict) -> dict[str, object]:
    try:
        return {name: value for name, value in flat(ast.literal_eval(node)) if _NAME.fullmatch(name)}
    except ValueError:  # something in it is computed
        return {}
