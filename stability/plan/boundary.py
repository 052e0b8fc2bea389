"""Stage `boundary`: trials that look for where training begins to diverge, each chosen after the ones before.

Along one parameter; the others are drawn from their ranges, and the arms' own settings are of most interest.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from stability.plan.proposal import Proposal
from stability.spec import BoundaryStage, StudySpec

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

SEEDS = 3_000_000
"""Where this stage's seeds begin, after those of other stages."""


def propose(spec: StudySpec, stage: BoundaryStage) -> list[Proposal]:
    """`stage.trials` trials whose settings the sampler chooses, each with a seed of its own."""
    return [Proposal(f"trial-{k}", None, spec.seed + SEEDS + k, None) for k in range(stage.trials)]


def sampler(spec: StudySpec, stage: BoundaryStage, seed: int, inert: Collection[str] = ()) -> BaseSampler:
    """The sampler that chooses the trial with this `seed`; `inert` settings are drawn at random.

    A new one each time, as in stage `search`.
    """
    from stability.plan.boundary_sampler import BoundarySampler, StaircaseSampler  # here: imports Optuna
    from stability.plan.distributions import distribution

    ranges = {name: distribution(param) for name, param in spec.params.items() if name not in inert}
    if stage.sampler == "staircase":
        return StaircaseSampler(stage.param, rising=stage.rising, params=ranges, seed=seed)
    arms = [spec.arm_params(arm) for arm in spec.arms]
    return BoundarySampler(
        stage.param, rising=stage.rising, params=ranges, arms=arms, seed=seed, start_seed=spec.seed
    )
