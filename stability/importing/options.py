"""What a person says about runs that are imported."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stability.importing.reading import parse_file
from stability.records import UserError
from stability.spec.command import Parse

_WHOLE = re.compile(r"[-+]?[0-9]{1,4000}")  # Python reads no longer one
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
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
        Parse() if parse is None else parse_file(parse),
        dict(map(_weight, yardstick)) or None,
    )


def scalar(text: Any) -> Any:
    """What text in a file name, a table or a help stands for.

    A finite number as YAML writes it, `true`, `false`, or None for `null` and Python's `none`, in any case;
    all else is the text itself.
    """
    if not isinstance(text, str):
        return text
    if _WHOLE.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return {"true": True, "false": False, "null": None, "none": None}.get(text.lower(), text)


def _pattern(template: str) -> re.Pattern[str]:
    """A regular expression for the end of a path: `{name}` is a parameter, `*` anything but /."""
    parts = [part for part in re.split(r"(\{[^{}]*\}|\*)", template) if part]
    if problem := _problem(parts):
        raise UserError(f"--params {template!r} {problem}")
    texts = [
        "[^/]*" if part == "*" else f"(?P<{part[1:-1]}>[^/]+?)" if part.startswith("{") else re.escape(part)
        for part in parts
    ]
    return re.compile(f"(?:^|/){''.join(texts)}$")


def _problem(parts: Sequence[str]) -> str | None:
    """What is wrong with a template cut into texts, `{name}` and `*`."""
    given = [part for part in parts if part[0] == "{" and part[-1] == "}"]
    names = [part[1:-1] for part in given]
    if any(set("{}") & set(part) for part in parts if part not in given):
        return f"has a single brace; write a parameter as in {PATTERN}"
    if not names:
        return f"names no parameter; write one in braces: {PATTERN}"
    if wrong := [name for name in names if not name.isidentifier()]:
        return f"names {wrong[0]!r}; a name has letters, digits and '_' only, and no digit first: {PATTERN}"
    if repeated := {name for name in names if names.count(name) > 1}:
        return f"names {', '.join(repeated)} twice; name each once"
    for left, right in zip(parts, parts[1:], strict=False):
        if {left[0], right[0]} <= {"{", "*"} and "{" in left[0] + right[0]:
            return f"has nothing between {left} and {right}; write what stands there, or where does one end?"
    return None


def _table(path: Path) -> dict[str, dict[str, Any]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [{key: value for key, value in row.items() if key} for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"--table {path}: {error}") from None
    if not rows or "run" not in rows[0]:
        raise UserError(f"--table {path} has no column 'run'; it names each run's file or folder")
    return {row.pop("run"): {key: scalar(value) for key, value in row.items() if value} for row in rows}


def _weight(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        weight = float(value)
    except ValueError:
        weight = -1.0
    if not name or not 0 <= weight < float("inf"):
        raise UserError(f"--yardstick {text!r} is no COMPONENT=WEIGHT, such as mel=1.0")
    return name, weight
