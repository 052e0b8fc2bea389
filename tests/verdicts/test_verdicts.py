"""How often verdicts are right, on recorded trainings and drawn curves: no more are wrong than were measured.

The whole set is slow; a quarter of it, drawn by a seed, is judged every time, with limits as shares. The
held-out ones were recorded after the rules were written, and no curve of theirs was looked at.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cases import Case, Form, Label, load
from counting import Told, claimed, count, ended, labelled, lies, told, wrongly_called
from curves import curves

from stability.records import VerdictLabel

RECORDED, RECORDED_2, HELD_OUT = "recorded", "recorded_2", "held_out"
FOREIGN = "foreign"
"""Trials of the ready studies of other people's trainers."""
DRAWN = "drawn"


@dataclass(frozen=True)
class Limits:
    """At most so many lies; shares of fine trainings at most called DIVERGED, and anything but STABLE.

    `found`: the share of lost trainings that are called DIVERGED or UNSTABLE at least.
    """

    lies: int
    diverged: float
    wrong: float
    found: float


LIMITS = {
    (RECORDED, Form.TOTAL): Limits(lies=1, diverged=0.0, wrong=0.171, found=0.79),
    (RECORDED, Form.GRADIENT): Limits(lies=1, diverged=0.0, wrong=0.159, found=0.79),
    (RECORDED, Form.EVALUATED): Limits(lies=0, diverged=0.0, wrong=0.026, found=0.97),
    (RECORDED_2, Form.TOTAL): Limits(lies=0, diverged=0.0, wrong=0.15, found=0.64),
    (RECORDED_2, Form.GRADIENT): Limits(lies=0, diverged=0.0, wrong=0.15, found=0.63),
    (RECORDED_2, Form.EVALUATED): Limits(lies=0, diverged=0.0, wrong=0.022, found=0.98),
    (HELD_OUT, Form.TOTAL): Limits(lies=1, diverged=0.013, wrong=0.108, found=0.76),
    (HELD_OUT, Form.GRADIENT): Limits(lies=1, diverged=0.013, wrong=0.108, found=0.77),
    (HELD_OUT, Form.EVALUATED): Limits(lies=0, diverged=0.0, wrong=0.019, found=0.98),
    (FOREIGN, Form.TOTAL): Limits(lies=0, diverged=0.0, wrong=0.096, found=0.44),
    (FOREIGN, Form.GRADIENT): Limits(lies=0, diverged=0.0, wrong=0.096, found=0.44),
    (FOREIGN, Form.EVALUATED): Limits(lies=0, diverged=0.0, wrong=0.064, found=0.92),
    (DRAWN, Form.TOTAL): Limits(lies=0, diverged=0.003, wrong=0.109, found=0.81),
    (DRAWN, Form.GRADIENT): Limits(lies=0, diverged=0.003, wrong=0.109, found=0.82),
    (DRAWN, Form.EVALUATED): Limits(lies=0, diverged=0.003, wrong=0.045, found=0.955),
}
SETS = pytest.mark.parametrize(("name", "form"), LIMITS)
BAD = {VerdictLabel.DIVERGED, VerdictLabel.UNSTABLE}


@functools.cache
def cases(name: str) -> list[Case]:
    return curves() if name is DRAWN else load(Path(__file__).with_name(f"{name}.jsonl.gz"))


def assert_kept(found: list[Told], limits: Limits, slack: float) -> None:
    """`slack`: by how much a share may be worse than its limit."""
    fine, lost = labelled(found, Label.FINE), labelled(found, Label.LOST)
    assert [one.case.name for one in ended(found)] == []
    assert [one.case.name for one in claimed(found)] == []
    assert len(lies(found)) <= limits.lies, [one.case.name for one in lies(found)]
    called = count(wrongly_called(found))
    assert called.get("DIVERGED", 0) <= (limits.diverged + slack) * len(fine), called
    assert sum(called.values()) <= (limits.wrong + slack) * len(fine), called
    assert sum(one.verdict in BAD for one in lost) >= (limits.found - slack) * len(lost), count(lost)


@SETS
def test_a_quarter_of_the_verdicts_is_as_right_as_measured(name, form):
    drawn = random.Random(0).sample(cases(name), len(cases(name)) // 4)
    assert_kept(told(drawn, form), LIMITS[name, form], slack=0.1)


@pytest.mark.slow
@SETS
def test_verdicts_are_as_right_as_measured(name, form):
    assert_kept(told(cases(name), form), LIMITS[name, form], slack=0.0)


LATE = {
    RECORDED: Limits(lies=3, diverged=0.0, wrong=0.108, found=0.72),
    RECORDED_2: Limits(lies=1, diverged=0.0, wrong=0.043, found=0.56),
    HELD_OUT: Limits(lies=1, diverged=0.007, wrong=0.095, found=0.76),
    FOREIGN: Limits(lies=0, diverged=0.0, wrong=0.094, found=0.28),
}
"""Without the evaluation before training, which most programs do not make."""


@pytest.mark.slow
@pytest.mark.parametrize("name", LATE)
def test_verdicts_without_an_evaluation_before_training_are_as_right_as_measured(name):
    late = [
        replace(case, evaluations=case.evaluations[1:])
        for case in cases(name)
        if len(case.evaluations) > 4 and case.evaluations[0][0] == 0
    ]
    assert_kept(told(late, Form.EVALUATED), LATE[name], slack=0.0)


def test_what_is_too_short_is_never_called_stable():
    short = [case for case in cases(DRAWN) if case.label is Label.GREY]
    for form in Form:
        found = told(short, form)
        assert found and claimed(found) == []


def test_no_training_that_recovers_is_ended():
    recovers = [case for name in (RECORDED, HELD_OUT, DRAWN) for case in cases(name) if case.recovers]
    assert len(recovers) >= 40
    for form in Form:
        assert ended(told(recovers, form)) == []
