"""Stage `attribute`: combinations of the settings in which two arms differ, and what confirms the finding.

Settings known to change nothing are left out. Every seed runs the whole design. Seeds are the stage's own,
and those of the confirmation fresh again: what suggested a difference must not be what confirms it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from stability.plan.proposal import Proposal
from stability.records import UserError
from stability.spec import AttributeStage, StudySpec
from stability.spec.plan import ROLES

SEEDS, CONFIRMING_SEEDS = 1_000_000, 2_000_000
"""Where the seeds of the combinations and of the confirmation begin, after those of other stages."""


def factors(spec: StudySpec, inert: Collection[str]) -> list[str]:
    """The settings whose parts are told apart: the two arms differ in them, and they change something."""
    one, two = _sides(spec)
    return [name for name in spec.params if one[name] != two[name] and name not in inert]


def propose(spec: StudySpec, stage: AttributeStage, inert: Collection[str]) -> list[Proposal]:
    """At most `stage.trials` trials; the key holds the cell, one digit a factor: `0110/seed-2`.

    Raises `UserError` where the settings are too many for the trials.
    """
    names = factors(spec, inert)
    if not names:
        return []
    from stability.plan.factorial import design, run_order  # here: numpy, which a study's status does without

    try:
        cells = design(len(names), stage.trials)
    except ValueError as error:
        raise UserError(
            f"plan.attribute: error: {error}; raise trials, or leave settings out of the arms"
        ) from None
    order = run_order(cells, stage.trials)
    return [_cell(spec, names, cells[cell].tolist(), seed) for cell, seed in order]


def confirm(spec: StudySpec, stage: AttributeStage, culprit: str) -> list[Proposal]:
    """Both arms, and each with the culprit of the other: added alone, and removed alone. On fresh seeds."""
    one, two = _sides(spec)
    swapped = [{**one, culprit: two[culprit]}, {**two, culprit: one[culprit]}]
    return [
        Proposal(f"{role}-{culprit}/seed-{k}", None, spec.seed + CONFIRMING_SEEDS + k, params)
        for k in range(stage.confirm)
        for role, params in zip(ROLES, (one, two, *swapped), strict=True)
    ]


def _cell(spec: StudySpec, names: list[str], cell: list[int], seed: int) -> Proposal:
    sides = _sides(spec)
    params = {**sides[0], **{name: sides[level][name] for name, level in zip(names, cell, strict=True)}}
    return Proposal(f"{''.join(map(str, cell))}/seed-{seed}", None, spec.seed + SEEDS + seed, params)


def _sides(spec: StudySpec) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return spec.arm_params(spec.compare.baseline), spec.arm_params(spec.compare.treatment)
