"""Drives a study: propose -> submit -> judge -> store -> tell, one stage after another, resumable anywhere.

This process is the only writer of the database. Optuna holds which trials exist and their state; a trial
that is RUNNING there when a driver starts belongs to a driver that died, and is taken over.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import shutil
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import optuna
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import OperationalError

from stability import environment, objective, trainers, trialdir
from stability.executors import Executor
from stability.numerics import detectors
from stability.params import Param, Scalar
from stability.plan import proposals, search
from stability.plan.proposal import Proposal
from stability.policy import Policy
from stability.records import Ending, Outcome, Records, TrialSpec, UserError
from stability.spec import PlanEntry, SearchStage, StudySpec
from stability.store import Store
from stability.store.rows import trial_rows
from stability.verdict import judge

POLL_S = 0.5
MINIMUM_FREE_BYTES = 32 * 2**20


class Progress(Protocol):
    """Who watches a run."""

    def stage(self, name: str, planned: int, done: int) -> None:
        """A stage begins; `done` of its `planned` trials are in the store already."""

    def finished(self, trial: Mapping[str, Any]) -> None:
        """A trial is stored; its row of `stability_trials`."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a study: what it needs besides the study itself."""

    spec: StudySpec
    store: Store
    executor: Executor
    progress: Progress
    device: str = "auto"
    retry_failed: bool = False


def drive(run: Run) -> None:
    """Run every stage of the plan, finishing only what is missing.

    The study has passed `trainers.check`. Raises `UserError` when another driver has the study, when its
    trials would not be comparable with those already stored, or when the disk is full. However this ends,
    no child process is left and the next call resumes.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with contextlib.closing(run.executor), _sole_driver(run), _full_disk_in_words(run):
        resolved = trainers.resolved(run.spec)
        contents_sha256 = trainers.contents_sha256(*resolved)
        _check_comparable(run.spec, contents_sha256, run.store)
        storage = run.store.optuna_storage()
        stages = [_Stage(run, entry, resolved, storage) for entry in run.spec.plan]
        for stage in stages:  # refuse before anything runs or is recorded
            stage.check()
        captured = environment.capture(run.device)
        environment_id = run.store.add_environment(run.spec, contents_sha256, captured)
        for stage in stages:
            stage.finish(environment_id)


class _Stage:
    """One stage of a run; holds the Optuna trials that are under way."""

    def __init__(
        self,
        run: Run,
        entry: PlanEntry,
        resolved: tuple[Any, dict[str, Any]],
        storage: optuna.storages.RDBStorage,
    ) -> None:
        self._run = run
        self._entry = entry
        self._trainer, self._data = resolved
        self._under_way: dict[Path, tuple[Trial, TrialSpec]] = {}
        self._wanted = proposals(run.spec, entry)
        self._sampler_name = getattr(entry.stage, "sampler", None)
        name = f"{run.spec.name}.{entry.name}"
        if name not in optuna.get_all_study_names(storage):
            run.store.forget(run.spec.name, entry.name)
        self._study = optuna.create_study(study_name=name, storage=storage, load_if_exists=True)

    def check(self) -> None:
        """Raise `UserError` when trials that exist already were proposed or drawn in another way."""
        existing = self._study.get_trials(deepcopy=False)
        _check_unchanged(self._wanted, existing)
        drawn_by = self._study.user_attrs.get("sampler")
        if existing and drawn_by != self._sampler_name:
            change = f"was drawn by {drawn_by!r}, is to be drawn by {self._sampler_name!r} now"
            raise UserError(
                f"stage {self._entry.name!r} {change}; give the study a new name, or use another --storage"
            )
        self._study.set_user_attr("sampler", self._sampler_name)

    def finish(self, environment_id: int) -> None:
        """Run what the stage still lacks, in the environment of this run."""
        self._environment_id = environment_id
        wanted = self._wanted
        existing = self._study.get_trials(deepcopy=False)
        kept, superseded = self._kept(existing)
        self._run.store.remove(superseded)
        missing = deque(proposal for proposal in wanted if proposal.key not in kept)
        left_over = deque(t for t in existing if not t.state.is_finished())
        done = len(wanted) - len(missing) - len(left_over)
        if missing or left_over:
            cache = self._run.store.folder / "cache"
            self._run.executor.prepare(self._trainer, self._data, cache)
        self._run.progress.stage(self._entry.name, len(wanted), max(0, done))
        while left_over or missing or self._under_way:
            while (left_over or missing) and self._run.executor.free > 0:
                if left_over:
                    self._resume(left_over.popleft())
                else:
                    self._start(self._new(missing.popleft()))
            for directory in self._run.executor.finished(POLL_S):
                self._ingest(*self._under_way.pop(directory))

    def _kept(self, existing: Sequence[FrozenTrial]) -> tuple[set[str], list[int]]:
        """The keys that need no new trial, and the ids of failed trials that a new one replaces."""
        if not self._run.retry_failed:
            return {trial.user_attrs["key"] for trial in existing}, []
        kept = {trial.user_attrs["key"] for trial in existing if not _failed(trial)}
        failed = [trial for trial in existing if _failed(trial)]
        return kept, [trial._trial_id for trial in failed if trial.user_attrs["key"] not in kept]

    def _new(self, proposal: Proposal) -> Trial:
        """Create the proposed trial in Optuna; one transaction ties its key to it."""
        attrs = {"key": proposal.key, "arm": proposal.arm, "seed": proposal.seed}
        self._study.enqueue_trial(dict(proposal.params or {}), user_attrs=attrs)
        return self._ask(proposal.seed)

    def _ask(self, seed: int) -> Trial:
        self._choose_sampler(seed)
        return self._study.ask()

    def _choose_sampler(self, seed: int) -> None:
        if isinstance(self._entry.stage, SearchStage):
            self._study.sampler = search.sampler(self._entry.stage, seed)

    def _resume(self, left_over: FrozenTrial) -> None:
        """Take over a trial of a driver that died: store it if it is complete, else run it again."""
        seed = left_over.user_attrs["seed"]
        if left_over.state is TrialState.WAITING:
            return self._start(self._ask(seed))
        self._choose_sampler(seed)
        trial = Trial(self._study, left_over._trial_id)
        spec = self._trial_spec(trial)
        if _is_complete(spec):
            return self._ingest(trial, spec)
        return self._start(trial)

    def _start(self, trial: Trial) -> None:
        _check_free_space(self._run.store.folder)
        spec = self._trial_spec(trial)
        trialdir.create(spec)
        self._run.executor.submit(spec)
        self._under_way[spec.directory] = (trial, spec)

    def _trial_spec(self, trial: Trial) -> TrialSpec:
        """What this trial runs; asks the sampler for the parameters that are not fixed."""
        spec, attrs = self._run.spec, trial.user_attrs
        folder = self._run.store.folder
        return TrialSpec(
            study=spec.name,
            stage=self._entry.name,
            number=trial.number,
            key=attrs["key"],
            arm=attrs["arm"],
            params={name: _suggest(trial, param) for name, param in spec.params.items()},
            seed=attrs["seed"],
            epochs=spec.budget.epochs,
            batch_size=spec.budget.batch_size,
            max_steps=spec.budget.max_steps,
            timeout_s=spec.budget.timeout_s,
            device=self._run.device,
            trainer=self._trainer,
            data=self._data,
            model=spec.model,
            yardstick=spec.yardstick,
            directory=folder / spec.name / self._entry.name / f"{trial.number:05d}",
            cache=folder / "cache",
        )

    def _ingest(self, trial: Trial, spec: TrialSpec) -> None:
        """Judge an ended trial, store it, then tell Optuna; repeating this after a kill changes nothing."""
        records, ending = _read(spec)
        verdict = judge(records, ending, spec.yardstick)
        rows = trial_rows(spec, records, ending, verdict, self._environment_id)
        self._run.store.add(trial._trial_id, rows)
        cap = self._run.store.largest_initial_yardstick(spec.study)
        objective.tell(self._study, trial, records, verdict, rows, cap)
        self._run.progress.finished(rows.trial)


def _read(spec: TrialSpec) -> tuple[Records, Ending]:
    """A complete trial's records, with the events of a trainer that did not watch itself."""
    ending = trialdir.read_ending(spec.directory)
    try:
        records = trialdir.read_records(spec.directory)
        _check_components(records, spec)
    except ValueError as error:
        return Records(), replace(ending, outcome=Outcome.CRASHED, error=str(error))
    finished = ending.outcome is Outcome.FINISHED
    events = records.events or tuple(detectors.scan(records, spec.yardstick, Policy(), finished=finished))
    return replace(records, events=events), ending


def _check_components(records: Records, spec: TrialSpec) -> None:
    """Raise `ValueError` for an evaluation (by a foreign program) that lacks a part of the yardstick."""
    for evaluation in records.evaluations:
        if missing := spec.yardstick.keys() - evaluation.losses.keys():
            raise ValueError(f"an evaluation lacks {', '.join(sorted(missing))}, which the yardstick weighs")


def _suggest(trial: Trial, param: Param) -> Scalar:
    """The trial's value of a parameter: fixed when it was enqueued, else from the sampler."""
    if param.choices is not None:
        return trial.suggest_categorical(param.name, param.choices)
    if param.kind == "int":
        step = int(param.step or 1)
        return trial.suggest_int(param.name, param.low, param.high, log=param.log, step=step)
    return trial.suggest_float(param.name, param.low, param.high, log=param.log, step=param.step)


def _is_complete(spec: TrialSpec) -> bool:
    """Whether the directory holds this very trial, ended: an older database may have left another there."""
    if trialdir.read_ending(spec.directory) is None:
        return False
    found = trialdir.read_spec(spec.directory)
    return found.key == spec.key and dict(found.params) == dict(spec.params) and found.seed == spec.seed


def _failed(trial: FrozenTrial) -> bool:
    return trial.state is TrialState.FAIL


def _check_unchanged(wanted: Sequence[Proposal], existing: Sequence[FrozenTrial]) -> None:
    """Raise `UserError` when a trial that exists already is now proposed with other settings."""
    settings = {t.user_attrs["key"]: t.system_attrs.get("fixed_params", {}) | t.params for t in existing}
    for proposal in wanted:
        before = settings.get(proposal.key)
        if before is None or proposal.params is None:
            continue
        for name, value in proposal.params.items():
            if before.get(name, value) != value:
                change = f"{name} was {before[name]!r}, is {value!r} now"
                raise UserError(
                    f"{proposal.key} ran with other settings ({change}); "
                    "give the study a new name, or use another --storage"
                )


def _check_comparable(spec: StudySpec, contents_sha256: str, store: Store) -> None:
    """Raise `UserError` when stored trials of this study mean something else than new ones would."""
    if spec.name not in store.studies():
        return
    before = store.environment(spec.name)
    same = before["trial_sha256"] == spec.trial_sha256
    if same and before["contents_sha256"] == contents_sha256:
        return
    fixed = ("trainer", "data", "model", "budget", "params", "yardstick", "seed")
    changed = [key for key in fixed if before["spec"].get(key) != spec.document.get(key)]
    what_changed = "content of the corpus" if spec.trainer == "tts" else "version of the trainer's file"
    raise UserError(
        f"study {spec.name!r} in {store.url} ran with another {' and '.join(changed) or what_changed}; "
        "its trials would not compare: give the study a new name, or use another --storage"
    )


@contextlib.contextmanager
def _sole_driver(run: Run) -> Iterator[None]:
    """Hold the study's lock; the system releases it however this process ends."""
    folder = run.store.folder / run.spec.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "driver.lock").open("w")
    except OSError as error:
        raise UserError(
            f"{folder}: error: cannot write here ({error.strerror}); use another --storage"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"study {run.spec.name!r} is being run by another process; wait or end it"
            ) from None
        yield


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
        f"{run.store.url}: error: {why}; what was stored is kept: mend it and run the same command to go on"
    )


def _check_free_space(folder: Path) -> None:
    """Stop before a trial that could not be stored."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < MINIMUM_FREE_BYTES:
        sizes = f"{free_bytes / 2**20:.0f} MiB free, {MINIMUM_FREE_BYTES / 2**20:.0f} MiB needed"
        raise OSError(errno.ENOSPC, f"no space left on the device ({sizes})", str(folder))
