"""A command -> a study file that works: its options are found, it is run, and what was seen is written.

Options are read in `readers/`, what a program prints in `reading`; here a study file is written, no more.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stability import trainers, yamlfile
from stability.commands.init import budget, help_runner, readers, reading
from stability.commands.init.advice import advice
from stability.commands.init.discovery import check_is_there, look_at
from stability.commands.init.first_run import Shown, try_out
from stability.commands.init.options import Option
from stability.commands.init.params import Roles, roles
from stability.commands.init.program import Program
from stability.commands.init.readers import config_file
from stability.commands.init.study_file import Draft, text
from stability.records import UserError
from stability.spec import StudySpec, parse_study

__all__ = ["Wishes", "write"]

TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a study file is made: where it goes, its `name`, a `log` of an earlier run, and whether to run it.

    A run takes `timeout_s` at most. `tell` takes each sentence about what was found.
    """

    out: Path
    name: str
    log: Path | None = None
    run: bool = True
    timeout_s: float = TIMEOUT_S
    tell: Callable[[str], None] = lambda _: None


def write(command: Sequence[str], wishes: Wishes) -> bool:
    """Write the study file once it is checked: one that is broken or half is never there.

    Returns whether a study can begin with it: false where the first run failed, or its losses are not read.
    Raises `UserError` for a program that is not there, for a command without any known option, for a log
    without a loss, and for a place that cannot be written to.
    """
    folder = wishes.out.parent
    if not folder.is_dir():
        raise UserError(f"--out {wishes.out}: no folder {folder}; make it first")
    check_is_there(command)
    shown = _shown(command, wishes)
    for sentence in shown.sentences:
        wishes.tell(sentence)
    for line in shown.draft.lines:
        wishes.tell(f"not done: {line}")
    spec_text = text(shown.draft)
    _checked(shown.draft, wishes)
    half = wishes.out.with_name(f".{wishes.out.name}.{os.getpid()}")
    try:
        half.write_text(spec_text, encoding="utf-8")
        half.replace(wishes.out)
    except OSError as error:
        raise UserError(f"--out {wishes.out}: {error.strerror}") from None
    finally:
        half.unlink(missing_ok=True)
    return shown.is_ready


def _shown(command: Sequence[str], wishes: Wishes) -> Shown:
    program = look_at(command)
    options = readers.read(program)
    found = roles(options, command)
    if not found.params:
        raise UserError(_nothing_known(program, options, found))
    draft = _draft(program, found, wishes)
    if wishes.log is not None:
        return _as_logged(draft, wishes.log)
    if not wishes.run:
        line = "the program was not run: how its numbers are read is not known"
        return Shown(replace(draft, lines=[*draft.lines, line]))
    return try_out(draft, lambda own: _checked(own, wishes), wishes.timeout_s)


def _draft(program: Program, found: Roles, wishes: Wishes) -> Draft:
    cwd = os.path.relpath(Path.cwd(), wishes.out.parent.resolve())
    files = {file.path: file for file in config_file.named_in(program)}
    start = reading.Reading()
    return Draft(
        wishes.name, found, files, start.parse, budget.unknown(found), "", start.losses, found.lines, cwd,
        {path: config_file.beside(file) for path, file in files.items()},
    )  # fmt: skip


def _checked(draft: Draft, wishes: Wishes) -> StudySpec:
    spec = parse_study(yamlfile.parse(text(draft), str(wishes.out)), str(wishes.out), wishes.out.parent)
    trainers.check(spec)
    return spec


def _as_logged(draft: Draft, log: Path) -> Shown:
    """The draft for a program of which an earlier run's log is there."""
    try:
        found = reading.read(log.read_bytes())
    except OSError as error:
        raise UserError(f"--log {log}: {error.strerror}") from None
    if not found.has_loss:
        raise UserError(
            f"--log {log}: nothing in it looks like a training loss; give what a training printed"
        )
    lines = [*draft.lines, "the program was not run: whether parameters and seed reach it was not shown"]
    read = replace(draft, parse=found.parse, yardstick=found.losses, lines=lines)
    return Shown(read, ["what was read:", *(f"  {sentence}" for sentence in found.sentences)])


def _nothing_known(program: Program, options: Sequence[Option], found: Roles) -> str:
    """What was seen instead of a hyperparameter, and what to do."""
    names = ", ".join(option.flag for option in options[:8] if option.name != "help")
    trouble = program.trouble.removesuffix(f"; {help_runner.BY_HAND}")
    has = f"it has: {names}" if names else ""
    because = "; ".join(filter(None, [has, trouble, *found.lines]))
    none = "no option is a known hyperparameter with a known value, such as --lr"
    return f"{none} ({because or 'it has none'}); {advice(program, options)}"
