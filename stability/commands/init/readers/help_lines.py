"""What a program says of its options: argparse, click, typer, HfArgumentParser and Hydra."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stability import yamlfile
from stability.commands.init.rich_help import unboxed
from stability.importing.options import scalar

_SPELLING = r"-{1,2}[A-Za-z][\w.-]*"
_OPTION = re.compile(rf"^\s{{1,8}}(?P<option>{_SPELLING}.*)$")
_PLACEHOLDER = r"(?:(?:INTEGER|FLOAT) RANGE|\{[^}]*\}|\[[^\]]*\]\.*|<[^>]*>\.*|\.\.\.|[A-Za-z_][\w.:|-]*)"
_PART = re.compile(
    rf"(?P<spelling>{_SPELLING})(?:(?P<given>\[?[ =])(?P<value>{_PLACEHOLDER})\]?(?=[\s,]|$))?"
)
_MORE = re.compile(rf" (?P<value>{_PLACEHOLDER})(?=[\s,]|$)")
_NEXT = re.compile(rf"(?P<off>\s*/\s*)(?={_SPELLING})|,?\s+(?={_SPELLING})")
_DEFAULT = re.compile(
    r"[\[(]\s*default(?:s to)?[:=]?\s*(?P<value>[^\])]*)[\])]|[Dd]efaults? (?:to|is|:)\s*(?P<bare>[^\s,;]+)"
    r"|\(=(?P<boost>[^)]*)\)"
)
_CHOICES = re.compile(r"\{(?P<braces>[^}]*)\}|[\[<](?P<brackets>[^\]>]*\|[^\]>]*)[\]>]")
_SUBCOMMANDS = re.compile(
    r"\{(?P<braces>[\w,-]+)\}\s+\.\.\.|^Commands:?[^\S\n]*\n(?P<listed>(?:[^\S\n]+\S.*\n?)+)", re.M
)
_CONFIG = re.compile(r"(?:config|cfg|conf|yaml|hparams|params)(?:_?(?:file|path|name|yaml|json))?")
_HYDRA = re.compile(r"^== Config ==$.*?\n\s*\n(?P<yaml>.*?)(?:\n\s*\n\s*Powered by Hydra|\Z)", re.M | re.S)
HYDRA_FOLDER = "hydra.run.dir"
"""Hydra writes below a folder named by the second, which trials that start together would share."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `flag` is how it is written (`--lr`, or `optimizer.lr=` for Hydra).

    A switch takes no value. `off` is what turns one off, where there is such a flag. `aliases` are its other
    spellings; one that `is_list` takes several values.
    """

    flag: str
    default: Any = None
    choices: tuple[str, ...] = ()
    is_switch: bool = False
    off: str | None = None
    aliases: tuple[str, ...] = ()
    is_list: bool = False

    @property
    def name(self) -> str:
        """Without dashes; the whole path of a nested one, with underscores."""
        return named(self.flag)

    @property
    def spellings(self) -> tuple[str, ...]:
        """All that turn it on or give it a value."""
        return (self.flag, *self.aliases)


def named(flag: str) -> str:
    """The name in a spelling of an option."""
    return re.sub(r"\W+", "_", flag.strip("-=")).lower()


def options_in(text: str) -> list[Option]:
    """The options that a help text tells of, in its order."""
    if hydra := _HYDRA.search(text):
        settings = yamlfile.parse(hydra["yaml"], "Hydra's help").data
        return [Option(f"{name}=", value) for name, value in [*_flat(settings, ""), (HYDRA_FOLDER, None)]]
    found: dict[str, Option] = {}
    for block in _blocks(unboxed(text)):
        option = _option(_OPTION.match(block)["option"])
        found.setdefault(option.name, option)
    return list(found.values())


def advice(text: str, options: Sequence[Option]) -> str:
    """What to do about a program whose options are no hyperparameters."""
    if found := _SUBCOMMANDS.search("\n".join(unboxed(text))):
        listed = [line.split()[0] for line in (found["listed"] or "").splitlines()]
        names = ", ".join(listed or found["braces"].split(","))
        return f"it has subcommands: end the command with one of {names}"
    if any(_CONFIG.fullmatch(option.name) for option in options):
        return "it reads a config file: let {lr} be written into it, as docs/command.md shows"
    return "write the file by hand: docs/command.md"


def _blocks(lines: Sequence[str]) -> Iterator[str]:
    """An option's line with those that go on with its text, two spaces before each."""
    block: list[str] = []
    for line in lines:
        if _OPTION.match(line):
            if block:
                yield "  ".join(block)
            block = [line.rstrip()]
        elif block and line.startswith(" " * 6):
            block.append(line.strip())
        elif block:
            yield "  ".join(block)
            block = []
    if block:
        yield "  ".join(block)


@dataclass(slots=True)
class _Head:
    """What stands before the help of an option."""

    on: list[str]
    off: list[str]
    values: list[str]
    end: int = 0


def _head(text: str) -> _Head:
    """Spellings, and what stands for a value, up to two spaces or a word that is neither."""
    head, spelled = _Head([], [], []), "on"
    while part := _PART.match(text, head.end):
        getattr(head, spelled).append(part["spelling"])
        values = [part["value"]] if part["value"] else []
        head.end = part.end()
        while values and (more := _MORE.match(text, head.end)) and _goes_on(more["value"], values):
            values.append(more["value"])
            head.end = more.end()
        head.values = values or head.values
        if (found := _NEXT.match(text, head.end)) is None:
            break
        spelled = "off" if found["off"] or spelled == "off" else "on"
        head.end = found.end()
    return head


def _goes_on(word: str, values: Sequence[str]) -> bool:
    """Whether a word stands for a further value: `N N`, `N [N ...]`."""
    return word == values[0] or word[0] in "[." or word.endswith("...")


def _option(text: str) -> Option:
    """From all that the help says of it."""
    head = _head(text)
    rest = text[head.end :]
    off = head.off or [own for own in head.on[1:] if own.startswith("--no-")]
    on = sorted((own for own in head.on if own not in off), key=lambda own: not own.startswith("--"))
    texts = _choices(head.values[0] if head.values else "")
    is_list = len(head.values) > 1 or any("..." in value for value in head.values)
    default = _default(rest, on, off)
    return Option(
        on[0], default, texts, not head.values, off[0] if off else None, tuple(on[1:]), is_list
    )  # fmt: skip


def _default(rest: str, on: Sequence[str], off: Sequence[str]) -> Any:
    """What the help tells of it. click names the flag that a switch has by default."""
    found = _DEFAULT.search(rest)
    told = "" if found is None else (found["value"] or found["bare"] or found["boost"] or "")
    told = told.strip().strip("'\"")
    if off and told in {own.lstrip("-") for own in (*on, *off)}:
        return told not in {own.lstrip("-") for own in off}
    return None if told in ("", "required") else scalar(told)


def _choices(value: str) -> tuple[str, ...]:
    found = _CHOICES.match(value)
    texts = () if found is None else re.split(r"[,|]", found["braces"] or found["brackets"])
    return tuple(text.strip() for text in texts)


def _flat(settings: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Settings by their whole names; None for one that refers to another, or that has to be given."""
    for name, value in settings.items() if isinstance(settings, dict) else ():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            is_told = not (isinstance(value, str) and value.startswith(("${", "???")))
            yield f"{prefix}{name}", value if is_told else None
