"""Stage `compare`: every arm, once per seed. Trial k of every arm has the same seed: pairs."""

from __future__ import annotations

from itertools import pairwise

from stability.plan.proposal import Proposal
from stability.spec import CompareStage, StudySpec
from stability.spending import schedule


def propose(spec: StudySpec, stage: CompareStage) -> list[Proposal]:
    """Arms × seeds; the arms of one seed side by side, so that an interrupted stage holds whole pairs."""
    return [
        Proposal(f"{arm}/seed-{k}", arm, spec.seed + k, spec.arm_params(arm))
        for k in range(stage.seeds)
        for arm in spec.arms
    ]


def batches(spec: StudySpec, stage: CompareStage) -> list[list[Proposal]]:
    """The proposals up to each look: all arms of its seeds. One part where the stage is not to end early."""
    ends = [0, *schedule(stage.seeds, stage.looks)]
    proposed, arms = propose(spec, stage), len(spec.arms)
    return [proposed[start * arms : end * arms] for start, end in pairwise(ends)]
