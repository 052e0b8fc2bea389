"""`early` in a study file: its forms, its default, and one line with place and fix for each mistake."""

import pytest

from stability.records import UserError
from stability.spec import load_study
from stability.spending import Spending


def stage(path, *overrides):
    return load_study(path, overrides).plan[0].stage


@pytest.mark.parametrize(
    ("text", "spending", "looks"),
    [
        ("{seeds: 16, early: obrien_fleming}", "obrien_fleming", 4),
        ("{seeds: 16, early: {}}", "obrien_fleming", 4),
        ("{seeds: 16, early: {spending: pocock}}", "pocock", 4),
        ("{seeds: 16, early: {spending: obrien_fleming, looks: 3}}", "obrien_fleming", 3),
    ],
)
def test_the_forms_of_early(study_file, text, spending, looks):
    found = stage(study_file(("{seeds: 3}", text)))
    assert (found.early.spending, found.looks) == (Spending(spending), looks)


def test_without_early_there_is_one_look_at_the_end(study_file):
    found = stage(study_file())
    assert found.early is None and found.looks == 1


def test_an_override_asks_for_looks(study_file):
    assert stage(study_file(), "plan.compare.seeds=20", "plan.compare.early=pocock").looks == 4


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("{seeds: 16, early: obrian_fleming}", "11:33",
         "plan.0.compare.early.spending: input should be 'obrien_fleming' or 'pocock', got 'obrian_fleming'"),
        ("{seeds: 16, early: true}", "11:33",
         "plan.0.compare.early: obrien_fleming, or {spending: ..., looks: 4}, belongs here, got True"),
        ("{seeds: 16, early: {look: 4}}", "11:34",
         "unknown key 'look' in plan.compare.early; did you mean 'looks'? (spending, looks)"),
        ("{seeds: 16, early: {looks: 1}}", "11:41",
         "plan.0.compare.early.looks: input should be greater than or equal to 2, got 1"),
        ("{seeds: 16, early: {looks: 17}}", "11:33", "17 looks at 16 seeds; looks are 2 to as many as seeds"),
        ("{seeds: 16, early: {looks: 2}}", "11:33",
         "with 16 seeds no look before the last could end the stage, however the trials come out; set seeds to 17"
         ", or leave `early` out"),
        ("{seeds: 1, early: pocock}", "11:32",
         "with 1 seed no look before the last could end the stage, however the trials come out; set seeds to 7"
         ", or leave `early` out"),
    ],
)  # fmt: skip
def test_a_mistake_in_early_gets_its_place_and_the_fix(study_file, text, place, message):
    path = study_file(("{seeds: 3}", text))
    with pytest.raises(UserError) as error:
        load_study(path)
    where, _, what = str(error.value).partition(": error: ")
    assert what == message
    assert where == f"{path}:{place}"


def test_early_needs_a_comparison_to_end(study_file):
    path = study_file(
        ("{seeds: 3}", "{seeds: 16, early: pocock}"), ("compare: {baseline: gentle, treatment: rough}\n", "")
    )
    with pytest.raises(UserError) as error:
        load_study(path)
    assert str(error.value).partition(": error: ")[2] == (
        "early needs to know which two arms are compared; add `compare: {baseline: ..., treatment: ...}`"
    )
