"""A program as trainer: started with the trial's parameters, its numbers recorded as they come."""

from __future__ import annotations

import functools
import os
import re
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stability import processes, trialdir
from stability.judging.last_words import names_nonfinite
from stability.logs.sources import Sources
from stability.observing import launch
from stability.records import Recorder, StopTrial, TrialSpec
from stability.spec.command import CommandTrainer
from stability.trainers import command_line as line
from stability.trainers import config_copies
from stability.trainers.command_section import unresolved
from stability.trainers.program import LOOK_S, Program
from stability.trainers.protocol import Protocol

COURTESY_S = 0.3
"""How long a program whose training is lost may take to say so itself, which is evidence too."""
OUT_OF_MEMORY = re.compile(r"\bMemoryError\b|OutOfMemoryError|CUDA out of memory|std::bad_alloc")
"""What a program's last words say where it lacked memory."""


class CommandFailed(Exception):
    """The program ended with another exit status than 0, or left nothing that could be read."""


class ProgramLost(Exception):
    """The program was killed from outside, which says nothing about it."""


def load(trainer: Mapping[str, Any]) -> Callable[[TrialSpec, Recorder], None]:
    """The callable of a section as `command_section.resolved` made it."""
    own, folder = unresolved(trainer)
    return functools.partial(train, own, folder)


def argv(trial: TrialSpec) -> list[str]:
    """The program's arguments in one trial."""
    own, folder = unresolved(trial.trainer)
    return line.arguments(own.command, line.values_of(trial, folder))


def train(trainer: CommandTrainer, folder: Path, trial: TrialSpec, recorder: Recorder) -> None:
    """Run the program for one trial and record what it says; `folder` is the study file's.

    Raises `StopTrial` once the trial is lost, after the program was ended; `CommandFailed`, `ProgramLost` or
    `MemoryError` for a program that ended badly without having recorded what makes a trial lost.
    """
    values = line.values_of(trial, folder)
    cwd = folder / line.rendered(trainer.cwd or ".", values)
    sources = _sources(trainer, cwd, values, trial, recorder)
    config_copies.write(trainer, cwd, values)
    kills = processes.oom_kills()
    started, env = line.arguments(trainer.command, values), _environment(trainer, values, trial)
    with trialdir.output(trial.directory) as log:
        try:
            program = Program(started, cwd, env, log)
        except OSError as error:
            raise CommandFailed(f"cannot start {started[0]!r} in {cwd}: {error.strerror}") from None
        with program:
            _follow(program, sources)
        for sentence in sources.notes():
            log.write(f"stability: {sentence}\n".encode())
    if program.status != 0:
        raise _failure(program, sources, killed_by_kernel=processes.oom_kills() > kills)
    said = sources.overlooked()
    if problem := said if names_nonfinite(said or "") else sources.problem() or said:
        raise CommandFailed(problem)


def _sources(
    trainer: CommandTrainer, cwd: Path, values: Mapping[str, Any], trial: TrialSpec, recorder: Recorder
) -> Sources | Protocol:
    """Where the numbers come from; says on the way how they are defined."""
    if trainer.define:
        recorder.define(**trainer.define)
    if trainer.parse is None:
        return Protocol(trial)
    paths = {name: line.rendered(path, values) for name, path in line.paths(trainer).items()}
    return Sources(
        trainer.parse, {name: cwd / path for name, path in paths.items()}, recorder, trial.yardstick
    )


def _environment(trainer: CommandTrainer, values: Mapping[str, Any], trial: TrialSpec) -> dict[str, str]:
    """The study's own variables come last.

    Python prints at once, or a hang would hide what came before it.
    """
    ours = {"STABILITY_TRIAL_DIR": str(trial.directory.resolve()), "PYTHONUNBUFFERED": "1"}
    own = {name: line.rendered(text, values) for name, text in trainer.env.items()}
    return launch.still_observed(os.environ | ours | own, os.environ)


def _follow(program: Program, sources: Sources | Protocol) -> None:
    """Take in what the program says until it has ended, or the trial is lost."""
    try:
        looked_s = time.monotonic()
        for name, piece in program.output():
            sources.printed(name, piece) if piece else sources.quiet()
            if not piece or time.monotonic() - looked_s > LOOK_S:
                sources.look()
                looked_s = time.monotonic()
        sources.finish()
    except StopTrial as stop:
        program.wait(COURTESY_S)
        if program.status and program.last_line:
            raise StopTrial(f"{stop}; then exit status {program.status}: {program.last_line}") from None
        raise


def _failure(program: Program, sources: Sources | Protocol, *, killed_by_kernel: bool) -> Exception:
    """What a bad end of the program means."""
    words = program.ended_in_words
    if program.status == -signal.SIGKILL:
        if killed_by_kernel:
            return MemoryError("the program was killed by the kernel, which was short of memory")
        return ProgramLost("the program was killed (SIGKILL) from outside")
    if OUT_OF_MEMORY.search(program.last_line):
        return MemoryError(words)
    if (said := sources.overlooked()) and not names_nonfinite(words):
        return CommandFailed(f"{said}; then {words}")
    problem = None if sources.steps else sources.problem()
    return CommandFailed(f"{words}; {problem}" if problem else words)
