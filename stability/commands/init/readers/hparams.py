"""`--hparams a=1,b=2`: settings in one item, as HParams of TensorFlow and many after it take them."""

from __future__ import annotations

import re

from stability.commands.init.options import Option, Place
from stability.commands.init.program import Program
from stability.commands.init.readers import absl, help_lines
from stability.commands.init.source import calls, keywords
from stability.importing.options import scalar

HOLDER = re.compile(r"--(?:hparams?|hyper_?params|overrides?|hp)")
_PAIR = re.compile(r"(?:^|,)\s*(?P<name>[A-Za-z_][\w.]*)=(?P<value>\[[^\]]*\]|[^,]*)")


def options(program: Program) -> list[Option]:
    """What such an option is given, and what a call such as `HParams(a=1)` in the source sets."""
    told = absl.options(program) or help_lines.options(program)
    flags = [
        option.flag
        for option in told
        if HOLDER.fullmatch(option.flag.replace("-", "_").replace("__", "--", 1))
    ]
    given = _given(program)
    if given is None and not flags:
        return []
    flag, text = given or (flags[0], "")
    found = {}
    for name, call in calls(program.sources):
        if "hparams" in name.lower():
            found |= keywords(call)
    found |= pairs(text)
    return [
        Option(name, value, is_in_force=True, place=Place.WITHIN, holder=flag)
        for name, value in found.items()
    ]


def pairs(text: str) -> dict[str, object]:
    """`a=1,b=2` taken apart."""
    return {found["name"]: scalar(found["value"]) for found in _PAIR.finditer(text)}


def with_value(text: str, name: str, value: str) -> str:
    """The text with another value for a name, or with the name at its end."""
    found = next((own for own in _PAIR.finditer(text) if own["name"] == name), None)
    if found is None:
        return f"{text},{name}={value}" if text else f"{name}={value}"
    return text[: found.start("value")] + value + text[found.end("value") :]


def _given(program: Program) -> tuple[str, str] | None:
    """The option as the command has it, with the text that it is given."""
    items = program.command
    for item, after in zip(items, [*items[1:], ""], strict=True):
        flag, glued, text = item.partition("=")
        text = text if glued else after
        if HOLDER.fullmatch(flag) and _PAIR.match(text):
            return flag, text
    return None
