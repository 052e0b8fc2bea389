"""Config files of which each trial gets its own copy: what must hold of them, and their writing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stability.spec import StudySpec
from stability.spec.command import CommandTrainer, ConfigCopy
from stability.trainers import command_line as line
from stability.trainers import config_files
from stability.trainers.command_section import place


def write(trainer: CommandTrainer, cwd: Path, values: Mapping[str, Any]) -> None:
    """Write the copies of one trial. Raises `OSError` or `ValueError` for a file changed since the check."""
    for path, copy in trainer.files.items():
        target = cwd / line.rendered(path, values)
        target.parent.mkdir(parents=True, exist_ok=True)
        own = {name: line.value_of(text, values) for name, text in copy.values.items()}
        target.write_text(_copied(copy, cwd / line.rendered(copy.source, values), own), encoding="utf-8")


def check(spec: StudySpec, trainer: CommandTrainer, folder: Path) -> None:
    """Raise `UserError` for a copy that could not be written, or that trials would share."""
    for path, copy in trainer.files.items():
        if "directory" not in {*line.names(path), *line.names(trainer.cwd or "")}:
            own = "{directory}/" + path.rpartition("/")[2]
            message = f"trials at the same time would share {path!r}; write {own}, and tell the command"
            raise place(spec, ("files", path), message, at_key=True)
        if config_files.format_of(copy.source) is None:
            known = ", ".join(config_files.FORMATS)
            message = f"{copy.source!r} is none of {known}; let the program read one of these"
            raise place(spec, ("files", path, "from"), message)
        if set(line.names(copy.source)) <= set(line.FIXED):
            source = folder / line.rendered(copy.source, line.fixed_values(spec.folder.resolve()))
            _check_values(spec, path, copy, source)


def _check_values(spec: StudySpec, path: str, copy: ConfigCopy, source: Path) -> None:
    """Every value is there, and takes all that trials put in its place."""
    for name, text in copy.values.items():
        try:
            for example in _examples(spec, text):
                _copied(copy, source, {name: example})
        except OSError as error:
            message = f"no file {source}: {error.strerror}; a config file starts at cwd"
            raise place(spec, ("files", path, "from"), message) from None
        except ValueError as error:
            raise place(spec, ("files", path, "set", name), f"{source.name}: {error}", at_key=True) from None


def _examples(spec: StudySpec, text: line.Text | None) -> list[Any]:
    """What stands for a text in a trial: every choice of a parameter, or one value of its range."""
    name = line.alone(text)
    if name in spec.params:
        return list(spec.params[name].choices or [spec.params[name].at(0.0)])
    return ["text"] if isinstance(text, str) else [text]


def _copied(copy: ConfigCopy, source: Path, values: Mapping[str, Any]) -> str:
    form = config_files.format_of(copy.source)
    return config_files.with_values(source.read_text(encoding="utf-8"), form, values)
