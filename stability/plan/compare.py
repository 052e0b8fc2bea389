"""Stage `compare`: every arm, once per seed. Trial k of every arm has the same seed: pairs."""

from __future__ import annotations

from stability.plan.proposal import Proposal
from stability.spec import CompareStage, StudySpec


def propose(spec: StudySpec, stage: CompareStage) -> list[Proposal]:
    """Arms × seeds; the arms of one seed side by side, so that an interrupted stage holds whole pairs."""
    return [
        Proposal(f"{arm}/seed-{k}", arm, spec.seed + k, spec.arm_params(arm))
        for k in range(stage.seeds)
        for arm in spec.arms
    ]
