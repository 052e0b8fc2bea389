"""Drives a study: plan -> claim -> submit -> judge -> store, one stage after another, resumable anywhere.

A driver is the only writer of what it claimed; several may share a database and divide a study between them.
Which trials exist, and what state they are in, is in Optuna's tables; see `store.claims` for who runs which.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import optuna
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import OperationalError

from stability import environment, trainers
from stability.executors import Executor
from stability.records import UserError
from stability.spec import StudySpec
from stability.store import Store
from stability.store.claims import LEASE_S, Claims
from stability.study import alike, comparable
from stability.study.alike import FailedAlike
from stability.study.limits import LimitReached, Limits
from stability.study.stage import Stage

__all__ = ["FailedAlike", "Progress", "Run", "drive"]


class Progress(Protocol):
    """Who watches a run."""

    def stage(self, name: str, planned: int, done: int) -> None:
        """A stage begins; `done` of its `planned` trials are in the store already. Again: that changed."""

    def finished(self, trial: Mapping[str, Any]) -> None:
        """A trial is stored; its row of `stability_trials`."""

    def note(self, sentence: str) -> None:
        """Something a person should know: a trial is tried again, other drivers are waited for."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a study: what it needs besides the study itself."""

    spec: StudySpec
    store: Store
    executor: Executor
    progress: Progress
    device: str = "auto"
    retry_failed: bool = False
    lease_s: float = LEASE_S


def drive(run: Run) -> str | None:
    """Run every stage of the plan, finishing only what is missing.

    The study has passed `trainers.check`. Returns None when the plan is done, else what ended it before, or
    a stage of it: a limit of the study, or that all trials of a stage failed. Raises `FailedAlike` when no
    trial gave evidence and too many failed for one reason, `UserError` when its trials would not be
    comparable with those already stored, or when the disk is full. However this ends, no child process is
    left and the next call resumes.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with contextlib.closing(run.executor), _full_disk_in_words(run):
        resolved = trainers.resolved(run.spec)
        captured = environment.capture(run.device)
        with run.store.exclusively():  # refuse before anything runs or is recorded
            storage = run.store.optuna_storage()
            contents_sha256 = trainers.contents_sha256(*resolved)
            mended = comparable.check_study(run.spec, contents_sha256, run.store)
            limits = Limits(run.spec, run.store)
            again = alike.to_run_again(run.spec, run.store, mended=mended)
            stages = [Stage(run, entry, resolved, storage, limits, again) for entry in run.spec.plan]
            for stage in stages:
                stage.check()
            environment_id = run.store.add_environment(run.spec, contents_sha256, captured)
        # children end first: from then on their directories are another driver's to use
        with contextlib.closing(run.store.claims(run.lease_s)) as claims, contextlib.closing(run.executor):
            return _finish(stages, claims, environment_id)


def _finish(stages: list[Stage], claims: Claims, environment_id: int) -> str | None:
    ended = []
    try:
        for stage in stages:
            ended.append(stage.finish(claims, environment_id))
    except LimitReached as reached:
        ended.append(str(reached))
    return "\n".join(filter(None, ended)) or None


@contextlib.contextmanager
def _full_disk_in_words(run: Run) -> Iterator[None]:
    """Turn a full disk, or a database that refuses to be written, into one line that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _cannot_write(run, error.strerror) from error
    except (OperationalError, StorageInternalError) as error:
        raise _cannot_write(run, str(getattr(error.__cause__ or error, "orig", error))) from error


def _cannot_write(run: Run, why: str) -> UserError:
    return UserError(
        f"{run.store.name}: error: {why}; what was stored is kept: mend it and run the same command to go on"
    )
