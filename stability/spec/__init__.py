"""Study file -> StudySpec. Nothing else reads study files; every error names the place and the fix."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, ValidationError

from stability import yamlfile
from stability.params import Param, ParamEntry
from stability.records import Direction, UserError
from stability.spec.checks import check_arms, check_plan
from stability.spec.command import TrainerForms
from stability.spec.messages import explain, line, locate
from stability.spec.overrides import override
from stability.spec.plan import (
    AttributeStage,
    BoundaryStage,
    CompareStage,
    LivenessStage,
    PlanEntry,
    SearchStage,
)
from stability.spec.sections import Budget, Compare, Limits, Section, Signal, Weight
from stability.yamlfile import Address, Document

__all__ = [
    "AttributeStage", "BoundaryStage", "Budget", "Compare", "CompareStage", "Limits", "LivenessStage",
    "PlanEntry", "SearchStage", "StudySpec", "from_document", "load_study", "parse_study", "schema",
]  # fmt: skip


class StudySpec(Section):
    """One validated study. `document` is the data it was read from, overrides applied."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=80)]
    trainer: Annotated[Any, TrainerForms] = "tts"
    data: dict[str, Any] = {}
    model: dict[str, Any] = {}
    budget: Budget = Budget()
    limits: Limits = Limits()
    params_entries: Annotated[dict[str, ParamEntry], Field(alias="params", min_length=1)]
    arms: dict[str, dict[str, Any]] = {}
    compare: Compare | None = None
    plan: Annotated[list[PlanEntry], Field(min_length=1)]
    yardstick: Annotated[dict[str, Weight], Field(min_length=1)] = {"mel": 1.0, "stop": 1.0, "kl": 0.5}
    signals: dict[str, Signal] = {}
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    _document: dict[str, Any] = PrivateAttr(default_factory=dict)
    _places: Document = PrivateAttr(default_factory=lambda: Document(None))
    _source: str = PrivateAttr(default="study")
    _folder: Path = PrivateAttr(default_factory=Path)

    @cached_property
    def params(self) -> Mapping[str, Param]:
        """The range of every hyperparameter a trial receives, in file order."""
        ranges = [p for name, entry in self.params_entries.items() for p in entry.ranges(name)]
        return {param.name: param for param in ranges}

    @property
    def directions(self) -> Mapping[str, Direction]:
        """What is declared of recorded numbers, by name."""
        return {name: Direction(signal.direction) for name, signal in self.signals.items()}

    @property
    def document(self) -> Mapping[str, Any]:
        return self._document

    @property
    def folder(self) -> Path:
        """The study file's folder: relative paths inside the file start here."""
        return self._folder

    @property
    def sha256(self) -> str:
        """Identity of the study: any change to the file's meaning changes it."""
        return _digest(self._document)

    @property
    def trial_sha256(self) -> str:
        """Identity of what a trial means: trials of two specs may share a table only where this agrees."""
        meaning = {
            key: self._document.get(key) for key in ("trainer", "data", "model", "params", "yardstick")
        }
        if self.signals:
            meaning["signals"] = self._document["signals"]
        meaning["budget"] = self.budget.model_dump(exclude={"timeout_s", "memory_gb"})
        return _digest(meaning | {"seed": self.seed})

    def arm_params(self, arm: str) -> dict[str, Any]:
        """The complete parameters of an arm's trials: its own values and the constants."""
        own = self.arms[arm]
        return {name: own[name] if name in own else param.choices[0] for name, param in self.params.items()}

    def error(self, address: Address, message: str, *, at_key: bool = False) -> UserError:
        """A `UserError` pointing at `address` in the study file (or the nearest place above it)."""
        return UserError(f"{locate(self._places, self._source, address, at_key)}: error: {message}")


def load_study(path: str | Path, overrides: Sequence[str] = ()) -> StudySpec:
    """Read and validate a study file, after applying `overrides` such as `budget.epochs=2`.

    Raises `UserError` naming file, line, column and the fix.
    """
    path = Path(path)
    document = yamlfile.read(path)
    if not isinstance(document.data, dict):
        kind = "list" if isinstance(document.data, list) else type(document.data).__name__
        raise UserError(f"{path}:1:1: error: a study file is a mapping of keys to values, got a {kind}")
    for argument in overrides:
        override(document, argument)
    return parse_study(document, str(path), path.parent)


def parse_study(document: Document, source: str, folder: Path) -> StudySpec:
    """Validate a parsed study file; `load_study` and the store share it."""
    data = dict(document.data)
    if "parameters" in data and "params" not in data:  # the W&B sweep spelling
        data["params"] = data.pop("parameters")
        _rename(document, "parameters", "params")
    try:
        spec = StudySpec.model_validate(data)
    except ValidationError as error:
        first = min(error.errors(), key=lambda e: line(locate(document, source, e["loc"], False)))
        address, message, at_key = explain(first, StudySpec)
        raise UserError(f"{locate(document, source, address, at_key)}: error: {message}") from None
    spec._document, spec._places, spec._source, spec._folder = data, document, source, folder
    check_arms(spec)
    check_plan(spec)
    return spec


def from_document(document: Mapping[str, Any]) -> StudySpec:
    """The study that was stored as `StudySpec.document`."""
    return parse_study(Document(dict(document)), "stored study", Path())


def schema() -> dict[str, Any]:
    """JSON Schema of a study file."""
    return StudySpec.model_json_schema(by_alias=True)


def _rename(document: Document, old: str, new: str) -> None:
    """Let the places of everything below top-level key `old` be found under `new`."""
    for places in (document.keys, document.values):
        for address in [a for a in places if a[:1] == (old,)]:
            places[new, *address[1:]] = places[address]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
