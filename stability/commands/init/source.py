"""What a program's own source tells: defaults of its options, constants, names of plain arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from stability.commands.init.options import Option

CALLS = ("add_argument", "option", "add_option")


def with_defaults(options: Sequence[Option], sources: Sequence[ast.Module]) -> list[Option]:
    """The options, with defaults from calls such as `add_argument` where the help tells none."""
    known = _defaults(sources)
    return [
        replace(one, default=next((known[flag] for flag in one.spellings if flag in known), None))
        if one.default is None
        else one
        for one in options
    ]


def constants(tree: ast.Module) -> dict[str, Any]:
    """Names at the top level of a file that are given a number, text or boolean there; the last counts."""
    found = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) and node.value else targets
        for target in targets:
            if isinstance(target, ast.Name) and is_constant(node.value):
                found[target.id] = ast.literal_eval(node.value)
    return found


def is_constant(node: ast.expr | None) -> bool:
    """Whether it is a number, with or without a sign, a text, a boolean or None, and nothing computed."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return is_constant(node.operand) and isinstance(node.operand.value, int | float)
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | bool | None)


def calls(sources: Sequence[ast.Module]) -> Iterator[tuple[str, ast.Call]]:
    """Every call, by the last name of what is called."""
    for tree in sources:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
                if name is not None:
                    yield name, node


def keywords(call: ast.Call) -> dict[str, Any]:
    """The constants that a call gives by name."""
    return {
        word.arg: ast.literal_eval(word.value)
        for word in call.keywords
        if word.arg and is_constant(word.value)
    }


def _defaults(sources: Sequence[ast.Module]) -> dict[str, Any]:
    """By spelling; none where two calls, as those of two subcommands, do not agree."""
    found: dict[str, list[Any]] = {}
    for name, call in calls(sources):
        if name in CALLS:
            for flag in (one.value for one in call.args if isinstance(one, ast.Constant)):
                for spelling in str(flag).split("/"):
                    found.setdefault(spelling, []).append(keywords(call).get("default"))
    return {spelling: values[0] for spelling, values in found.items() if len(set(map(repr, values))) == 1}
