"""What must hold of a command before any trial runs, and what will mislead; every error names its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from stability.spec import StudySpec
from stability.spec.command import EXAMPLE, CommandTrainer
from stability.suggest import suggest
from stability.trainers import command_line as line
from stability.trainers import config_copies, parse_check
from stability.trainers.command_section import place, section, working_folder
from stability.yamlfile import Address

RELATIVE = "paths start at the study file"
RELATIVE_TO = "the study file's folder unless `cwd` says otherwise"


def check(spec: StudySpec) -> None:
    """Raise `UserError` for a command that cannot run this study."""
    trainer = section(spec)
    known = list(dict.fromkeys((*spec.params, *line.FIELDS)))
    for i, item in enumerate(trainer.command):
        if item.when is not None:
            _check_switch(spec, ("command", i, "when"), item.when)
    for address, text, depends in line.texts(trainer):
        _check_text(spec, address, text, depends, known)
    folder = _check_folder(spec, trainer)
    _check_program(spec, trainer, folder)
    config_copies.check(spec, trainer, folder)
    if trainer.parse is not None:
        parse_check.check(spec, trainer)


def advice(spec: StudySpec) -> list[str]:
    """Parameters that the program never hears of."""
    trainer = section(spec)
    told = line.used(trainer)
    unless = " unless the program reads trial.json" if trainer.parse is None else ""
    unheard = [name for name in spec.params if name not in told]
    found = [f"{name} is never passed to the command: it changes nothing{unless}" for name in unheard]
    if "seed" not in told:
        found.append(f"seed is never passed to the command: trials of an arm may all be the same{unless}")
    return found


def _check_switch(spec: StudySpec, address: Address, name: str) -> None:
    if name not in spec.params:
        raise place(spec, address, f"unknown parameter {name!r}{suggest(name, spec.params)}")
    param = spec.params[name]
    if not any(choice is False or choice is None for choice in param.choices or ()):
        message = f"{name} is never false or null, so nothing depends on it; write the texts without `when`"
        raise place(spec, address, message)


def _check_text(
    spec: StudySpec, address: Address, text: line.Text, depends: str | None, known: Sequence[str]
) -> None:
    try:
        found = line.names(text)
    except ValueError as error:
        raise place(spec, address, str(error)) from None
    for name in found:
        if name not in known:
            raise place(spec, address, f"unknown placeholder {{{name}}}{suggest(name, known)}")
        if name in spec.params:
            choices = spec.params[name].choices or ()
            if any(choice is None for choice in choices) and depends != name:
                form = f'{{when: {name}, then: [..., "{{{name}}}"], else: []}}'
                raise place(spec, address, f"{name} may be null, which has no text; write {form}")
        elif name == "max_steps" and spec.budget.max_steps is None:
            raise place(spec, address, "{max_steps} needs a number; add budget.max_steps")


def _check_folder(spec: StudySpec, trainer: CommandTrainer) -> Path:
    """Where the program is looked for."""
    folder = working_folder(trainer, spec.folder.resolve())
    if not folder.is_dir():
        raise place(spec, ("cwd",), f"no folder {folder}; {RELATIVE}")
    return folder


def _check_program(spec: StudySpec, trainer: CommandTrainer, folder: Path) -> None:
    first = trainer.command[0]
    address: Address = ("command", 0)
    if first.when is not None or not first.then:
        raise place(spec, address, f"the program itself comes first: {EXAMPLE}")
    if differs := set(line.names(first.then[0])) - set(line.FIXED):
        message = f"the program cannot depend on {', '.join(sorted(differs))}; put that into its arguments"
        raise place(spec, address, message)
    program = line.rendered(first.then[0], line.fixed_values(spec.folder.resolve()))
    path = trainer.env.get("PATH", os.environ.get("PATH"))
    if "/" in program:
        if not os.access(folder / program, os.X_OK) or (folder / program).is_dir():
            raise place(spec, address, _not_executable(folder / program))
    elif shutil.which(program, path=str(path)) is None:
        raise place(spec, address, _not_on_path(program, folder))
    if Path(program).name.startswith(("python", "pypy")):
        _check_script(spec, trainer, folder)


def _check_script(spec: StudySpec, trainer: CommandTrainer, folder: Path) -> None:
    """What Python is to run is there, where that is the same file in every trial."""
    texts = [text for item in trainer.command[:2] if item.when is None for text in item.then]
    if len(texts) < 2 or not str(texts[1]).endswith(".py") or line.names(trainer.cwd or ""):
        return
    if not line.names(texts[1]) and not (script := folder / line.rendered(texts[1], {})).is_file():
        raise place(spec, ("command", 1), f"no file {script}; a script starts at cwd, which is {RELATIVE_TO}")


def _not_executable(program: Path) -> str:
    if program.is_file():
        return f"{program} cannot be executed; `chmod +x` it, or give its interpreter first"
    return f"no program {program}; a program with / in its name starts at cwd"


def _not_on_path(program: str, folder: Path) -> str:
    if (folder / program).is_file():
        written = f'["{{python}}", {program}, ...]' if program.endswith(".py") else f"./{program}"
        return f"no program {program!r} on the PATH; for the file beside the study write {written}"
    return f'no program {program!r} on the PATH; give its path, or "{{python}}" for the Python that runs this'
