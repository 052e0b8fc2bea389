"""Adapters: what a study file calls `trainer` -> a callable `train(trial, recorder)`.

Checks here run before anything trains and never import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stability.records import Recorder, TrialSpec, UserError
from stability.spec import StudySpec
from stability.suggest import suggest
from stability.trainers import command, command_check, command_section, function, tts
from stability.trainers.command import ProgramLost

__all__ = [
    "ProgramLost", "Train", "advice", "check", "command_line_of", "contents_sha256", "devices", "is_command",
    "load", "prepare", "replays", "resolve_device", "resolved",
]  # fmt: skip

Train = Callable[[TrialSpec, Recorder], None]


def check(spec: StudySpec) -> None:
    """Raise `UserError` if this trainer cannot run this study."""
    match spec.trainer:
        case "tts":
            tts.check(spec)
        case {"call": str() as target, **rest} if not rest:
            try:
                function.check(target, spec.folder)
            except UserError as error:
                raise spec.error(("trainer", "call"), str(error)) from None
        case {"command": _}:
            command_check.check(spec)
        case str() as name:
            forms = "{call: ...} or {command: [...]}"
            raise spec.error(("trainer",), f"unknown trainer {name!r}{suggest(name, ['tts'])}, {forms}")
        case _:
            forms = '{call: "train.py:train"} or {command: [python3, train.py, ...]}'
            raise spec.error(("trainer",), f"a trainer is `tts`, {forms}")


def advice(spec: StudySpec) -> list[str]:
    """What is allowed but will mislead: sentences for the user to read before the study runs."""
    if is_command(spec.trainer):
        return command_check.advice(spec)
    return tts.advice(spec) if spec.trainer == "tts" else []


def is_command(trainer: Any) -> bool:
    """Whether a trainer, resolved or not, is a program."""
    return isinstance(trainer, Mapping) and "command" in trainer


def command_line_of(trial: TrialSpec) -> list[str] | None:
    """The arguments that the program of a trial is started with; None for a trainer that is no program."""
    return command.argv(trial) if is_command(trial.trainer) else None


def replays(trainer: Any) -> bool:
    """Whether a trial of this trainer can be trained again and looked into: not an old log."""
    return trainer == "tts" or (isinstance(trainer, Mapping) and ("call" in trainer or "command" in trainer))


def resolved(spec: StudySpec) -> tuple[Any, dict[str, Any]]:
    """The trainer and the data of a trial, with paths that hold in any working directory."""
    if spec.trainer == "tts":
        return "tts", tts.resolved_data(spec)
    if is_command(spec.trainer):
        return command_section.resolved(spec), dict(spec.data)
    return {"call": function.absolute(spec.trainer["call"], spec.folder)}, dict(spec.data)


def contents_sha256(trainer: Any, data: Mapping[str, Any]) -> str:
    """Identity of what the study file only names: the corpus, or the trainer's file (not what it imports)."""
    if is_command(trainer):
        return command_section.sha256(trainer)
    return data["sha256"] if trainer == "tts" else function.sha256(trainer["call"])


def load(trainer: Any) -> Train:
    """The callable of a resolved trainer; imports the user's code."""
    if is_command(trainer):
        return command.load(trainer)
    if trainer == "tts":
        return function.load("stability.trainee.train:train")
    return function.load(trainer["call"])


def prepare(trainer: Any, data: Mapping[str, Any], cache: Path) -> None:
    """Compute, once for a study, what its trials read from `cache`."""
    if trainer == "tts":
        tts.prepare(data, cache)


def resolve_device(device: str) -> str:
    """A concrete device for `auto`; the CPU is always here, and torch is imported for any other.

    Raises `UserError` for a device that is not here.
    """
    if device == "cpu":
        return device
    from stability.devices import resolve

    return resolve(device)


def devices(device: str) -> list[str]:
    """All devices that `device` stands for; imports torch. Raises `UserError` for one that is not here."""
    from stability.devices import each

    return each(device)
