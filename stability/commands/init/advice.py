"""What to do where no option of a program is a hyperparameter: in one sentence, from what it has instead."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from stability.commands.init.options import Option, named
from stability.commands.init.program import Program
from stability.commands.init.ranges import is_rate
from stability.commands.init.readers import subcommands
from stability.commands.init.source import calls, constants, keywords
from stability.trainers import config_files

_CONFIG = re.compile(r"(?:config|cfg|conf|yaml|hparams|params)(?:_?(?:file|path|name|yaml|json))?")


def advice(program: Program, options: Sequence[Option]) -> str:
    """The sentence, for a program of which nothing can be studied as it is."""
    if (commands := subcommands.advice(program.help)) is not None:
        return commands
    config = next((option.flag for option in options if _CONFIG.fullmatch(option.name)), None)
    if config is not None:
        return (
            f"it reads a config file: give one behind `--`, such as {config} config.yaml (JSON, YAML or TOML)"
        )
    if (path := next(_files_in(program), None)) is not None:
        again = shlex.join([*program.command, path])
        return f"its source names {path}: if it takes the path as an argument, give it: {again}"
    if (rate := next(_rates_in(program), None)) is not None:
        name, own = rate
        return (
            f"its source sets {name} = {own} by itself: let it take that from its command, such as "
            f"{name} = float(sys.argv[1]), and give it: {shlex.join([*program.command, str(own)])}"
        )
    return "give those that matter behind `--`, or write the file by hand: docs/command.md"


def _files_in(program: Program) -> Iterator[str]:
    """Config files that are there, that the source names, and the command does not."""
    for node in (node for tree in program.sources for node in ast.walk(tree)):
        path = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        is_config = "\n" not in path and config_files.format_of(path) is not None
        if is_config and path not in program.command and Path(path).is_file():
            yield path


def _rates_in(program: Program) -> Iterator[tuple[str, float]]:
    """Learning rates that the source sets: names at its top, then what calls are given by name."""
    found = [pair for tree in program.sources for pair in constants(tree).items()]
    found += [pair for _, call in calls(program.sources) for pair in keywords(call).items()]
    for name, own in found:
        if is_rate(named(name)) and isinstance(own, int | float) and not isinstance(own, bool):
            yield name, own
