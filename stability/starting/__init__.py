"""A command -> a first study file for it: options from the program's own help, the log's form from a log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stability.starting.help_text import help_of, options_in
from stability.starting.knobs import roles
from stability.starting.source import with_defaults
from stability.starting.study_file import text

__all__ = ["study_text"]


def study_text(command: Sequence[str], name: str, log: Path | None) -> str:
    """The study file's text. Raises `UserError` for a command without help, or without any known option."""
    options = with_defaults(options_in(help_of(command)), command)
    return text(name, roles(options, command), log)
