"""One reader for each usual way of giving a program its options: a file, and a line here.

Every reader is a function `options(program)` that returns what it understands, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

from stability.commands.init.options import Option
from stability.commands.init.program import Program
from stability.commands.init.readers import (
    absl,
    config_file,
    configurator,
    fire,
    help_lines,
    hparams,
    hydra,
    jsonargparse,
    key_value,
    plain,
    yacs,
)
from stability.commands.init.source import with_defaults

Reader = Callable[[Program], list[Option]]
OF_HELP: tuple[Reader, ...] = (
    hydra.options,
    absl.options,
    fire.options,
    jsonargparse.options,
    help_lines.options,
)
"""Forms of a help: the first that understands it counts."""
BESIDE_HELP: tuple[Reader, ...] = (
    configurator.options,
    key_value.options,
    yacs.options,
    hparams.options,
    config_file.options,
    plain.options,
)
"""What no help tells of: each adds its own."""


def read(program: Program) -> list[Option]:
    """All options of a program that any reader understands; of two with one spelling the first."""
    told = next(filter(None, (reader(program) for reader in OF_HELP)), [])
    found: dict[tuple[object, str], Option] = {}
    for option in with_defaults(told, program.sources):
        found.setdefault((option.place, option.flag), option)
    for reader in BESIDE_HELP:
        for option in reader(program):
            found.setdefault((option.place, option.flag), option)
    return list(found.values())
