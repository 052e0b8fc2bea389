"""`name=value` without dashes, as OmegaConf's `from_cli` and many scripts of one's own take it."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from stability.commands.init.options import Option
from stability.commands.init.program import Program
from stability.commands.init.readers import config_file
from stability.commands.init.readers.hparams import HOLDER
from stability.commands.init.readers.nested import flat
from stability.commands.init.source import calls
from stability.importing.options import scalar
from stability.trainers import config_files

_PAIR = re.compile(r"(?P<name>[A-Za-z_][\w.]*)=(?P<value>.*)", re.S)


def options(program: Program) -> list[Option]:
    """What is given so; with `from_cli` in the source, also what the config files that it names hold."""
    script = next((i for i, item in enumerate(program.command) if item.endswith(".py")), 0)
    given = {
        found["name"]: scalar(found["value"])
        for before, item in pairwise(program.command[script:])
        if (found := _PAIR.fullmatch(item)) and not HOLDER.fullmatch(before)
    }
    takes_any = any(name == "from_cli" for name, _ in calls(program.sources))
    known = _in_files(program) | _in_source(program) if takes_any else {}
    return [Option(f"{name}=", value, is_in_force=True) for name, value in (known | given).items()]


def _in_files(program: Program) -> dict[str, Any]:
    """What the config files hold that the source or the command names."""
    texts = {
        node.value
        for tree in program.sources
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and config_files.format_of(node.value)
    }
    tried = [folder / text for text in sorted(texts) for folder in (Path(), program.folder or Path())]
    named = [config_file.ConfigFile(str(path)) for path in tried if path.is_file()]
    return {
        name: value
        for file in [*named, *config_file.named_in(program)]
        for name, value in config_file.settings(file)
    }


def _in_source(program: Program) -> dict[str, Any]:
    """What `create({...})` holds: a config that stands in the source."""
    found: dict[str, Any] = {}
    for name, call in calls(program.sources):
        if name == "create" and call.args and isinstance(call.args[0], ast.Dict):
            try:
                found |= dict(flat(ast.literal_eval(call.args[0])))
            except ValueError:  # something in it is computed
                continue
    return found
