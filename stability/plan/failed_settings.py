"""What samplers make of trials that failed: settings that lead nowhere, and choices that always fail.

Optuna's own samplers do not see such trials. Nothing is written here: in the store a failed trial stays FAIL.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from stability.objective import CONSTRAINT
from stability.records import Outcome

Ranges = Mapping[str, BaseDistribution]
LeftOut = dict[str, dict[Any, int]]
"""Parameter -> its choices that are not to be proposed -> in how many trials each failed."""

TRIES_OF_A_CHOICE = 3
DRAWS, RANDOM_DRAWS = 3, 100
"""How often a sampler may choose again, and then chance, before a setting that failed is accepted."""
_EVIDENCE = (TrialState.COMPLETE, TrialState.PRUNED)


class AvoidingSampler(BaseSampler):
    """Another sampler, to which a trial that failed is a bad one: infeasible, with the worst value there is.

    It proposes no setting again that failed, and no choice that always does, while there are others.
    `params` are the study's ranges, which makes a setting known as a whole; else only what the other
    sampler chooses together is. With nothing failed it is the other sampler.
    """

    def __init__(self, inner: BaseSampler, *, params: Ranges | None = None, seed: int | None = None) -> None:
        self._inner, self._random = inner, RandomSampler(seed=seed)
        self._params = None if params is None else {n: one for n, one in params.items() if not one.single()}

    def reseed_rng(self) -> None:
        self._inner.reseed_rng()
        self._random.reseed_rng()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        view = _View(study)
        if self._params is None or not failed(view.get_trials(deepcopy=False)):
            return self._inner.infer_relative_search_space(view, trial)
        return dict(self._params)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        trials = study.get_trials(deepcopy=False)
        if not failed(trials):
            return self._inner.sample_relative(_View(study), trial, search_space)
        bad = [
            {n: one.params[n] for n in search_space} for one in failed(trials) if inside(one, search_space)
        ]
        out = left_out(trials, search_space)
        for _ in range(DRAWS):
            setting = self._drawn(study, trial, search_space)
            if not setting or not (_has(setting, out) or setting in bad):
                return setting
        setting |= {name: self._allowed(study, trial, name, search_space[name], out) for name in out}
        for _ in range(RANDOM_DRAWS):
            if setting not in bad:
                break
            setting = {n: self._allowed(study, trial, n, one, out) for n, one in search_space.items()}
        return setting

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        view = _View(study, {param_name: param_distribution})
        value = self._inner.sample_independent(view, trial, param_name, param_distribution)
        trials = study.get_trials(deepcopy=False)
        out = left_out(trials, {param_name: param_distribution}) if failed(trials) else {}
        if _has({param_name: value}, out):
            return self._allowed(study, trial, param_name, param_distribution, out)
        return value

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._inner.before_trial(study, trial)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        self._inner.after_trial(study, trial, state, values)

    def _drawn(self, study: Study, trial: FrozenTrial, search_space: Ranges) -> dict[str, Any]:
        """What the other sampler proposes: all of it where the study's ranges are known."""
        if self._params is None:
            return self._inner.sample_relative(_View(study, search_space), trial, dict(search_space))
        joint = self._inner.infer_relative_search_space(_View(study), trial)
        setting = self._inner.sample_relative(_View(study, joint), trial, joint)
        for name, one in search_space.items():
            if name not in setting:
                view = _View(study, {name: one})
                setting[name] = self._inner.sample_independent(view, trial, name, one)
        return {name: setting[name] for name in search_space}

    def _allowed(
        self, study: Study, trial: FrozenTrial, name: str, one: BaseDistribution, out: LeftOut
    ) -> Any:
        """A value at random, of those that are not left out."""
        return self._random.sample_independent(study, trial, name, reduced({name: one}, out)[name])


class _View(Study):
    """A study as it is now, in which trials that failed in `space` have ended badly; only to be read."""

    def __init__(self, study: Study, space: Ranges | None = None) -> None:
        self.__dict__.update(study.__dict__)
        trials = self._storage.get_all_trials(self._study_id, deepcopy=False)
        bad = {one.number for one in failed(trials) if space is not None and inside(one, space)}
        complete = [one for one in trials if one.state is TrialState.COMPLETE]
        worst = [_worst(complete, i, direction) for i, direction in enumerate(self.directions)]
        prefix, _, own = CONSTRAINT.rpartition(":")
        names = {name for one in complete for name in one.constraints} if complete else {own}
        broken = {f"{prefix}:{name}": 1.0 for name in sorted(names)}
        self._seen = [_as_bad(one, worst, broken) if one.number in bad else one for one in trials]

    def _get_trials(self, deepcopy=True, states=None, use_cache=False) -> list[FrozenTrial]:  # noqa: ARG002
        found = [trial for trial in self._seen if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found


def failed(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """The trials whose setting may be why they failed.

    Not those whose machine was lost, nor those that a later trial of the same key replaces.
    """
    trials = list(trials)
    newest = {trial.user_attrs.get("key", trial.number): trial.number for trial in trials}
    return [
        trial
        for trial in trials
        if trial.state is TrialState.FAIL
        and trial.params
        and trial.user_attrs.get("outcome") != Outcome.LOST
        and newest[trial.user_attrs.get("key", trial.number)] == trial.number
    ]


def left_out(trials: Iterable[FrozenTrial], space: Ranges) -> LeftOut:
    """The choices that failed in every trial, at least `TRIES_OF_A_CHOICE`, where another gave evidence.

    A failure counts against one choice alone: that which failed most often.
    """
    trials = list(trials)
    ranges = {n: one for n, one in space.items() if isinstance(one, CategoricalDistribution)}
    good = {place for one in trials if one.state in _EVIDENCE for place in _choices(one, ranges)}
    comparable = {name for name, _ in good}
    remaining = [set(_choices(one, ranges)) for one in failed(trials)]
    out: LeftOut = {}
    while True:
        counts = Counter(
            place for places in remaining for place in sorted(places - good) if place[0] in comparable
        )
        place, count = max(counts.items(), key=lambda item: item[1], default=(None, 0))
        if count < TRIES_OF_A_CHOICE:
            return out
        name, index = place
        out.setdefault(name, {})[ranges[name].choices[index]] = count
        remaining = [places for places in remaining if place not in places]


def reduced(space: Ranges, out: LeftOut) -> dict[str, BaseDistribution]:
    """The ranges without what is left out."""
    return {
        name: CategoricalDistribution([c for c in one.choices if not _is_out(name, c, out)])
        if name in out
        else one
        for name, one in space.items()
    }


def inside(trial: FrozenTrial, space: Ranges) -> bool:
    """Whether a trial lies in all these ranges."""
    return all(name in trial.params and _contains(one, trial.params[name]) for name, one in space.items())


def _contains(one: BaseDistribution, value: Any) -> bool:
    try:
        return one._contains(one.to_internal_repr(value))
    except ValueError:  # a choice that it does not have
        return False


def _choices(trial: FrozenTrial, ranges: Mapping[str, CategoricalDistribution]) -> list[tuple[str, int]]:
    """(parameter, number of its choice) for the choices of a trial."""
    own = [name for name in ranges if name in trial.params and _contains(ranges[name], trial.params[name])]
    return [(name, int(ranges[name].to_internal_repr(trial.params[name]))) for name in own]


def _has(setting: Mapping[str, Any], out: LeftOut) -> bool:
    return any(_is_out(name, value, out) for name, value in setting.items())


def _is_out(name: str, value: Any, out: LeftOut) -> bool:
    return any(type(value) is type(other) and value == other for other in out.get(name, ()))


def _as_bad(trial: FrozenTrial, values: list[float], broken: Mapping[str, float]) -> FrozenTrial:
    bad = copy.copy(trial)
    bad.state, bad.values = TrialState.COMPLETE, values
    bad.system_attrs = {**trial.system_attrs, **broken}
    return bad


def _worst(complete: Sequence[FrozenTrial], i: int, direction: StudyDirection) -> float:
    """The worst finite value of an objective; of none, any will do."""
    values = [one.values[i] for one in complete if math.isfinite(one.values[i])]
    worst = min if direction == StudyDirection.MAXIMIZE else max
    return worst(values, default=0.0)
