"""How logs are read, as a person says it: the file of `--parse`, and which of it is for a kind of file."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stability import yamlfile
from stability.records import UserError
from stability.spec.command import SECTIONS, Parse
from stability.spec.messages import explain, locate
from stability.trainers.parse_check import mistakes
from stability.yamlfile import Address

TEXTS = ("log", "stdout", "stderr")
"""Sources of lines; a log may hold what the program printed on either."""
ANY = "*"
"""The path of a source that names none: the logs themselves are given."""


def parse_file(path: Path) -> Parse:
    """The sources in a YAML file, which may lie below `parse`. Raises `UserError` saying where to mend it."""
    document = yamlfile.read(path)
    inside = isinstance(document.data, dict) and "parse" in document.data
    above: Address = ("parse",) if inside else ()
    try:
        found = Parse.model_validate(_with_paths(document.data["parse"] if inside else document.data))
        wrong = next(((address, text, False) for address, text in mistakes(found)), None)
    except ValidationError as error:
        wrong = explain(error.errors()[0], Parse, SECTIONS, "parse")
    if wrong is not None:
        address, message, at_key = wrong
        place = locate(document, str(path), (*above, *address), at_key)
        raise UserError(f"--parse {place}: error: {message}")
    if not found.sources():
        raise UserError(f"--parse {path}: error: no source is named; name {', '.join(Parse.names())}")
    return found


def sources_for(kind: str, parse: Parse) -> dict[str, Any] | None:
    """What is said of files of this kind, as one source; None where nothing is."""
    given = parse.sources()
    own = [given[name].model_dump(exclude={"path"}) for name in _names(kind) if name in given]
    if kind not in TEXTS or not own:
        return own[0] if own else None
    return {key: list(dict.fromkeys(text for source in own for text in source[key])) for key in own[0]}


def unused(parse: Parse, kinds: Collection[str]) -> list[str]:
    """The sources that no file of these kinds has."""
    used = {name for kind in kinds for name in _names(kind)}
    return [name for name in parse.sources() if name not in used]


def _names(kind: str) -> tuple[str, ...]:
    return TEXTS if kind in TEXTS else (kind,)


def _with_paths(own: Any) -> Any:
    if not isinstance(own, dict):
        return own
    needs = [name for name, model in SECTIONS.items() if "path" in model.model_fields]
    return {
        name: {"path": ANY} | source if name in needs and isinstance(source, dict) else source
        for name, source in own.items()
    }
