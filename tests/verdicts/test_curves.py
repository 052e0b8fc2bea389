"""The drawn curves are many, well-formed, the same every time, and shaped as their labels say."""

import math
from collections import Counter

import pytest
from cases import Form, Label, load, save
from curves import curves
from drawing import TOO_SHORT, shown

CASES = {case.name: case for case in curves()}


def test_there_are_many_of_every_label_and_every_name_once():
    drawn = curves()
    labels = Counter(case.label for case in drawn)
    assert len(drawn) == len(CASES) >= 400
    assert len({case.kind for case in drawn}) >= 90
    assert labels[Label.FINE] >= 200 and labels[Label.LOST] >= 200 and labels[Label.SLOW] >= 30


def test_they_are_the_same_every_time(tmp_path):
    save(curves(), tmp_path / "a")
    save(curves(), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert [case.name for case in load(tmp_path / "a")] == list(CASES)


@pytest.mark.parametrize("form", Form)
def test_every_timeline_can_be_read(form):
    for case in CASES.values():
        records = list(case.timeline(form))
        evaluations = len(case.evaluations) if form is Form.EVALUATED else 0
        assert len(records) == len(case.total) + evaluations, case.name


def test_the_numbers_that_a_fine_training_records_are_finite():
    for case in CASES.values():
        if case.label is Label.FINE:
            assert all(map(math.isfinite, case.total)), case.name
            assert all(math.isfinite(value) for _, value in case.evaluations), case.name


def test_a_fine_training_ends_lower_than_it_began_where_its_numbers_show_it():
    for case in CASES.values():
        if (
            case.label is Label.FINE
            and shown(case, Form.TOTAL)
            and case.kind not in ("near-zero", "near-zero-hump")
        ):
            tenth = max(1, len(case.total) // 10)
            end = sum(case.total[-tenth:]) / tenth
            assert end < case.total[0], case.name


def test_one_or_two_finite_numbers_are_called_too_short():
    for case in CASES.values():
        if len(case.total) <= 2 and all(map(math.isfinite, case.total)):
            assert case.label is Label.GREY and case.why.startswith(TOO_SHORT), case.name


def test_a_lost_training_that_the_total_shows_is_not_finite_or_lost_most_of_what_it_gained():
    for case in CASES.values():
        if case.label is not Label.LOST or not shown(case, Form.TOTAL) or len(case.total) < 4:
            continue
        if all(map(math.isfinite, case.total)):
            start, lowest = case.total[0], min(case.total)
            last = max(case.total[-max(2, len(case.total) // 20) :])
            assert last > lowest + 0.4 * (start - lowest), case.name
