"""Looks at a program: reads its own source files, and asks it for its help."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from stability.commands.init import help_runner
from stability.commands.init.program import Program
from stability.records import UserError

MOST_FILES = 60
"""So many files of its own are looked into."""
_ASKS_FOR_HELP = re.compile(
    r"argparse|ArgumentParser|\bclick\b|\btyper\b|\bfire\b|\babsl\b|LightningCLI|\bhydra\b|optparse|docopt"
    r"|\btyro\b|simple_parsing|\btap\b|tf\.app\.flags|--help|\bplac\b|cyclopts"
)
_IS_FIRE = re.compile(r"\bFire\(")
_READS_ARGUMENTS = re.compile(r"sys\.argv|from_cli|configurator|\bargv\b")


def look_at(command: Sequence[str]) -> Program:
    """Read its source, and ask it for its help, unless its source shows that it has none."""
    script = script_of(command)
    files = [] if script is None else list(_own_files(script))
    texts = [text for _, text in files]
    told, trouble = "", "its source reads its arguments by itself, and was not asked for --help"
    by_itself = any(map(_READS_ARGUMENTS.search, texts)) and not any(map(_ASKS_FOR_HELP.search, texts))
    if not by_itself:
        try:
            told, trouble = help_runner.help_of(_asked(command, texts)), ""
        except UserError as error:
            trouble = str(error)
    trees = tuple(tree for tree, _ in files)
    folder = None if script is None else script.parent
    return Program(tuple(command), told, trouble, trees, folder, lambda flag: _answer(command, flag))


def _asked(command: Sequence[str], texts: Sequence[str]) -> Sequence[str]:
    """The command; Fire calls what it is given values for, so it gets names of commands alone."""
    start = next((i for i, item in enumerate(command) if item.endswith(".py")), None)
    if start is None or not any(map(_IS_FIRE.search, texts)):
        return command
    names = itertools.takewhile(str.isidentifier, command[start + 1 :])
    return [*command[: start + 1], *names]


def script_of(command: Sequence[str]) -> Path | None:
    """The Python file that a command runs, by its name or as a module (`-m`); None where there is none."""
    for i, item in enumerate(command):
        if item.endswith(".py") and Path(item).is_file():
            return Path(item)
        if i and command[i - 1] == "-m":
            path = Path(item.replace(".", "/"))
            return next(
                (own for own in (path.with_suffix(".py"), path / "__main__.py") if own.is_file()), None
            )
    return None


def _answer(command: Sequence[str], flag: str) -> str:
    try:
        return help_runner.help_of(command, flag)
    except UserError:
        return ""


def _own_files(script: Path) -> Iterator[tuple[ast.Module, str]]:
    """The script, and what it imports from its own folder and the working directory: syntax and text."""
    left, seen = [script], {script.resolve()}
    while left and len(seen) <= MOST_FILES:
        path = left.pop(0)
        try:
            text = path.read_bytes().decode("utf-8", errors="replace")
            tree = ast.parse(text)
        except (OSError, SyntaxError, ValueError):  # for another Python than this
            continue
        yield tree, text
        for found in _imported(tree, (script.parent, path.parent, Path())):
            if found.resolve() not in seen:
                seen.add(found.resolve())
                left.append(found)


def _imported(tree: ast.Module, folders: Sequence[Path]) -> Iterator[Path]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            stem = f"{node.module}." if node.module else ""
            names = [*filter(None, [node.module]), *(stem + alias.name for alias in node.names)]
        else:
            continue
        for name in names:
            path = Path(*name.split("."))
            tried = [
                folder / own for folder in folders for own in (path.with_suffix(".py"), path / "__init__.py")
            ]
            yield from (own for own in tried if own.is_file())
