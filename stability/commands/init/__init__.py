"""A command -> a first study file for it: options from the program's own help, the log's form from a log."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from stability import trainers, yamlfile
from stability.commands.init.help_runner import help_of
from stability.commands.init.help_text import advice, options_in
from stability.commands.init.params import roles
from stability.commands.init.source import with_defaults
from stability.commands.init.study_file import text
from stability.records import UserError
from stability.spec import parse_study

__all__ = ["study_text", "write"]


def write(out: Path, command: Sequence[str], name: str, log: Path | None) -> None:
    """Write the study file, once it is checked: one that is broken is not left behind.

    Raises `UserError` for what `study_text` does, and for a place that cannot be written to.
    """
    if not out.parent.is_dir():
        raise UserError(f"--out {out}: no folder {out.parent}; make it first")
    text = study_text(command, name, log, os.path.relpath(Path.cwd(), out.parent.resolve()))
    trainers.check(parse_study(yamlfile.parse(text, str(out)), str(out), out.parent))
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"--out {out}: {error.strerror}") from None


def study_text(command: Sequence[str], name: str, log: Path | None, cwd: str = ".") -> str:
    """The study file's text; `cwd` leads from it to where the command runs.

    Raises `UserError` for a command without help, or without any known option.
    """
    told = help_of(command)
    options = with_defaults(options_in(told), command)
    return text(name, roles(options, command, advice(told, options)), log, cwd)
