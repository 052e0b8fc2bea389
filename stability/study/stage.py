"""One stage of a run: claims its trials, has them run, tries again what failed for reasons of its own."""

from __future__ import annotations

import errno
import shutil
import time
from collections import deque
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import IntegrityError

from stability import processes, trialdir
from stability.evidence.alike_failures import Alike
from stability.plan import attribute, batches, boundary, proposals, search
from stability.plan.distributions import distribution
from stability.plan.failed_settings import left_out
from stability.plan.proposal import Proposal
from stability.records import Outcome, TrialSpec, VerdictLabel
from stability.spec import AttributeStage, BoundaryStage, PlanEntry, SearchStage
from stability.store.claims import Claim, Claims, Refusal
from stability.study import alike, comparable, ingest, planned
from stability.study.alike import FailedAlike
from stability.study.limits import Limits

if TYPE_CHECKING:
    from stability.study import Run

POLL_S = 0.5
ASK_AGAIN_S = 2.0
MINIMUM_FREE_BYTES = 32 * 2**20
ADAPTIVE = (BoundaryStage, SearchStage)
LEAVE_OUT_INERT = (AttributeStage, BoundaryStage)
RETRIED = frozenset({Outcome.LOST, Outcome.OUT_OF_MEMORY})
"""Ends that another try may not meet. What the trainer itself did would come back with the same seed."""


class Stage:
    """One stage of a run; holds the trials that are under way."""

    def __init__(
        self,
        run: Run,
        entry: PlanEntry,
        resolved: tuple[Any, dict[str, Any]],
        storage: optuna.storages.RDBStorage,
        limits: Limits,
        again: Collection[int] = (),
    ) -> None:
        """Open the stage in Optuna. The caller holds `Store.exclusively`.

        `again` are failed trials that are run once more, whether that is asked for or not.
        """
        self._run, self._entry, self._limits, self._again = run, entry, limits, again
        self._failing: Alike | None = None
        self._trainer, self._data = resolved
        self._under_way: dict[Path, tuple[FrozenTrial, Claim, TrialSpec]] = {}
        self._held: deque[FrozenTrial] = deque()
        self._asked_s = 0.0
        self._planned = self._done = 0
        self._told_of_others = False
        self._told_of_choices: set[str] = set()
        name = f"{run.spec.name}.{entry.name}"
        if name not in optuna.get_all_study_names(storage):
            run.store.forget(run.spec.name, entry.name)
        self._study = optuna.create_study(study_name=name, storage=storage, load_if_exists=True)

    def check(self) -> None:
        """Raise `UserError` when trials that exist already were proposed or drawn in another way."""
        existing = self._study.get_trials(deepcopy=False)
        comparable.check_settings(proposals(self._run.spec, self._entry, self._inert()), existing)
        sampler = getattr(self._entry.stage, "drawn_by", None)
        if existing:
            comparable.check_sampler(self._entry.name, sampler, self._study.user_attrs.get("sampler"))
        self._study.set_user_attr("sampler", sampler)

    def finish(self, claims: Claims, environment_id: int) -> str | None:
        """Run what the stage still lacks, in the environment of this run.

        Returns why it ended before that, where all its trials failed. Raises `LimitReached`, and
        `FailedAlike` where those of the whole study did.
        """
        self._claims, self._environment_id, self._without = claims, environment_id, self._inert()
        wanted = batches(self._run.spec, self._entry, self._without)
        self._planned = sum(map(len, wanted))
        self._done = self._count_done({proposal.key for batch in wanted for proposal in batch})
        self._run.progress.stage(self._entry.name, self._planned, self._done)
        for i, batch in enumerate(wanted):
            later = {proposal.key for others in wanted[i + 1 :] for proposal in others}
            self._create_missing(batch, later)
            self._run_all(later)
            if self._failing is not None:
                return alike.explained(self._run.spec, self._run.store, self._failing, self._entry.name)
            if later and self._is_answered():
                return None
        if isinstance(self._entry.stage, AttributeStage):
            self._confirm(self._entry.stage)
        return None

    def _inert(self) -> Collection[str]:
        """What stage `liveness` has shown to change nothing, for the stages that leave it out."""
        store, name = self._run.store, self._run.spec.name
        if not isinstance(self._entry.stage, LEAVE_OUT_INERT) or name not in store.studies():
            return ()
        from stability.evidence.liveness import inert  # here: pandas and scipy, for these stages alone
        from stability.evidence.printed import is_printed

        return inert(store.trials(name), exact=not is_printed(self._run.spec.trainer))

    def _confirm(self, stage: AttributeStage) -> None:
        """Try the setting with the largest part once more, alone and on fresh seeds."""
        from stability.evidence.crossed import attributions, culprit

        spec, compared = self._run.spec, self._run.spec.compare
        sides = [spec.arm_params(arm) for arm in (compared.baseline, compared.treatment)]
        found = culprit(attributions(self._run.store.trials(spec.name), *sides))
        if found is not None:
            more = attribute.confirm(spec, stage, found)
            self._planned += len(more)
            self._done += self._count_done({proposal.key for proposal in more})
            self._run.progress.stage(self._entry.name, self._planned, self._done)
            self._create_missing(more, set())
            self._run_all(set())

    def _count_done(self, wanted: set[str]) -> int:
        """How many of these keys need no trial any more."""
        existing = self._study.get_trials(deepcopy=False)
        again = self._to_run_again(existing)
        done = {trial.user_attrs["key"] for trial in existing if trial.state.is_finished()}
        done -= {trial.user_attrs["key"] for trial in [*again, *planned.unfinished(self._study)]}
        return len(done & wanted)

    def _to_run_again(self, existing: list[FrozenTrial]) -> list[FrozenTrial]:
        """The failed trials that others are to replace; an undecided one would record the same again."""
        failed = planned.superseded(existing)
        if not self._run.retry_failed:
            return [trial for trial in failed if trial._trial_id in self._again]
        undecided = self._run.store.undecided(self._run.spec.name)
        return [trial for trial in failed if trial._trial_id not in undecided]

    def _is_answered(self) -> bool:
        """Whether a look that the plan allows ends the stage; if so, says why and what was not needed."""
        from stability.evidence import sequential  # here: pandas and scipy, for a stage with looks alone

        design = sequential.design_of(self._run.spec)
        if design is None:
            return False
        course = sequential.follow(self._run.store.trials(self._run.spec.name), design)
        if course.ended_early:
            self._run.progress.note(sequential.sentence(course))
            self._run.progress.stage(self._entry.name, course.trials, course.trials)
        return course.ended_early

    def _create_missing(self, batch: list[Proposal], later: set[str]) -> None:
        store = self._run.store
        with store.exclusively():
            existing = _without(later, self._study.get_trials(deepcopy=False))
            again = self._to_run_again(existing)
            kept = {t.user_attrs["key"] for t in existing} - {t.user_attrs["key"] for t in again}
            missing = [proposal for proposal in batch if proposal.key not in kept]
            planned.create(self._study, self._run.spec, store, missing, again)

    def _run_all(self, later: set[str]) -> None:
        """Run every trial that is not finished, and wait for those that other drivers run.

        Where all fail alike, only those under way come to their end: one of them may give evidence.
        """
        remaining = deque(_without(later, planned.unfinished(self._study)))
        if remaining:
            self._run.executor.prepare(self._trainer, self._data, self._run.store.folder / "cache")
        while remaining or self._held or self._under_way:
            self._limits.check_time()
            self._claims.beat()
            while remaining and self._failing is None and self._run.executor.free > 0:
                self._claim(remaining.popleft())
            if self._failing is not None and not self._under_way:
                return
            self._ask_again(remaining)
            self._wait(more=bool(remaining))

    def _claim(self, frozen: FrozenTrial) -> None:
        """Start a trial, or store it if it is complete; one that another driver has is set aside."""
        try:
            with self._run.store.transaction() as connection:
                claim = self._claims.take(connection, frozen._trial_id)
                if isinstance(claim, Claim):
                    self._study._storage.set_trial_state_values(frozen._trial_id, TrialState.RUNNING)
        except IntegrityError:  # two took it at the same moment, and the database let the other have it
            claim = Refusal.HELD
        if isinstance(claim, Claim):
            self._start_or_take_over(frozen, claim)
        elif claim is Refusal.HELD:
            self._hold(frozen)
        else:
            self._done += 1
            self._run.progress.stage(self._entry.name, self._planned, self._done)

    def _hold(self, frozen: FrozenTrial) -> None:
        """Set a trial aside that another driver runs."""
        self._held.append(frozen)
        if not self._told_of_others:
            self._told_of_others = True
            self._run.progress.note("other drivers run some of these trials; waiting for them at the end")

    def _start_or_take_over(self, frozen: FrozenTrial, claim: Claim) -> None:
        self._choose_sampler(frozen)
        spec = self._trial_spec(frozen, claim)
        if claim.orphaned and _is_complete(spec):
            self._ingest(frozen, claim, spec)
        else:
            self._start(frozen, claim, spec)

    def _start(self, frozen: FrozenTrial, claim: Claim, spec: TrialSpec) -> None:
        _check_free_space(self._run.store.folder)
        if (left_behind := trialdir.read_process(spec.directory)) is not None:
            processes.end_group(left_behind)
        trialdir.create(spec)
        self._run.executor.submit(spec)
        self._under_way[spec.directory] = (frozen, claim, spec)

    def _ask_again(self, remaining: deque[FrozenTrial]) -> None:
        """Now and then, look whether what others held is free or finished."""
        if self._held and not remaining and time.monotonic() - self._asked_s >= ASK_AGAIN_S:
            self._asked_s = time.monotonic()
            remaining.extend(self._held)
            self._held.clear()

    def _wait(self, *, more: bool) -> None:
        """Take in what ends; with nothing under way, wait for other drivers or for `more` to find a place."""
        if not self._under_way:
            if self._held or more:
                time.sleep(POLL_S)
            return
        for directory in self._run.executor.finished(POLL_S):
            self._ingest(*self._under_way.pop(directory))

    def _ingest(self, frozen: FrozenTrial, claim: Claim, spec: TrialSpec) -> None:
        ended = ingest.read(spec)
        inconclusive = ended.verdict.label is VerdictLabel.INCONCLUSIVE
        if inconclusive and ended.ending.outcome in RETRIED and claim.attempt < self._run.spec.limits.retries:
            return self._try_again(frozen, ended)
        row = ingest.store_trial(
            self._run.store, self._study, self._claims, claim, ended, self._environment_id
        )
        if row is None:
            return self._hold(frozen)
        self._done += 1
        self._run.progress.finished(row)
        if (
            self._entry is self._run.spec.plan[0]
            and self._done == 1
            and (unused := ingest.unused_signals(ended))
        ):
            self._run.progress.note(unused)
        if inconclusive:
            self._limits.check_failures()
            self._tell_of_left_out()
            return self._check_alike()
        self._failing = None
        return None

    def _check_alike(self) -> None:
        """Raise `FailedAlike` where the whole study fails; where the stage does, start no more of it.

        Neither while a trial is under way that has come further than those that failed.
        """
        spec, store = self._run.spec, self._run.store
        study, stage = alike.failing(spec, store), alike.failing(spec, store, self._entry.name)
        self._failing = None
        if (study or stage) is None or self._is_promising(study or stage):
            return
        if study is not None:
            raise FailedAlike(alike.explained(spec, store, study))
        if stage is not None:
            ended = self._run.store.failures(spec.name, self._entry.name)
            self._run.progress.note(f"stage {self._entry.name} ends: {alike.counted(stage, len(ended))}")
            self._failing = stage

    def _is_promising(self, failed: Alike) -> bool:
        """Whether a trial under way has recorded more steps than those that failed."""
        most = max(row["steps"] for row in failed.trials)
        return any(trialdir.count_steps(directory) > most for directory in self._under_way)

    def _try_again(self, frozen: FrozenTrial, ended: ingest.Ended) -> None:
        """Start the same trial once more, in a directory of its own."""
        claim = self._claims.next_attempt(frozen._trial_id)
        if claim is None:
            return self._hold(frozen)
        count = f"try {claim.attempt + 1} of {self._run.spec.limits.retries + 1}"
        why = ended.ending.error or ended.ending.outcome.value
        self._run.progress.note(f"{ended.spec.key}: {ended.ending.outcome}, {why}; {count}")
        return self._start(frozen, claim, self._trial_spec(frozen, claim))

    def _tell_of_left_out(self) -> None:
        """Say which choices the sampler proposes no more, once each."""
        if not isinstance(self._entry.stage, ADAPTIVE):
            return
        ranges = {name: distribution(param) for name, param in self._run.spec.params.items()}
        for name, choices in left_out(self._study.get_trials(deepcopy=False), ranges).items():
            for choice, count in choices.items():
                sentence = f"{name}={choice} crashed in {count} of {count} trials; no longer proposed"
                if sentence not in self._told_of_choices:
                    self._told_of_choices.add(sentence)
                    self._run.progress.note(sentence)

    def _choose_sampler(self, frozen: FrozenTrial) -> None:
        seed = frozen.user_attrs["seed"]
        match self._entry.stage:
            case SearchStage() as stage:
                self._study.sampler = search.sampler(self._run.spec, stage, seed)
            case BoundaryStage() as stage:
                self._study.sampler = boundary.sampler(self._run.spec, stage, seed, self._without)

    def _trial_spec(self, frozen: FrozenTrial, claim: Claim) -> TrialSpec:
        """What this attempt at the trial runs; asks the sampler for the parameters that are not fixed."""
        spec, attrs = self._run.spec, frozen.user_attrs
        folder, budget = self._run.store.folder, spec.budget
        name = f"{frozen.number:05d}" + (f"-{claim.attempt}" if claim.attempt else "")
        return TrialSpec(
            study=spec.name,
            stage=self._entry.name,
            number=frozen.number,
            key=attrs["key"],
            arm=attrs["arm"],
            params=planned.params(self._study, frozen, spec),
            seed=attrs["seed"],
            epochs=budget.epochs,
            batch_size=budget.batch_size,
            max_steps=budget.max_steps,
            timeout_s=budget.timeout_s,
            memory_bytes=None if budget.memory_gb is None else int(budget.memory_gb * 1e9),
            device=self._run.device,
            trainer=self._trainer,
            data=self._data,
            model=spec.model,
            yardstick=spec.yardstick,
            directions=spec.directions,
            directory=folder / spec.name / self._entry.name / name,
            cache=folder / "cache",
        )


def _without(later: set[str], trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """The trials that are not of a later part of the plan, which may turn out not to be needed."""
    return [trial for trial in trials if trial.user_attrs["key"] not in later]


def _is_complete(spec: TrialSpec) -> bool:
    """Whether the directory holds this very trial, ended: an older database may have left another there."""
    if not trialdir.is_whole(spec.directory):
        return False
    found = trialdir.read_spec(spec.directory)
    bounds = {name: getattr(spec, name) for name in ("timeout_s", "memory_bytes", "device", "cache")}
    return replace(found, **bounds) == spec


def _check_free_space(folder: Path) -> None:
    """Stop before a trial that could not be stored."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < MINIMUM_FREE_BYTES:
        sizes = f"{free_bytes / 2**20:.0f} MiB free, {MINIMUM_FREE_BYTES / 2**20:.0f} MiB needed"
        raise OSError(errno.ENOSPC, f"no space left on the device ({sizes})", str(folder))
