"""YAML text -> plain data plus the position of every key and value; and back, without positions.

Scalars follow YAML 1.2 (`1e-4` is a float, `no` is a string), duplicate keys are errors. Nothing here
knows what a study is.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from stability.records import UserError

Address = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """Parsed data with, for every address in it, where its key and its value stand ("file:line:column")."""

    data: Any
    keys: dict[Address, str] = field(default_factory=dict)
    values: dict[Address, str] = field(default_factory=dict)


class _Loader(yaml.SafeLoader):
    """SafeLoader with the YAML 1.2 core schema in place of the 1.1 resolvers."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


_CORE_SCHEMA = (  # https://yaml.org/spec/1.2.2/#103-core-schema
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        list("-+.0123456789"),
    ),
)
for _name, _pattern, _first in _CORE_SCHEMA:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(_pattern), _first)


def _construct_int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = node.value.lower()
    return int(text, 0) if text.lstrip("+-").startswith(("0o", "0x")) else int(text)


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)


def read(path: Path) -> Document:
    """Read the YAML file at `path`.

    Raises `UserError` for a file that is missing, unreadable, binary, empty, malformed or has duplicate keys.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: error: no such file; give the path of a study file") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: error: not a text file; a study file is UTF-8 YAML") from None
    except OSError as error:
        raise UserError(f"{path}: error: cannot be read: {error.strerror}") from None
    return parse(text, str(path))


def parse(text: str, source: str) -> Document:
    """Parse YAML `text`; `source` names it in positions and errors."""
    _reject_binary(text, source)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise UserError(f"{source}: error: the file is empty; `name`, `params` and `plan` are needed")
        document = Document(data=None)
        data = _build(loader, node, (), document, source, ())
        return Document(data, document.keys, document.values)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(source, mark) if mark else source
        raise UserError(f"{place}: error: {error.problem or error.context}") from None
    finally:
        loader.dispose()


def _reject_binary(text: str, source: str) -> None:
    """Raise `UserError` for characters that no YAML text holds (a binary file that happens to be UTF-8)."""
    found = yaml.SafeLoader.NON_PRINTABLE.search(text)
    if found:
        code = f"{ord(found.group()):#04x}"
        raise UserError(f"{source}: error: not a text file (character {code}); a study file is UTF-8 YAML")


def _place(source: str, mark: yaml.Mark) -> str:
    return f"{source}:{mark.line + 1}:{mark.column + 1}"


def _build(
    loader: _Loader,
    node: yaml.Node,
    address: Address,
    document: Document,
    source: str,
    above: tuple[int, ...],
) -> Any:
    """Turn `node` into data, noting positions; `above` holds the nodes we are inside of."""
    document.values[address] = _place(source, node.start_mark)
    if id(node) in above:
        raise UserError(
            f"{_place(source, node.start_mark)}: error: an alias inside its own anchor; spell it out"
        )
    above = (*above, id(node))
    if isinstance(node, yaml.SequenceNode):
        return [
            _build(loader, child, (*address, i), document, source, above)
            for i, child in enumerate(node.value)
        ]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    result: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        place = _place(source, key_node.start_mark)
        if not isinstance(key_node, yaml.ScalarNode):
            raise UserError(f"{place}: error: a key must be plain text")
        key = key_node.value  # keys are names: `1:` and `on:` stay text
        if key in result:
            raise UserError(
                f"{place}: error: duplicate key {key!r} (first at {document.keys[*address, key]}); remove one"
            )
        document.keys[*address, key] = place
        result[key] = _build(loader, value_node, (*address, key), document, source, above)
    return result


def scalars(text: str) -> dict[Address, tuple[int, int, Any]]:
    """Every scalar of a YAML text by its address: where it begins and ends in `text`, and its value.

    A value with a tag of its own is its text. Raises `ValueError` for a text that is not one YAML document.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return {} if node is None else dict(_scalars(loader, node, (), ()))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    finally:
        loader.dispose()


def _scalars(
    loader: _Loader, node: yaml.Node, address: Address, above: tuple[int, ...]
) -> Iterator[tuple[Address, tuple[int, int, Any]]]:
    if id(node) in above:
        raise ValueError("an alias stands inside its own anchor")
    if isinstance(node, yaml.ScalarNode):
        is_known = node.tag.startswith("tag:yaml.org,2002:")
        value = loader.construct_object(node) if is_known else node.value
        yield address, (node.start_mark.index, node.end_mark.index, value)
        return
    parts = (
        [(key.value if isinstance(key.value, str) else str(key.value), value) for key, value in node.value]
        if isinstance(node, yaml.MappingNode)
        else list(enumerate(node.value))
    )
    for part, child in parts:
        yield from _scalars(loader, child, (*address, part), (*above, id(node)))


def written(data: Mapping[str, Any]) -> str:
    """`data` as `read` would find it, keys in their order."""
    return yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True)
