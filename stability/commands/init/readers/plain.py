"""Numbers that are given without a name, `train.py 0.01 5`: the source or the help says what each is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stability.commands.init.options import Option, Place
from stability.commands.init.program import Program
from stability.commands.init.readers import help_lines
from stability.commands.init.readers.rich_help import unboxed
from stability.commands.init.source import calls, keywords
from stability.importing.options import scalar

_POSITIONAL = re.compile(
    r"^(?:positional arguments|arguments):?[^\n]*\n(?P<lines>(?:[ \t]+\S.*\n?)+)", re.M | re.I
)

_USAGE = re.compile(r"^\s*usage: (?P<words>[^\[\]{}<>\n]*?)(?= \[| -|\n|$)", re.M | re.I)


def options(program: Program) -> list[Option]:
    """Each number that stands where a plain argument is expected, under the name it has there.

    A number below 1 that nothing names, and that is the only one, is called `lr`: what else would it be?
    """
    items = list(_plain(program))
    names = _of_argv(program.sources) or dict(enumerate(_declared(program), start=1))
    found = []
    for place, (i, text) in enumerate(items, start=1):
        value = scalar(text)
        if isinstance(value, int | float) and not isinstance(value, bool) and place in names:
            found.append(Option(names[place], value, is_in_force=True, place=Place.ITEM, holder=i))
    small = [(i, value) for i, text in items if isinstance(value := scalar(text), float) and 0 < value < 1]
    if not names and len(small) == 1:
        [(i, value)] = small
        about = "a plain number that nothing names, taken for the learning rate"
        found.append(Option("lr", value, is_in_force=True, place=Place.ITEM, holder=i, about=about))
    return found


def _plain(program: Program) -> Iterator[tuple[int, str]]:
    """The items after the script that are neither options nor values of such."""
    items = program.command
    takes_value = {
        spelling
        for option in help_lines.options(program)
        if not option.is_switch
        for spelling in option.spellings
    }
    usage = _USAGE.search(program.help)
    commands = usage["words"].split() if usage else ()  # names of subcommands stand there before all else
    start = next((i + 1 for i, item in enumerate(items) if item.endswith((".py", ".sh"))), 1)
    for i in range(start, len(items)):
        is_number = isinstance(scalar(items[i]), int | float)
        if items[i].startswith("-") and not is_number:
            continue
        if items[i - 1] not in takes_value and items[i] not in ("--", *commands):
            yield i, items[i]


def _declared(program: Program) -> list[str]:
    """Names of plain arguments in their order, from the help, else from the calls that declare them."""
    if found := _POSITIONAL.search("\n".join(unboxed(program.help))):
        rows = [line for line in found["lines"].splitlines() if re.match(r" {1,8}\*?\s*\w", line)]
        return [line.replace("*", " ").split()[0].lower() for line in rows]
    return [
        call.args[0].value.lower()
        for name, call in calls(program.sources)
        if name in ("add_argument", "argument")
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
        and not call.args[0].value.startswith("-")
        and "action" not in keywords(call)
    ]


def _of_argv(sources: tuple[ast.Module, ...]) -> dict[int, str]:
    """Names that are given `sys.argv[1]` and so on, and those that are given `sys.argv[1:]` at once."""
    found: dict[int, str] = {}
    for tree in sources[:1]:
        for node in ast.walk(tree):
            if not isinstance(node, ast.Assign) or len(node.targets) != 1:
                continue
            for target, value in _pairs(node.targets[0], node.value):
                places = list(_indices(value))
                if isinstance(target, ast.Name) and places:
                    found.setdefault(max(places), target.id)
            if isinstance(node.targets[0], ast.Tuple) and (first := _rest(node.value)) is not None:
                for place, own in enumerate(node.targets[0].elts, start=first):
                    if isinstance(own, ast.Name):
                        found.setdefault(place, own.id)
    return found


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from zip(target.elts, value.elts, strict=False)
    else:
        yield target, value


def _indices(value: ast.expr) -> Iterator[int]:
    """The numbers of arguments in an expression."""
    for node in ast.walk(value):
        if isinstance(node, ast.Subscript) and _is_argv(node.value) and isinstance(node.slice, ast.Constant):
            yield node.slice.value


def _rest(value: ast.expr) -> int | None:
    """Where `argv[1:]` or `argv[1:3]` in an expression begins."""
    for node in ast.walk(value):
        if isinstance(node, ast.Subscript) and _is_argv(node.value) and isinstance(node.slice, ast.Slice):
            return node.slice.lower.value if isinstance(node.slice.lower, ast.Constant) else 0
    return None


def _is_argv(node: ast.expr) -> bool:
    return getattr(node, "attr", None) == "argv" or getattr(node, "id", None) == "argv"
