"""What a person says about runs that are imported."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stability import yamlfile
from stability.records import UserError
from stability.spec.command import Parse

PATTERN = "'run_lr{lr}_seed{seed}.log'"


@dataclass(frozen=True, slots=True)
class Options:
    """`name` of the study, `template` of the runs' paths, a `table` of their parameters by path or name.

    `parse` says how to read the logs, as in a study file; what it leaves out is guessed. `yardstick` are the
    coefficients of the loss that runs are compared by; None: 1 for every component.
    """

    name: str
    template: re.Pattern[str] | None = None
    table: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parse: Parse = field(default_factory=Parse)
    yardstick: Mapping[str, float] | None = None


def options(
    name: str, template: str | None, table: Path | None, parse: Path | None, yardstick: Sequence[str]
) -> Options:
    """From the command line. Raises `UserError` saying what to mend."""
    return Options(
        name,
        None if template is None else _pattern(template),
        {} if table is None else _table(table),
        Parse() if parse is None else _parse(parse),
        dict(map(_weight, yardstick)) or None,
    )


def scalar(text: Any) -> Any:
    """What text in a file name or a table stands for: a number, true, false, null or text, as in YAML."""
    if not isinstance(text, str):
        return text
    try:
        return float(text) if not re.fullmatch(r"[-+]?\d+", text) else int(text)
    except ValueError:
        return {"true": True, "false": False, "null": None, "none": None}.get(text.lower(), text)


def _pattern(template: str) -> re.Pattern[str]:
    """A regular expression for the end of a path: `{name}` is a parameter, `*` anything but /."""
    parts = re.split(r"(\{\w+\}|\*)", template)
    if not any(part.startswith("{") for part in parts):
        raise UserError(f"--params {template!r} names no parameter; write one in braces: {PATTERN}")
    names = [part[1:-1] for part in parts if part.startswith("{")]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise UserError(f"--params {template!r} names {', '.join(repeated)} twice; name each once")
    texts = [
        "[^/]*" if part == "*" else f"(?P<{part[1:-1]}>[^/]+?)" if part.startswith("{") else re.escape(part)
        for part in parts
    ]
    return re.compile(f"(?:^|/){''.join(texts)}$")


def _table(path: Path) -> dict[str, dict[str, Any]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [{key: value for key, value in row.items() if key} for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"--table {path}: {error}") from None
    if not rows or "run" not in rows[0]:
        raise UserError(f"--table {path} has no column 'run'; it names each run's file or folder")
    return {row.pop("run"): {key: scalar(value) for key, value in row.items() if value} for row in rows}


def _parse(path: Path) -> Parse:
    document = yamlfile.read(path).data
    own = document.get("parse", document) if isinstance(document, dict) else document
    try:
        return Parse.model_validate(own)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise UserError(f"--parse {path}: {place}: {error.errors()[0]['msg']}") from None


def _weight(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        weight = float(value)
    except ValueError:
        weight = -1.0
    if not name or not 0 <= weight < float("inf"):
        raise UserError(f"--yardstick {text!r} is no COMPONENT=WEIGHT, such as mel=1.0")
    return name, weight
