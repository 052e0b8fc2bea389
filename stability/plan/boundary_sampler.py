"""Optuna samplers that look for a boundary: each trial where it tells most, or up and down a staircase.

They read from a study which of its trials diverged, as the driver tells it, and know nothing of how trials
are run. A trial that Optuna holds as failed says nothing about the training, only that others there may fail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from stability.evidence.boundary import Space
from stability.objective import CONSTRAINT
from stability.params import Param
from stability.plan.failed_settings import failed, inside, left_out, reduced
from stability.plan.staircase import staircase
from stability.plan.v_optimal import STARTING, Setting, elsewhere, next_setting, starting_setting


@dataclass(frozen=True, slots=True)
class Seen:
    """The settings of ended trials that say something, whether each diverged, and those still running.

    `failed` ended without saying anything.
    """

    settings: tuple[Setting, ...]
    diverged: tuple[bool, ...]
    running: tuple[Setting, ...]
    failed: tuple[Setting, ...] = ()

    @property
    def started(self) -> int:
        return len(self.settings) + len(self.running)

    @property
    def tried(self) -> int:
        """With those that failed: a design that is laid out goes on where they were."""
        return self.started + len(self.failed)


class _AlongOneParameter(BaseSampler):
    """What both samplers share: which parameters they choose together, and a random draw for the others.

    `params` are the study's distributions where they are known before the first trial; else they are what
    its trials have in common, as for Optuna's own samplers. Where `param` is no range, all are random.
    """

    def __init__(
        self,
        param: str,
        *,
        rising: bool = True,
        params: Mapping[str, BaseDistribution] | None = None,
        seed: int | None = None,
    ) -> None:
        self._param, self._rising = param, rising
        self._params = dict(params) if params is not None else None
        self._random = RandomSampler(seed=seed)
        self._common = IntersectionSearchSpace(include_pruned=True)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        known = self._common.calculate(study) if self._params is None else self._params
        return {name: one for name, one in known.items() if not one.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        proposed = reduced(search_space, left_out(study.get_trials(deepcopy=False), search_space))
        only = {n: one.choices[0] for n, one in proposed.items() if n in search_space and _is_only(one)}
        varied = {name: one for name, one in proposed.items() if name not in only}
        space = space_of(varied, self._param, self._rising)
        if space is None:
            draw = self._random.sample_independent
            return {name: draw(study, trial, name, one) for name, one in proposed.items()}
        past = seen(study, trial, varied)
        setting = self._next(space, past)
        if setting in past.failed:
            setting = elsewhere(space, setting, past.settings, past.failed)
        return {name: only.get(name, setting.get(name)) for name in search_space}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def reseed_rng(self) -> None:
        self._random.reseed_rng()

    def _next(self, space: Space, past: Seen) -> Setting:
        raise NotImplementedError


class BoundarySampler(_AlongOneParameter):
    """V-optimal search for the values of `param` at which 50% and 5% of the trials diverge.

    `rising`: larger values diverge more often. `arms` are contexts that count as much as all others together.
    The first four trials fill the space evenly by `start_seed`, which the samplers of one study must share.
    """

    def __init__(
        self,
        param: str,
        *,
        rising: bool = True,
        params: Mapping[str, BaseDistribution] | None = None,
        arms: Sequence[Mapping[str, Any]] = (),
        seed: int | None = None,
        start_seed: int = 0,
    ) -> None:
        super().__init__(param, rising=rising, params=params, seed=seed)
        self._arms, self._start_seed = tuple(arms), start_seed
        self._rng = np.random.default_rng(seed)

    def reseed_rng(self) -> None:
        super().reseed_rng()
        self._rng = np.random.default_rng()

    def _next(self, space: Space, past: Seen) -> Setting:
        if past.started < STARTING:
            return starting_setting(space, past.tried, self._start_seed)
        known = past.settings, past.diverged, past.running
        arms = [arm for arm in self._arms if all(_offers(one, arm[one.name]) for one in space.others)]
        return next_setting(space, *known, arms, self._rng, past.failed)


class StaircaseSampler(_AlongOneParameter):
    """One step down after a divergence, one up otherwise, in each of a few contexts in turn."""

    def _next(self, space: Space, past: Seen) -> Setting:
        stairs = staircase(space)
        context = stairs.context(past.tried)
        outcomes = [
            diverged
            for setting, diverged in zip(past.settings, past.diverged, strict=True)
            if all(setting[name] == value for name, value in context.items())
        ]
        return stairs.setting(past.tried, outcomes)


def space_of(search_space: Mapping[str, BaseDistribution], param: str, rising: bool) -> Space | None:
    """The space of a study's parameters; None where `param` is no range in it."""
    bounded = search_space.get(param)
    if bounded is None or isinstance(bounded, CategoricalDistribution) or bounded.single():
        return None
    ranges = {name: _range(name, one) for name, one in search_space.items()}
    return Space(ranges.pop(param), tuple(ranges.values()), rising)


def seen(study: Study, own: FrozenTrial, search_space: Mapping[str, BaseDistribution]) -> Seen:
    """What the trials of a study besides our `own` say of the boundary, those inside the space, by number."""
    states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING, TrialState.FAIL)
    every = study.get_trials(deepcopy=False)
    trials = [
        trial
        for trial in every
        if trial.state in states and trial.number != own.number and inside(trial, search_space)
    ]
    ended = [(trial.params, _diverged(trial)) for trial in trials if trial.state.is_finished()]
    told = [(setting, diverged) for setting, diverged in ended if diverged is not None]
    running = tuple(trial.params for trial in trials if not trial.state.is_finished())
    lacking = tuple(
        {name: trial.params[name] for name in search_space}
        for trial in failed(every)
        if inside(trial, search_space)
    )
    return Seen(
        tuple(setting for setting, _ in told), tuple(diverged for _, diverged in told), running, lacking
    )


def _range(name: str, distribution: BaseDistribution) -> Param:
    if isinstance(distribution, CategoricalDistribution):
        return Param(name, "choice", choices=tuple(distribution.choices))
    kind = "int" if isinstance(distribution, IntDistribution) else "float"
    step = None if distribution.log else distribution.step
    return Param(name, kind, distribution.low, distribution.high, distribution.log, step)


def _is_only(one: BaseDistribution) -> bool:
    return isinstance(one, CategoricalDistribution) and one.single()


def _offers(param: Param, value: Any) -> bool:
    """Whether a choice is still proposed; an arm may lie outside a range of numbers."""
    return param.choices is None or value in param.choices


def _diverged(trial: FrozenTrial) -> bool | None:
    """What the driver told of an ended trial. A complete one of which nothing was told did not diverge."""
    if trial.state is TrialState.FAIL:
        return None
    told = trial.system_attrs.get(CONSTRAINT)
    if told is not None:
        return bool(told > 0)
    return None if trial.state is TrialState.PRUNED else False
