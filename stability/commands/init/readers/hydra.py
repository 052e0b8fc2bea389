"""Hydra: its help prints the whole config, and `group.name=value` sets anything in it."""

from __future__ import annotations

import re

from stability import yamlfile
from stability.commands.init.options import Option
from stability.commands.init.program import Program
from stability.commands.init.readers.nested import flat

_CONFIG = re.compile(r"^== Config ==$.*?\n\s*\n(?P<yaml>.*?)(?:\n\s*\n\s*Powered by Hydra|\Z)", re.M | re.S)
FOLDER = "hydra.run.dir"
"""Hydra writes below a folder named by the second, which trials that start together would share."""


def options(program: Program) -> list[Option]:
    """The settings of the config; one that refers to another, or has to be given, is without a default."""
    found = _CONFIG.search(program.help)
    if found is None:
        return []
    settings = yamlfile.parse(found["yaml"], "Hydra's help").data
    told = [Option(f"{name}=", value, is_in_force=True) for name, value in flat(settings)]
    return [*told, Option(f"{FOLDER}=")]
