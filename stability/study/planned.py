"""The trials of a stage in Optuna: created once, whichever driver comes first; their parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from stability.params import Param, Scalar
from stability.plan.distributions import distribution
from stability.plan.proposal import Proposal
from stability.spec import StudySpec
from stability.store import Store
from stability.store.told import Told

CREATED_AT_ONCE = 200
"""So few that other drivers need not wait long for the database."""


def create(
    study: optuna.Study,
    spec: StudySpec,
    store: Store,
    missing: Iterable[Proposal],
    replaced: Sequence[FrozenTrial] = (),
) -> None:
    """Create the trials, waiting to be run. The caller holds `Store.exclusively`.

    What is stored of the `replaced` trials goes in the transaction that creates the one with the same key.
    """
    before = {trial.user_attrs["key"]: trial._trial_id for trial in replaced}
    remaining = iter(missing)
    while some := list(islice(remaining, CREATED_AT_ONCE)):
        with store.transaction() as connection:
            store.remove(connection, [before[p.key] for p in some if p.key in before])
            for proposal in some:
                trial_id = study._storage.create_new_trial(study._study_id, _waiting(proposal, spec))
                named = {"key": proposal.key, "arm": proposal.arm, "seed": proposal.seed}
                store.tell(connection, trial_id, Told(named))


def unfinished(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that are to be run, or that some driver runs, in the order of the plan."""
    return study.get_trials(deepcopy=False, states=(TrialState.WAITING, TrialState.RUNNING))


def superseded(existing: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Failed trials that no later one replaces yet."""
    done = {trial.user_attrs["key"] for trial in existing if trial.state is not TrialState.FAIL}
    return [t for t in existing if t.state is TrialState.FAIL and t.user_attrs["key"] not in done]


def params(study: optuna.Study, frozen: FrozenTrial, spec: StudySpec) -> dict[str, Scalar]:
    """The parameters of a trial: those it was created with, the others from the study's sampler."""
    if spec.params.keys() <= frozen.params.keys():
        return {name: frozen.params[name] for name in spec.params}
    trial = Trial(study, frozen._trial_id)
    return {name: _suggest(trial, param) for name, param in spec.params.items()}


def _waiting(proposal: Proposal, spec: StudySpec) -> FrozenTrial:
    """A trial as it is before it runs; its parameters are there already if the plan fixes them."""
    fixed = dict(proposal.params or {})
    return optuna.trial.create_trial(
        state=TrialState.WAITING,
        params=fixed,
        distributions={name: distribution(spec.params[name], stepped=False) for name in fixed},
    )


def _suggest(trial: Trial, param: Param) -> Scalar:
    if param.choices is not None:
        return trial.suggest_categorical(param.name, param.choices)
    if param.kind == "int":
        step = int(param.step or 1)
        return trial.suggest_int(param.name, param.low, param.high, log=param.log, step=step)
    return trial.suggest_float(param.name, param.low, param.high, log=param.log, step=param.step)
