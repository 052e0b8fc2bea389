"""Study file -> StudySpec. Nothing else reads study files; every error names the place and the fix."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from stability import yamlfile
from stability.params import Param, ParamEntry
from stability.records import UserError
from stability.spending import Spending, earliest_end, fewest_seeds
from stability.suggest import suggest
from stability.yamlfile import Address, Document

PositiveInt = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]

LOOKS = 4
"""Looks of a stage that may end early and does not say how many; each makes running trials wait for all."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Budget(_Section):
    """How long every trial trains."""

    epochs: PositiveInt = 4
    batch_size: PositiveInt = 8
    max_steps: PositiveInt | None = None
    timeout_s: Seconds = 120.0
    memory_gb: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class Limits(_Section):
    """When a run ends before its plan is done, and how often a trial that was lost is tried again."""

    max_wall_s: Seconds | None = None
    max_failures: Annotated[int, Field(ge=0)] | None = None
    retries: Annotated[int, Field(ge=0, le=2)] = 2


class Compare(_Section):
    """Which two arms the report sets side by side."""

    baseline: str
    treatment: str


class Early(_Section):
    """The looks at which a comparison may end, and how its error is spent over them."""

    spending: Annotated[Spending, Field(strict=False)] = Spending.OBRIEN_FLEMING
    looks: Annotated[int, Field(ge=2)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, early: Any) -> Any:
        """`early: pocock` means `early: {spending: pocock}`."""
        if isinstance(early, str):
            return {"spending": early}
        if not isinstance(early, dict):
            raise ValueError(f"obrien_fleming, or {{spending: ..., looks: 4}}, belongs here, got {early!r}")
        return early


class CompareStage(_Section):
    """Every arm, once per seed; trial k of every arm has the same seed. Without `early` it never peeks."""

    seeds: PositiveInt = 20
    early: Early | None = None

    @property
    def looks(self) -> int:
        """How often the stage is looked at, its end included."""
        if self.early is None:
            return 1
        return self.early.looks or min(LOOKS, self.seeds)


class SearchStage(_Section):
    """`trials` settings drawn from `params`; `points` values per numeric range for the grid."""

    sampler: Literal["random", "sobol", "tpe", "gp", "grid"] = "tpe"
    trials: PositiveInt = 40
    points: PositiveInt = 5


Stage = CompareStage | SearchStage


class PlanEntry(_Section):
    """One stage of the plan under its name."""

    compare: CompareStage | None = None
    search: SearchStage | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, entry: Any) -> Any:
        """`- compare` means `- compare: {}`."""
        if isinstance(entry, str):
            return {entry: {}}
        if isinstance(entry, dict):
            return {key: {} if value is None else value for key, value in entry.items()}
        return entry

    @model_validator(mode="after")
    def _one_stage(self) -> PlanEntry:
        if len(self.model_fields_set) != 1:
            raise ValueError(
                f"one stage an entry ({', '.join(type(self).model_fields)}), each after its own '-'"
            )
        return self

    @property
    def name(self) -> str:
        return next(iter(self.model_fields_set))

    @property
    def stage(self) -> Stage:
        return getattr(self, self.name)


class StudySpec(_Section):
    """One validated study. `document` is the data it was read from, overrides applied."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=80)]
    trainer: Any = "tts"
    data: dict[str, Any] = {}
    model: dict[str, Any] = {}
    budget: Budget = Budget()
    limits: Limits = Limits()
    params_entries: Annotated[dict[str, ParamEntry], Field(alias="params", min_length=1)]
    arms: dict[str, dict[str, Any]] = {}
    compare: Compare | None = None
    plan: Annotated[list[PlanEntry], Field(min_length=1)]
    yardstick: Annotated[dict[str, Weight], Field(min_length=1)] = {"mel": 1.0, "stop": 1.0, "kl": 0.5}
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
        meaning["budget"] = self.budget.model_dump(exclude={"timeout_s", "memory_gb"})
        return _digest(meaning | {"seed": self.seed})

    def arm_params(self, arm: str) -> dict[str, Any]:
        """The complete parameters of an arm's trials: its own values and the constants."""
        own = self.arms[arm]
        return {name: own[name] if name in own else param.choices[0] for name, param in self.params.items()}

    def error(self, address: Address, message: str, *, at_key: bool = False) -> UserError:
        """A `UserError` pointing at `address` in the study file (or the nearest place above it)."""
        return UserError(f"{_locate(self._places, self._source, address, at_key)}: error: {message}")


def load_study(path: str | Path, overrides: Sequence[str] = ()) -> StudySpec:
    """Read and validate a study file, after applying `overrides` such as `budget.epochs=2`.

    Raises `UserError` naming file, line, column and the fix.
    """
    path = Path(path)
    document = yamlfile.read(path)
    if not isinstance(document.data, dict):
        kind = "list" if isinstance(document.data, list) else type(document.data).__name__
        raise UserError(f"{path}:1:1: error: a study file is a mapping of keys to values, got a {kind}")
    for override in overrides:
        _override(document, override)
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
        first = min(error.errors(), key=lambda e: _line(_locate(document, source, e["loc"], False)))
        address, message, at_key = _explain(first)
        raise UserError(f"{_locate(document, source, address, at_key)}: error: {message}") from None
    spec._document, spec._places, spec._source, spec._folder = data, document, source, folder
    _check_arms(spec)
    _check_plan(spec)
    return spec


def from_document(document: Mapping[str, Any]) -> StudySpec:
    """The study that was stored as `StudySpec.document`."""
    return parse_study(Document(dict(document)), "stored study", Path())


def schema() -> dict[str, Any]:
    """JSON Schema of a study file."""
    return StudySpec.model_json_schema(by_alias=True)


def _check_arms(spec: StudySpec) -> None:
    for arm, settings in spec.arms.items():
        for name, value in settings.items():
            if name not in spec.params:
                message = f"unknown parameter {name!r} in arm {arm!r}{suggest(name, spec.params)}"
                raise spec.error(("arms", arm, name), message, at_key=True)
            if problem := spec.params[name].problem(value):
                raise spec.error(("arms", arm, name), f"arms.{arm}.{name}: {problem}")
        needed = [n for n, p in spec.params.items() if p.kind != "constant" and n not in settings]
        if needed:
            message = f"arm {arm!r} does not set {', '.join(needed)}; every arm sets every parameter"
            raise spec.error(("arms", arm), message, at_key=True)
    if spec.compare is None:
        return
    for role, arm in spec.compare.model_dump().items():
        if arm not in spec.arms:
            raise spec.error(("compare", role), f"unknown arm {arm!r}{suggest(arm, spec.arms)}")
    if spec.compare.baseline == spec.compare.treatment:
        raise spec.error(("compare",), "baseline and treatment are the same arm; name two")


def _check_plan(spec: StudySpec) -> None:
    if not any(spec.yardstick.values()):
        raise spec.error(("yardstick",), "every weight is 0, so nothing would be measured; weigh a component")
    names = [entry.name for entry in spec.plan]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise spec.error(("plan", i), f"stage {name!r} is in the plan twice; keep one")
    if "compare" in names and not spec.arms:
        raise spec.error(("plan", names.index("compare")), "stage 'compare' needs `arms`; add at least one")
    for i, entry in enumerate(spec.plan):
        if isinstance(entry.stage, CompareStage) and entry.stage.early:
            _check_early(spec, entry.stage, entry.stage.early, ("plan", i, "compare", "early"))


def _check_early(spec: StudySpec, stage: CompareStage, early: Early, address: Address) -> None:
    """A stage that may end early has a question, and a look before the last that could answer it."""
    if spec.compare is None:
        message = (
            "early needs to know which two arms are compared; add `compare: {baseline: ..., treatment: ...}`"
        )
        raise spec.error(address, message)
    if stage.looks > stage.seeds:
        raise spec.error(
            address, f"{stage.looks} looks at {_seeds(stage.seeds)}; looks are 2 to as many as seeds"
        )
    if earliest_end(early.spending, stage.seeds, stage.looks) in (None, stage.seeds):
        enough = fewest_seeds(early.spending, stage.seeds, early.looks or LOOKS)
        raise spec.error(
            address,
            f"with {_seeds(stage.seeds)} no look before the last could end the stage, "
            f"however the trials come out; set seeds to {enough}, or leave `early` out",
        )


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def _override(document: Document, override: str) -> None:
    """Apply one `a.b=value` to the document; from then on its place is the argument itself."""
    place = f"argument {override!r}"
    dotted, equals, text = override.partition("=")
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


def _rename(document: Document, old: str, new: str) -> None:
    """Let the places of everything below top-level key `old` be found under `new`."""
    for places in (document.keys, document.values):
        for address in [a for a in places if a[:1] == (old,)]:
            places[new, *address[1:]] = places[address]


def _locate(document: Document, source: str, address: Address, at_key: bool) -> str:
    """Where `address` stands, or the nearest place above it that has one."""
    for end in range(len(address), 0, -1):
        places = document.keys if at_key and end == len(address) else document.values
        if address[:end] in places:
            return places[address[:end]]
    return document.values.get((), source)


def _line(place: str) -> tuple[int, ...]:
    """Sort key of a place: top of the file first."""
    return tuple(int(part) for part in re.findall(r":(\d+)", place))


_TYPE_NAMES = {"int", "float", "bool", "str"}  # the branches of a union, which validation errors name
_FORMS = {
    "params": "{value: ...}, {values: [...]} or {min: ..., max: ...}",
    "plan": "options such as {seeds: 20}",
}


def _explain(error: Mapping[str, Any]) -> tuple[Address, str, bool]:
    """A validation error as (address, message, whether the key rather than the value is at fault)."""
    address: Address = tuple(part for part in error["loc"] if part not in _TYPE_NAMES)
    dotted = ".".join(map(str, address))
    if error["type"] == "extra_forbidden":
        section, known = _section(address)
        return (
            address,
            f"unknown key {str(address[-1])!r} in {section}{suggest(str(address[-1]), known)}",
            True,
        )
    if error["type"] == "missing":
        section = ".".join(map(str, address[:-1])) or "the study file"
        return address[:-1], f"{section} lacks {str(address[-1])!r}; add it", True
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] in ("model_type", "model_attributes_type", "dict_type"):
        form = _FORMS.get(address[0], "a mapping of keys to values")
        message = f"{form} belongs here, got {error['input']!r}"
    elif error["type"] == "string_pattern_mismatch":
        message = f"letters, digits, '-' and '_' only, and a letter or digit first; got {error['input']!r}"
    elif error["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:]}, got {error['input']!r}"
    return address, f"{dotted}: {message}", False


def _section(address: Address) -> tuple[str, list[str]]:
    """The name of the section an address lies in, and the keys it knows."""
    model: type[BaseModel] = StudySpec
    for part in address[:-1]:
        model = {
            "budget": Budget,
            "limits": Limits,
            "plan": PlanEntry,
            "compare": CompareStage if address[0] == "plan" else Compare,
            "early": Early,
            "search": SearchStage,
            "params": ParamEntry,
        }.get(part, model)
    known = [field.alias or name for name, field in model.model_fields.items()]
    section = ".".join(str(part) for part in address[:-1] if not isinstance(part, int))
    return section or "the study file", known


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
