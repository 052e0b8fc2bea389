"""The trainer section of a command: read from a study, carried by a trial, identified by its files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stability.records import UserError
from stability.spec import StudySpec
from stability.spec.command import SECTIONS, CommandTrainer
from stability.spec.messages import explain
from stability.trainers import command_line as line
from stability.yamlfile import Address

CODE_LIMIT_BYTES = 64 * 2**20
"""Of a larger file, which is data rather than code, only the size counts."""


def section(spec: StudySpec) -> CommandTrainer:
    """The trainer section. Raises `UserError` for one that is not well-formed."""
    try:
        return CommandTrainer.model_validate(spec.trainer)
    except ValidationError as error:
        first = min(
            error.errors(), key=lambda own: own["type"] != "extra_forbidden"
        )  # a slip makes two errors
        address, message, at_key = explain(first, CommandTrainer, SECTIONS, "trainer")
        raise place(spec, address, message, at_key=at_key) from None


def place(spec: StudySpec, address: Address, message: str, *, at_key: bool = False) -> UserError:
    """An error at `address` of the trainer section, of which short forms leave levels out."""
    node, found = spec.trainer, []
    for part in address:
        inside = isinstance(node, dict) and part in node
        if inside or (isinstance(node, list) and isinstance(part, int) and part < len(node)):
            node = node[part]
            found.append(part)
    return spec.error(("trainer", *found), message, at_key=at_key)


def resolved(spec: StudySpec) -> dict[str, Any]:
    """The section as a trial carries it: plain data, with the study file's folder."""
    return dict(spec.trainer) | {"folder": str(spec.folder.resolve())}


def unresolved(trainer: Mapping[str, Any]) -> tuple[CommandTrainer, Path]:
    """The section, and the study file's folder."""
    own = {key: value for key, value in trainer.items() if key != "folder"}
    return CommandTrainer.model_validate(own), Path(trainer["folder"])


def working_folder(trainer: CommandTrainer, folder: Path) -> Path:
    """Where the program runs; the study file's folder where that differs from trial to trial."""
    cwd = trainer.cwd or "."
    differs = set(line.names(cwd)) - set(line.FIXED)
    return folder if differs else folder / line.rendered(cwd, line.fixed_values(folder))


def sha256(trainer: Mapping[str, Any]) -> str:
    """Of the files that the command names, such as its script, and their names; not of what they import."""
    own, folder = unresolved(trainer)
    digest, where, fixed = hashlib.sha256(), working_folder(own, folder), line.fixed_values(folder)
    for _, text, _ in line.texts(own):
        digest.update(line.written(text).encode() + b"\0")
        if set(line.names(text)) <= {"folder"}:
            digest.update(_content(where / line.rendered(text, fixed)))
    return digest.hexdigest()


def _content(file: Path) -> bytes:
    """Identity of a file's content; nothing for what is no file."""
    if not os.path.isfile(file):  # noqa: PTH113 - false for a text that is no path at all, too
        return b""
    size = file.stat().st_size
    return hashlib.sha256(file.read_bytes() if size <= CODE_LIMIT_BYTES else b"%d" % size).digest()
