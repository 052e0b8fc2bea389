"""A validation error of a study file -> where it stands and what to do, in the file's own terms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from stability.params import ParamEntry
from stability.spec.plan import (
    AttributeStage,
    BoundaryStage,
    CompareStage,
    Early,
    LivenessStage,
    PlanEntry,
    SearchStage,
)
from stability.spec.sections import Budget, Compare, Limits
from stability.suggest import suggest
from stability.yamlfile import Address, Document


def locate(document: Document, source: str, address: Address, at_key: bool) -> str:
    """Where `address` stands, or the nearest place above it that has one."""
    for end in range(len(address), 0, -1):
        places = document.keys if at_key and end == len(address) else document.values
        if address[:end] in places:
            return places[address[:end]]
    return document.values.get((), source)


def line(place: str) -> tuple[int, ...]:
    """Sort key of a place: top of the file first."""
    return tuple(int(part) for part in re.findall(r":(\d+)", place))


_TYPE_NAMES = {"int", "float", "bool", "str"}  # the branches of a union, which validation errors name
_FORMS = {
    "params": "{value: ...}, {values: [...]} or {min: ..., max: ...}",
    "plan": "options such as {seeds: 20}",
}


def explain(
    error: Mapping[str, Any],
    study: type[BaseModel],
    sections: Mapping[str, type[BaseModel]] | None = None,
    inside: str = "the study file",
) -> tuple[Address, str, bool]:
    """A validation error of a `study` as (address, message, whether the key, not the value, is at fault).

    `sections` says which model stands below which key; `inside` is what holds the keys of `study` itself.
    """
    address: Address = tuple(part for part in error["loc"] if part not in _TYPE_NAMES)
    dotted = ".".join(map(str, address))
    if error["type"] == "extra_forbidden":
        section, known = _section(address, study, sections or SECTIONS)
        unknown = f"unknown key {str(address[-1])!r} in {section or inside}"
        return address, unknown + suggest(str(address[-1]), known), True
    if error["type"] == "missing":
        section = ".".join(map(str, address[:-1])) or inside
        return address[:-1], f"{section} lacks {str(address[-1])!r}; add it", True
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] in ("model_type", "model_attributes_type", "dict_type"):
        form = _FORMS.get(address[0] if address else "", "a mapping of keys to values")
        message = f"{form} belongs here, got {error['input']!r}"
    elif error["type"] == "string_pattern_mismatch":
        message = f"letters, digits, '-' and '_' only, and a letter or digit first; got {error['input']!r}"
    elif error["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:]}, got {error['input']!r}"
    return address, f"{dotted or inside}: {message}", False


SECTIONS: Mapping[str, type[BaseModel]] = {
    "budget": Budget,
    "limits": Limits,
    "plan": PlanEntry,
    "compare": Compare,
    "early": Early,
    "liveness": LivenessStage,
    "attribute": AttributeStage,
    "boundary": BoundaryStage,
    "search": SearchStage,
    "params": ParamEntry,
}
"""Which section of a study stands below which key."""


def _section(
    address: Address, study: type[BaseModel], sections: Mapping[str, type[BaseModel]]
) -> tuple[str, list[str]]:
    """The name of the section an address lies in, and the keys it knows."""
    model = study
    for part in address[:-1]:
        in_plan = part == "compare" and address[0] == "plan"
        model = CompareStage if in_plan else sections.get(part, model)
    known = [field.alias or name for name, field in model.model_fields.items()]
    return ".".join(str(part) for part in address[:-1] if not isinstance(part, int)), known
