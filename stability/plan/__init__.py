"""Which trials to run: one stage a file, each a function from the study to its proposals."""

from __future__ import annotations

from collections.abc import Collection

from stability.plan import attribute, boundary, compare, liveness, search
from stability.plan.proposal import Proposal
from stability.spec import (
    AttributeStage,
    BoundaryStage,
    CompareStage,
    LivenessStage,
    PlanEntry,
    SearchStage,
    StudySpec,
)


def proposals(spec: StudySpec, entry: PlanEntry, inert: Collection[str] = ()) -> list[Proposal]:
    """All trials that a stage of the plan asks for, in the order they are to run.

    `inert` are the settings that stage `liveness` has shown to change nothing.
    """
    match entry.stage:
        case LivenessStage() as stage:
            return liveness.propose(spec, stage)
        case CompareStage() as stage:
            return compare.propose(spec, stage)
        case AttributeStage() as stage:
            return attribute.propose(spec, stage, inert)
        case BoundaryStage() as stage:
            return boundary.propose(spec, stage)
        case SearchStage() as stage:
            return search.propose(spec, stage)


def batches(spec: StudySpec, entry: PlanEntry, inert: Collection[str] = ()) -> list[list[Proposal]]:
    """The proposals of a stage in the parts that are run one after another, with a look after each."""
    if isinstance(entry.stage, CompareStage):
        return compare.batches(spec, entry.stage)
    return [proposals(spec, entry, inert)]
