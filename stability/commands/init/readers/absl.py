"""absl: `--helpfull` lists the flags of every module; `--[no]amp` is a switch, defaults stand below."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stability.commands.init.options import Option
from stability.commands.init.program import Program
from stability.importing.options import scalar

FULL = "--helpfull"
_MODULE = re.compile(r"^(?P<module>[\w./-]+):\s*$")
_FLAG = re.compile(
    r"^  (?:-(?P<short>\w|\?),)?--(?P<no>\[no\])?(?P<name>[\w.-]+):[ ]?"
    r"(?:<(?P<choices>[^>]*\|[^>]*)>:)?(?P<about>.*)$"
)
_DEFAULT = re.compile(r"\(default: (?P<value>'(?P<quoted>.*?)'|[^)]*)\)")
_OF_LIBRARIES = re.compile(r"^(?:absl|tensorflow|jax|flax|orbax|tensorboard)\b")


def options(program: Program) -> list[Option]:
    """The flags of the program's own modules; none where its help does not speak of `--helpfull`."""
    if FULL not in program.help:
        return []
    return list(_flags(program.ask(FULL) or program.help))


def _flags(text: str) -> Iterator[Option]:
    module, block = "", []
    for line in [*text.splitlines(), ":"]:
        found = _MODULE.match(line)
        if (found or _FLAG.match(line) or line == ":") and block:
            if not _OF_LIBRARIES.match(module):
                yield _flag(block)
            block = []
        if found:
            module = found["module"]
        elif _FLAG.match(line) or (block and line.startswith("    ")):
            block.append(line)


def _flag(block: list[str]) -> Option:
    found = _FLAG.match(block[0])
    rest = " ".join([found["about"], *(line.strip() for line in block[1:])])
    told = _DEFAULT.search(rest)
    default = (
        None if told is None else scalar(told["quoted"] if told["quoted"] is not None else told["value"])
    )
    short = (f"-{found['short']}",) if found["short"] else ()
    choices = tuple((found["choices"] or "").split("|")) if found["choices"] else ()
    name, is_list = found["name"], "comma separated list" in rest
    off = f"--no{name}" if found["no"] else None
    return Option(f"--{name}", default, choices, bool(off), off, short, is_list, rest, is_in_force=True)
