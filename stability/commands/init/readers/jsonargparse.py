"""jsonargparse and LightningCLI: `--print_config` tells every value, those of subclasses included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stability import yamlfile
from stability.commands.init.options import Option
from stability.commands.init.program import Program
from stability.commands.init.readers import help_lines
from stability.commands.init.readers.nested import flat
from stability.records import UserError

PRINT = "--print_config"


def options(program: Program) -> list[Option]:
    """What would be trained with, by `--print_config`, beside what the help says of it."""
    if PRINT not in program.help:
        return []
    of_help = {option.flag: option for option in help_lines.options(program)}
    values = dict(_printed(program.ask(PRINT)))
    known = [_with_value(of_help.get(flag), flag, value) for flag, value in values.items()]
    return [*known, *(option for flag, option in of_help.items() if flag not in values)]


def _printed(text: str) -> Iterator[tuple[str, object]]:
    try:
        settings = yamlfile.parse(text, PRINT).data
    except UserError:  # it prints something else beside, or nothing
        return
    yield from ((f"--{name}", value) for name, value in flat(settings))


def _with_value(told: Option | None, flag: str, value: object) -> Option:
    """An argument of a subclass may be given without `init_args` between."""
    option = told or Option(flag)
    short = flag.replace(".init_args.", ".")
    aliases = option.aliases if short == flag else (*option.aliases, short)
    return replace(option, default=value, aliases=aliases, is_in_force=True)
