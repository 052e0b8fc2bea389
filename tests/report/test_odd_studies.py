"""Studies of bare or broken trainings, run for real: each has its whole report, and its pictures say what is missing."""

from __future__ import annotations

import json

import pytest
from odd_courses import COURSES, study

from stability.dashboard import plots
from stability.dashboard.pictures import Artifacts
from stability.records import VerdictLabel
from stability.report import write
from stability.report.stored import stored
from stability.report.words import Words

ALWAYS = ("one_diverges", "nan_before_training", "unevaluated", "crashes")
"""The others take their time after the default suite."""
LANGUAGES = ("en", "fa")


@pytest.fixture
def whole_report(tmp_path, run_study):
    """Runs a study with an arm a course; writes all there is to it and returns twin, Markdown, store."""

    def run(*courses, epochs=1):
        (tmp_path / "study.yaml").write_text(study(courses, epochs))
        spec, store, _ = run_study(tmp_path / "study.yaml", "limits.max_alike_failures=null")
        known = stored(store, spec.name)
        for lang in LANGUAGES:
            for form in ("md", "html", "json"):
                write(*known, format=form, lang=lang, out=tmp_path)
        twin = json.loads((tmp_path / "report.json").read_text())
        for lang in LANGUAGES:
            for stage in ("compare", "search"):
                for graph in plots.of_stage(stage, twin, Words(lang)).values():
                    graph.to_json()
        return twin, (tmp_path / "report.md").read_text(), store

    return run


def pictures(store):
    trials = store.trials("odd")
    lost = trials[trials["verdict"] == VerdictLabel.DIVERGED]["trial_id"]
    return [Artifacts(store, "en", None).open_reader(f"57ab1e-{trial:x}").read(8) for trial in lost]


@pytest.mark.parametrize(
    "course", [own if own in ALWAYS else pytest.param(own, marks=pytest.mark.slow) for own in COURSES]
)
def test_a_study_of_odd_courses_has_its_whole_report(whole_report, tmp_path, course):
    twin, text, store = whole_report(course, course)
    assert bool(twin["plots"]["loss_fan"]) == any(arm["n"] for arm in twin["arms"].values())
    if twin["plots"]["loss_fan"]:
        assert (tmp_path / "figures" / "loss_fan.png").exists()
    else:
        assert "Losses of the arms, not shown: " in text and "figures/loss_fan" not in text
    assert bool(twin["plots"]["lr_curve"]) == ("figures/lr_curve.png" in text)
    assert all(start == b"\x89PNG\r\n\x1a\n" for start in pictures(store)[:1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("courses", "epochs"),
    [
        (("falling",), 3),
        (("loses_one", "falling"), 3),
        (("unevaluated", "falling", "crashes", "nan_at_once", "huge", "tiny", "negative"), 2),
    ],
)
def test_arms_of_different_courses_share_a_report(whole_report, courses, epochs):
    twin, text, _ = whole_report(*courses, epochs=epochs)
    assert set(twin["plots"]["loss_fan"]) == {f"arm-{i}" for i, own in enumerate(courses) if own != "crashes"}
    assert "figures/loss_fan.png" in text


def test_a_trial_without_a_step_has_a_picture_that_says_so(whole_report):
    twin, text, store = whole_report("nan_before_training")
    assert twin["plots"]["failure"] is None and twin["first_bad_steps"]
    assert "Last steps of a diverged trial, not shown: " in text
    assert pictures(store)
