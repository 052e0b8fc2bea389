"""Runs -> trials in the store: each in a trial directory, as if it had been watched."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path

import optuna

from stability import environment, trialdir
from stability.importing import ended
from stability.importing.runs import Run
from stability.importing.study import ARM
from stability.judging.last_words import names_nonfinite
from stability.judging.policy import Policy
from stability.plan.proposal import Proposal
from stability.recorder import TrialRecorder
from stability.records import Ending, Outcome, StopTrial, TrialSpec, UserError
from stability.spec import StudySpec
from stability.store import Store
from stability.store.claims import Claim, Claims
from stability.study import ingest, planned


def add(spec: StudySpec, runs: Sequence[Run], store: Store) -> None:
    """Store every run as a trial, with its verdict. Raises `UserError` for a study that is there already."""
    if spec.name in store.studies():
        raise UserError(f"{store.name} has a study {spec.name!r} already; choose another --name or --storage")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    stage = spec.plan[0].name
    with store.exclusively():
        storage = store.optuna_storage()
        study = optuna.create_study(study_name=f"{spec.name}.{stage}", storage=storage)
        environment_id = store.add_environment(spec, _contents_sha256(runs), environment.capture("cpu"))
        planned.create(study, spec, store, _proposals(spec, runs))
    with contextlib.closing(store.claims()) as claims:
        for run, frozen in zip(runs, planned.unfinished(study), strict=True):
            claim = _claimed(store, claims, frozen._trial_id)
            trial = _trial(spec, run, frozen, store.folder / spec.name / stage / f"{frozen.number:05d}")
            replay(run, trial)
            ingest.store_trial(store, study, claims, claim, ingest.read(trial), environment_id)


def _proposals(spec: StudySpec, runs: Sequence[Run]) -> list[Proposal]:
    """Trials without a seed of their own have different ones, so that none are taken for pairs."""
    known = all(run.seed is not None for run in runs)
    found, counts = [], {}
    for i, run in enumerate(runs):
        arm = run.params.get(ARM)
        k = counts[arm] = counts.get(arm, -1) + 1
        seed = run.seed if known else i
        settings = {name: run.params[name] for name in spec.params}
        key = f"trial-{i}" if arm is None else f"{arm}/seed-{seed if known else k}"
        found.append(Proposal(key, arm, seed, settings))
    keys = [proposal.key for proposal in found]
    if repeated := {key for key in keys if keys.count(key) > 1}:
        raise UserError(f"two runs are {', '.join(sorted(repeated))}; leave one out, or name arms apart")
    return found


def _claimed(store: Store, claims: Claims, trial_id: int) -> Claim:
    with store.transaction() as connection:
        claim = claims.take(connection, trial_id)
    if not isinstance(claim, Claim):
        raise UserError(f"{store.name}: another process imports into this study")
    return claim


def _trial(spec: StudySpec, run: Run, frozen: optuna.trial.FrozenTrial, directory: Path) -> TrialSpec:
    attrs = frozen.user_attrs
    return TrialSpec(
        study=spec.name,
        stage=spec.plan[0].name,
        number=frozen.number,
        key=attrs["key"],
        arm=attrs["arm"],
        params=dict(frozen.params),
        seed=attrs["seed"],
        epochs=max(1, run.epochs),
        batch_size=spec.budget.batch_size,
        max_steps=None,
        timeout_s=spec.budget.timeout_s,
        device="cpu",
        trainer={"imported": str(run.path.resolve())},
        data={},
        model={},
        yardstick=spec.yardstick,
        directions=spec.directions,
        directory=directory,
        cache=directory.parents[1] / "cache",
    )


def replay(run: Run, trial: TrialSpec) -> None:
    """Record the log into the trial's directory. It ends where the rules would have stopped the trial."""
    trialdir.create(trial)
    recorder = TrialRecorder(trial, Policy())
    end = ended.end(run.files[-1], run.kind)
    with trialdir.output(trial.directory) as output:
        output.write(end)
    try:
        sources = run.sources(recorder, trial.yardstick)
        sources.finish()
        recorder.finish()
        ending = _ending(run, ended.failure(end, run.parse), sources.overlooked())
    except StopTrial as stop:
        ending = Ending(Outcome.STOPPED, error=str(stop))
    finally:
        recorder.close()
    trialdir.write_ending(trial.directory, ending)


def _ending(run: Run, failure: Ending | None, overlooked: str | None) -> Ending:
    """How it ended: by its failure, unless only what it printed before says that its numbers broke."""
    if failure is not None and (overlooked is None or names_nonfinite(failure.error or "")):
        return failure
    if overlooked is not None:
        said = f"{overlooked}; then {failure.error}" if failure is not None else overlooked
        return Ending(Outcome.CRASHED, error=said)
    return Ending(Outcome.FINISHED if run.problem is None else Outcome.CRASHED, error=run.problem)


def _contents_sha256(runs: Sequence[Run]) -> str:
    digest = hashlib.sha256()
    for run in runs:
        files = sorted(run.path.rglob("*tfevents*")) if run.path.is_dir() else run.files
        for file in files:
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()
