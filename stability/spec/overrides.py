"""`key=value` arguments that change a study file's document before it is validated."""

from __future__ import annotations

from typing import Any

from stability import yamlfile
from stability.records import UserError
from stability.yamlfile import Address, Document


def override(document: Document, argument: str) -> None:
    """Apply one `a.b=value` to the document; from then on its place is the argument itself."""
    place = f"argument {argument!r}"
    dotted, equals, text = argument.partition("=")
    if not equals or not all(dotted.split(".")):
        raise UserError(f"{place}: error: an override is key=value, such as budget.epochs=2")
    value = yamlfile.parse(text, place).data if text.strip() else None
    *parents, last = dotted.split(".")
    node, address = document.data, ()
    for part in parents:
        node, address = _descend(node, address, part, place)
    if not isinstance(node, dict):
        raise UserError(f"{place}: error: {'.'.join(parents)!r} has no keys to set")
    node[last] = value
    document.keys[*address, last] = document.values[*address, last] = place


def _descend(node: Any, address: Address, part: str, place: str) -> tuple[Any, Address]:
    """The value below `part`: a key of a mapping (made where absent), or the plan's entry of that stage."""
    if isinstance(node, dict):
        if node.get(part) is None:
            node[part] = {}
        return node[part], (*address, part)
    if isinstance(node, list):
        for i, entry in enumerate(node):
            if entry == part or (isinstance(entry, dict) and part in entry):
                options = {} if entry == part else entry[part] or {}
                node[i] = {part: options}
                return options, (*address, i, part)
    raise UserError(f"{place}: error: the study has no {'.'.join(map(str, (*address, part)))!r} to go into")
