"""Help of argparse, HfArgumentParser, click and, without its boxes, typer: an option a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stability.commands.init.options import Option
from stability.commands.init.program import Program
from stability.commands.init.readers.rich_help import unboxed
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
    r"|\(=(?P<boost>[^)]*)\)|\((?:required, )?type: .*, default: (?P<typed>.*)\)"
)
_CHOICES = re.compile(r"\{(?P<braces>[^}]*)\}|[\[<](?P<brackets>[^\]>]*\|[^\]>]*)[\]>]")


def options(program: Program) -> list[Option]:
    """The options that its help tells of."""
    return options_in(program.help)


def options_in(text: str) -> list[Option]:
    """The options that a help text tells of, in its order."""
    found: dict[str, Option] = {}
    for block in _blocks(unboxed(text)):
        option = _option(_OPTION.match(block)["option"])
        found.setdefault(option.name, option)
    return list(found.values())


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
        on[0], default, texts, not head.values, off[0] if off else None, tuple(on[1:]), is_list, rest.strip()
    )  # fmt: skip


def _default(rest: str, on: Sequence[str], off: Sequence[str]) -> Any:
    """What the help tells of it. click names the flag that a switch has by default."""
    found = _DEFAULT.search(rest)
    told = (
        "" if found is None else (found["value"] or found["bare"] or found["boost"] or found["typed"] or "")
    )
    told = told.strip().strip("'\"")
    if off and told in {own.lstrip("-") for own in (*on, *off)}:
        return told not in {own.lstrip("-") for own in off}
    return None if told in ("", "required") else scalar(told)


def _choices(value: str) -> tuple[str, ...]:
    found = _CHOICES.match(value)
    texts = () if found is None else re.split(r"[,|]", found["braces"] or found["brackets"])
    return tuple(text.strip() for text in texts)
