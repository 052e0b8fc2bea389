"""What a report says of looks before a comparison's end, in both languages."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from study_frames import BASIC, ENHANCED, ENVIRONMENT, StudyFrames, make_spec

from stability.report import build
from stability.report.figures import FIGURES
from stability.report.markdown import render
from stability.report.sections import compose
from stability.spec import CompareStage


def plan(seeds=20, **early):
    stage = CompareStage(seeds=seeds, early=early or None)
    return (SimpleNamespace(name="compare", stage=stage),)


def frames(seeds, diverged=0):
    study = StudyFrames()
    for seed in range(seeds):
        study.trial("compare", "basic", seed, params=BASIC)
        if seed < diverged:
            study.diverged("compare", "enhanced", seed, params=ENHANCED)
        else:
            study.trial("compare", "enhanced", seed, params=ENHANCED)
    return study.frames()


def text_of(data, lang="en", **spec):
    twin = build(make_spec(**spec), data, ENVIRONMENT)
    return render(compose(twin, lang), lang, {name: f"{name}.png" for name in FIGURES})


LOOKS = plan(spending="obrien_fleming")


def test_a_stage_that_ended_early_names_the_rule():
    text = text_of(frames(10, diverged=10), plan=LOOKS)
    assert (
        "The stage ended early, after look 2 of 4 (20 of 40 planned trials): p-value 0.0020, where at most 0.0020"
        " decides. The rule is O'Brien-Fleming spending (Lan-DeMets) of 5% over all looks" in text
    )
    assert "The interval of the difference in rates is one of 99.45%" in text
    assert "`enhanced` diverged more often than `basic`: 10 of 10 trials against 0 of 10" in text


def test_a_stage_that_ran_to_its_end_says_with_what_its_p_value_is_compared():
    text = text_of(frames(20, diverged=6), plan=LOOKS)
    assert "All 4 planned looks were made (40 of 40 planned trials): at the last, p-value" in text
    none = text_of(frames(20), plan=LOOKS)
    assert "at the last, p-value 1.0, where over so few discordant pairs no value decides." in none


def test_between_looks_nothing_is_claimed():
    text = text_of(frames(7, diverged=7), plan=LOOKS)
    assert "diverged more often" not in text
    assert "1 of 4 planned looks were made (10 of 40 planned trials), and none has ended the stage" in text
    assert "None of 4 planned looks could be made yet" in text_of(frames(4, diverged=4), plan=LOOKS)


def test_without_looks_a_report_on_the_way_says_that_it_decides_nothing():
    text = text_of(frames(12, diverged=9), plan=plan())
    assert "24 of 40 planned trials are stored. No look before the end was planned" in text
    assert "planned trials" not in text_of(frames(20, diverged=9), plan=plan())


@pytest.mark.parametrize("seeds", [4, 7, 10, 20])
@pytest.mark.parametrize("diverged", [0, 4])
def test_persian_says_the_same_in_persian_digits(seeds, diverged):
    spec, data = {"plan": LOOKS}, frames(seeds, diverged)
    english, persian = text_of(data, **spec), text_of(data, "fa", **spec)
    assert ("O'Brien-Fleming" in english) and ("اوبراین-فلمینگ" in persian)
    line = next(line for line in persian.splitlines() if "اوبراین-فلمینگ" in line)
    assert not re.search(r"[0-9]", line)


def test_the_twin_holds_every_look():
    comparison = build(make_spec(plan=LOOKS), frames(10, diverged=10), ENVIRONMENT)["comparison"]
    assert [(look["look"], look["seeds"], look["ended"]) for look in comparison["early"]["looks"]] == [
        (1, 5, False),
        (2, 10, True),
    ]
    assert comparison["early"]["spending"] == "obrien_fleming" and comparison["unfinished"] is None
    without = build(make_spec(plan=plan()), frames(12), ENVIRONMENT)["comparison"]
    assert without["early"] is None and without["unfinished"] == {"trials": 24, "trials_planned": 40}
