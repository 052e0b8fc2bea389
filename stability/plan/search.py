"""Stage `search`: settings drawn from the study's ranges.

`random`, `sobol` and `grid` are designs laid out beforehand; `tpe` and `gp` choose each trial after seeing
the earlier ones. Adaptive samplers look for a good setting: they do not estimate divergence rates.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from stability.params import Param, Scalar
from stability.plan.proposal import Proposal
from stability.records import UserError
from stability.spec import SearchStage, StudySpec

if TYPE_CHECKING:
    import numpy as np
    from optuna.samplers import BaseSampler


def propose(spec: StudySpec, stage: SearchStage) -> list[Proposal]:
    """`stage.trials` settings (for a grid, at most its size), each with a seed of its own."""
    params = list(spec.params.values())
    match stage.sampler:
        case "random":
            settings = _filled(params, _uniform(stage.trials, len(params), spec.seed))
        case "sobol":
            settings = _filled(params, _sobol(stage.trials, len(params), spec.seed))
        case "grid":
            settings = _grid(params, stage)
        case _:
            settings = [None] * stage.trials
    return [Proposal(f"trial-{k}", None, spec.seed + k, setting) for k, setting in enumerate(settings)]


def sampler(spec: StudySpec, stage: SearchStage, seed: int) -> BaseSampler:
    """The sampler that chooses the trial with this `seed`; it avoids what failed.

    A new one each time: its randomness then depends on the trial alone, so that a resumed study does not
    draw its first settings again.
    """
    from optuna.samplers import GPSampler, TPESampler  # here: a study's status needs the plan, not Optuna

    from stability.plan.distributions import distribution
    from stability.plan.failed_settings import AvoidingSampler

    ranges = {name: distribution(param) for name, param in spec.params.items()}
    inner = GPSampler(seed=seed) if stage.sampler == "gp" else TPESampler(seed=seed)
    return AvoidingSampler(inner, params=ranges, seed=seed)


def _filled(params: list[Param], quantiles: np.ndarray) -> list[dict[str, Scalar]]:
    """Settings at `quantiles` [trials, params], each in [0, 1)."""
    return [{p.name: p.at(float(u)) for p, u in zip(params, row, strict=True)} for row in quantiles]


def _uniform(trials: int, dimensions: int, seed: int) -> np.ndarray:
    """Independent draws [trials, dimensions]."""
    import numpy as np

    return np.random.default_rng(seed).random((trials, dimensions))


def _sobol(trials: int, dimensions: int, seed: int) -> np.ndarray:
    """A scrambled Sobol sequence [trials, dimensions], drawn as a whole power of two for its balance."""
    from scipy.stats import qmc  # here: importing it costs 0.7 s, and only this design needs it

    sequence = qmc.Sobol(dimensions, scramble=True, rng=seed)
    return sequence.random_base2(max(0, math.ceil(math.log2(trials))))[:trials]


def _grid(params: list[Param], stage: SearchStage) -> list[dict[str, Scalar]]:
    """Every combination of `stage.points` values a numeric range, ends included, and all choices.

    Raises `UserError` for a grid of more than `stage.trials`: its first part would be one corner.
    """
    axes = [_axis(param, stage.points) for param in params]
    size = math.prod(len(axis) for axis in axes)
    if size > stage.trials:
        raise UserError(
            f"plan.search: the grid has {size} settings, more than its {stage.trials} trials; "
            "fix some params with {value: ...}, lower points, or raise trials"
        )
    names = [param.name for param in params]
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*axes)]


def _axis(param: Param, points: int) -> list[Scalar]:
    if param.choices is not None:
        return list(param.choices)
    if points == 1:
        return [param.at(0.5)]
    nearly_one = math.nextafter(1.0, 0.0)
    return list(dict.fromkeys(param.at(min(i / (points - 1), nearly_one)) for i in range(points)))
