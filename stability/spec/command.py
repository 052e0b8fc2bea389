"""The trainer section of a study whose trainer is a command: its form.

What must hold beyond it is in `trainers`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from stability.spec.sections import Section

Text = str | int | float | bool
EXAMPLE = '[python3, train.py, --lr, "{lr}"]'
AUTO = "auto"
COPY = '{from: config.yaml, set: {train.lr: "{lr}"}}'
Named = dict[str, str]
"""Our name of a number -> the words that the program prints before it, or a table's column."""
SWITCH = "{when: adaptive, then: [--adaptive], else: []}"


class SectionOrShort(Section):
    """A section that may be written shorter; `brief` is the JSON Schema of that, if there is one."""

    brief: ClassVar[dict[str, Any] | None] = None

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(core_schema) if cls.brief is None else {"anyOf": [cls.brief, handler(core_schema)]}


class Argument(SectionOrShort):
    """An item of a command: a text, or texts that depend on whether the parameter `when` is on."""

    brief: ClassVar = {"type": ["string", "number", "boolean"]}
    when: str | None = None
    then: list[Text] = []
    otherwise: Annotated[list[Text], Field(alias="else")] = []

    @model_validator(mode="before")
    @classmethod
    def _bare_text(cls, item: Any) -> Any:
        """`--lr` means `{then: [--lr]}`, whatever the parameters are."""
        if isinstance(item, Text):
            return {"then": [item]}
        if not isinstance(item, dict):
            raise ValueError(f"an item of a command is a text, a number or {SWITCH}, got {item!r}")
        if "when" not in item and not item.keys() - {"then", "else"}:
            raise ValueError(f"'when' is missing: which parameter decides? Such as {SWITCH}")
        return item


class TextSource(SectionOrShort):
    """How the lines of a text are read: by themselves, by names, or by regular expressions.

    Short for `{train: X}`: X alone.
    """

    brief: ClassVar = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    short: ClassVar[str] = "auto, a list of regular expressions, or {train: ..., evaluate: ...}"
    train: Literal["auto"] | Named | list[str] = []
    evaluate: Named | list[str] = []

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, source: Any) -> Any:
        if isinstance(source, str | list):
            return {"train": _texts(source)}
        return _alike(dict(_mapping(source, cls.short)))

    @property
    def is_structural(self) -> bool:
        """Whether lines are read by their structure, not by regular expressions."""
        return not isinstance(self.train, list)

    @property
    def names(self) -> tuple[Named, Named]:
        """What is named, for training and for evaluations; nothing where all of it is found out."""
        return tuple(own if isinstance(own, dict) else {} for own in (self.train, self.evaluate))


class LogSource(TextSource):
    """A text file that the program writes."""

    brief: ClassVar = None
    short: ClassVar[str] = "{path: ..., train: auto}, or lists of regular expressions for train and evaluate"
    path: str

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, source: Any) -> Any:
        return _alike(dict(_mapping(source, cls.short)))


class TableSource(SectionOrShort):
    """A file of named numbers, and what each is called there; short for `{path: ...}`: the path."""

    brief: ClassVar = {"type": "string"}
    short: ClassVar[str] = "a path, or {path: ..., train: {mel: NAME}, evaluate: {mel: NAME}}"
    path: str
    train: Literal["auto"] | Named = {}
    evaluate: Named = {}

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, source: Any) -> Any:
        return {"path": source} if isinstance(source, str) else _mapping(source, cls.short)


class Parse(Section):
    """Where a program's numbers are read from; as many sources as it has."""

    stdout: TextSource | None = None
    stderr: TextSource | None = None
    log: LogSource | None = None
    jsonl: TableSource | None = None
    json_: Annotated[TableSource | None, Field(alias="json")] = None
    csv: TableSource | None = None
    tensorboard: TableSource | None = None
    wandb: TableSource | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, parse: Any) -> Any:
        """`auto`, and names alone, are of what the program prints."""
        if parse == AUTO:
            return {"stdout": AUTO, "stderr": AUTO}
        if not isinstance(parse, dict):
            return parse
        named = {key: parse[key] for key in parse if _is_name(key, parse[key], SECTIONS)}
        source = {key: parse[key] for key in ("train", "evaluate") if isinstance(parse.get(key), dict)}
        if named:
            source["train"] = named | source.get("train", {})
        if not source:
            return parse
        rest = {key: value for key, value in parse.items() if key not in named and key not in source}
        return {"stdout": source, "stderr": source} | rest

    @classmethod
    def names(cls) -> list[str]:
        """Those of all sources that there are."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    def sources(self) -> dict[str, TextSource | TableSource]:
        """Those that are given, by name."""
        fields = type(self).model_fields.items()
        found = {field.alias or name: getattr(self, name) for name, field in fields}
        return {name: source for name, source in found.items() if source is not None}


class ConfigCopy(Section):
    """A config file of which each trial gets its own copy, and the values that are put into it, by name."""

    source: Annotated[str, Field(alias="from")]
    values: Annotated[dict[str, Text | None], Field(alias="set", min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, copy: Any) -> Any:
        return _mapping(copy, COPY)


class CommandTrainer(Section):
    """A program as trainer: its arguments, its config files, where it runs, and how its numbers are read."""

    command: Annotated[list[Argument], Field(min_length=1)]
    files: dict[str, ConfigCopy] = {}
    cwd: str | None = None
    env: dict[str, Text] = {}
    parse: Parse | None = None
    define: dict[str, str] = {}

    @model_validator(mode="before")
    @classmethod
    def _list_of_arguments(cls, trainer: Any) -> Any:
        if isinstance(trainer, dict) and trainer.get("command") == []:
            raise ValueError(f"the command is empty; the program comes first: {EXAMPLE}")
        if isinstance(trainer, dict) and isinstance(trainer.get("command"), str):
            raise ValueError(
                f"the command {trainer['command']!r} is one text, and no shell takes it apart; "
                f"write a list: {EXAMPLE}"
            )
        return trainer


def _alike(given: dict[str, Any]) -> dict[str, Any]:
    """Training and evaluations are read in one way: by names, or by regular expressions."""
    own = {key: _texts(given[key]) for key in ("train", "evaluate") if key in given}
    ways = {
        "names" if isinstance(value, dict) else "expressions"
        for value in own.values()
        if value not in ([], AUTO)
    }
    if len(ways) > 1 or (own.get("train") == AUTO and "expressions" in ways):
        raise ValueError(
            "`train` and `evaluate` are read in one way: write names in both, or regular expressions"
        )
    return {"train": {}} | given | own if ways == {"names"} else given | own


def _texts(own: Any) -> Any:
    """One regular expression is a list of one."""
    return [own] if isinstance(own, str) and own != AUTO else own


def _is_name(key: Any, value: Any, sources: Any) -> bool:
    """Whether `key: value` below `parse` names a number, and is no source."""
    return isinstance(key, str) and key not in sources and isinstance(value, str) and value != AUTO


def _mapping(source: Any, form: str) -> Any:
    if not isinstance(source, dict):
        raise ValueError(f"{form} belongs here, got {source!r}")
    return source


SECTIONS = {
    "command": Argument,
    "files": ConfigCopy,
    "parse": Parse,
    "stdout": TextSource,
    "stderr": TextSource,
    "log": LogSource,
    "jsonl": TableSource,
    "json": TableSource,
    "csv": TableSource,
    "tensorboard": TableSource,
    "wandb": TableSource,
}
"""Which section stands below which key."""


class TrainerForms:
    """Lets the JSON Schema of a study say what a trainer may look like; nothing is validated by it."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        call = {"type": "object", "properties": {"call": {"type": "string"}}, "required": ["call"]}
        own = handler(CommandTrainer.__pydantic_core_schema__)
        return {"anyOf": [{"const": "tts"}, call | {"additionalProperties": False}, own], "default": "tts"}
