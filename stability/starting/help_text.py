"""What a program says of its options: argparse, click, HfArgumentParser and Hydra."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stability import yamlfile
from stability.importing.options import scalar
from stability.records import UserError

HELP_S = 120.0
"""How long a program may take to print its help; some import much before."""
_OPTION = re.compile(r"^\s{1,8}(?:-\w\b[^-]{0,30})?(?P<flag>--[A-Za-z][\w.-]*)(?P<rest>.*)$")
_DEFAULT = re.compile(
    r"[\[(]\s*default(?:s to)?[:=]?\s*(?P<value>[^\])]*)[\])]|[Dd]efaults? (?:to|is|:)\s*(?P<bare>[^\s,;]+)"
)
_VALUE = re.compile(r"[ =](?:\[?<?[A-Za-z_][\w.:|-]*>?\]?|\{|\[)(?:\s{2,}|\s*$|[^\s]*\s)")
_CHOICES = re.compile(r"^\s*(?:\{(?P<braces>[^}]*)\}|\[(?P<brackets>[^\]]*\|[^\]]*)\])")
_HYDRA = re.compile(r"^== Config ==$.*?\n\s*\n(?P<yaml>.*?)(?:\n\s*\n\s*Powered by Hydra|\Z)", re.M | re.S)


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `flag` is how it is written (`--lr`, or `optimizer.lr=` for Hydra).

    A switch takes no value. `off` is what turns one off, where there is such a flag.
    """

    flag: str
    default: Any = None
    choices: tuple[str, ...] = ()
    is_switch: bool = False
    off: str | None = None

    @property
    def name(self) -> str:
        """Without dashes; the whole path of a nested one, with underscores."""
        return re.sub(r"\W+", "_", self.flag.strip("-=")).lower()


def help_of(command: Sequence[str]) -> str:
    """What `command --help` prints. Raises `UserError` when it does not."""
    asked = [*command, "--help"]
    shown = " ".join(asked)
    environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    try:
        done = subprocess.run(
            asked, capture_output=True, text=True, errors="replace", timeout=HELP_S, env=environment,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        raise UserError(f"cannot run {shown!r}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{shown!r} printed no help within {HELP_S:g} s") from None
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise UserError(f"{shown!r} ended with status {done.returncode}: {last}")
    return done.stdout or done.stderr


def options_in(text: str) -> list[Option]:
    """The options that a help text tells of, in its order."""
    if hydra := _HYDRA.search(text):
        settings = yamlfile.parse(hydra["yaml"], "Hydra's help").data
        return [Option(f"{name}=", value) for name, value in _flat(settings, "")]
    found: dict[str, Option] = {}
    for block in _blocks(text.splitlines()):
        match = _OPTION.match(block)
        option = _option(match["flag"], match["rest"])
        found.setdefault(option.name, option)
    return list(found.values())


def _blocks(lines: Sequence[str]) -> Iterator[str]:
    """An option's line with those that go on with its text."""
    block: list[str] = []
    for line in lines:
        if _OPTION.match(line):
            if block:
                yield " ".join(block)
            block = [line.rstrip()]
        elif block and line.startswith(" " * 6):
            block.append(line.strip())
        elif block:
            yield " ".join(block)
            block = []
    if block:
        yield " ".join(block)


def _option(flag: str, rest: str) -> Option:
    """`rest` is what follows the flag: other spellings, a placeholder of its value, the help."""
    off = re.match(r"\s*/\s*(--no-[\w-]+)|,\s*(--no-[\w-]+)", rest)
    default = _DEFAULT.search(rest)
    told = "" if default is None else (default["value"] or default["bare"] or "").strip().strip("'\"")
    value = None if told in ("", "required") else scalar(told)
    if off is not None:
        return Option(flag, value, is_switch=True, off=off[1] or off[2])
    after = re.sub(r"^(?:\s+[A-Z][A-Z0-9_.]*)?,\s*--?[\w.-]+", "", rest)
    takes_value = _VALUE.match(after) is not None and not after.startswith("  ")
    choices = _CHOICES.match(after)
    texts = () if choices is None else tuple(re.split(r"[,|]", choices["braces"] or choices["brackets"]))
    return Option(flag, value, tuple(text.strip() for text in texts), is_switch=not takes_value and not texts)


def _flat(settings: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items() if isinstance(settings, dict) else ():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            yield f"{prefix}{name}", value
