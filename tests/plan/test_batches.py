"""The parts in which a stage runs: whole seeds, all arms, in order; one part where nothing may end early."""

import pytest

from stability.plan import batches, proposals
from stability.spec import load_study


def parts(path, *overrides):
    spec = load_study(path, overrides)
    return spec, [batches(spec, entry) for entry in spec.plan]


def test_without_early_a_stage_is_one_part(study_file):
    spec, found = parts(study_file())
    assert found == [[proposals(spec, entry)] for entry in spec.plan]


@pytest.mark.parametrize(("seeds", "sizes"), [(16, [4, 4, 4, 4]), (9, [3, 2, 2, 2]), (18, [5, 4, 5, 4])])
def test_a_part_holds_every_arm_of_its_seeds(study_file, seeds, sizes):
    spec, (found, _) = parts(study_file(), f"plan.compare.seeds={seeds}", "plan.compare.early=obrien_fleming")
    assert [len(part) for part in found] == [2 * size for size in sizes]
    assert [proposal for part in found for proposal in part] == proposals(spec, spec.plan[0])
    for part in found:
        by_arm = {arm: [p.seed for p in part if p.arm == arm] for arm in spec.arms}
        assert by_arm["gentle"] == by_arm["rough"]


def test_looks_may_be_given(study_file):
    overrides = ("plan.compare.seeds=17", "plan.compare.early.looks=2")
    _, (found, _) = parts(study_file(), *overrides)
    assert [len(part) for part in found] == [18, 16]
