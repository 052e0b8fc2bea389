"""No figure fails, warns or hides a number, whatever few or odd numbers it is given."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from odd_frames import odd_study, odd_twin
from PIL import Image
from study_frames import INF

from stability.dashboard import plots
from stability.evidence.selection import diverged, with_evidence
from stability.records import VerdictLabel
from stability.report.figures import draw, draw_reason
from stability.report.palette import fits, is_wide, loss_range
from stability.report.titles import failure_title, loss_fan_title, lr_curve_title
from stability.report.unshown import curve_reason, ended, fan_reason, without_loss
from stability.report.words import Words

STUDIES = 200
DRAWN = {"loss_fan": loss_fan_title, "failure": failure_title, "lr_curve": lr_curve_title}


@pytest.fixture(scope="module")
def twins():
    return [odd_twin(seed) for seed in range(STUDIES)]


def test_every_non_finite_record_of_a_counted_arm_is_marked(twins):
    seen = 0
    for twin in twins:
        frames = twin["frames"]
        for arm, own in (twin["plots"]["loss_fan"] or {}).items():
            trials = with_evidence(frames.trials[frames.trials["stage"] == "compare"])
            trials = trials[trials["arm"] == arm]
            rows = frames.epochs[frames.epochs["trial_id"].isin(trials["trial_id"])]
            rows = rows[rows["component"] == "total"]
            broken = rows[~np.isfinite(rows["value"].astype(float))]
            marked = sum(count for _, count in own["yardstick"]["bad"]) if own["yardstick"] else 0
            assert marked == len(broken)
            calm = trials[~diverged(trials)]["trial_id"]
            steps = frames.steps[frames.steps["trial_id"].isin(calm) & (frames.steps["quantity"] == "total")]
            broken = steps[~np.isfinite(steps["value"].astype(float))]
            marked = dict(own["total"]["bad"]) if own["total"] else {}
            for place, count in broken["step"].value_counts().items():
                assert marked[place] >= count
            seen += len(broken)
    assert seen


def test_a_failures_course_marks_what_is_no_number(twins):
    seen = 0
    for twin in twins:
        part = twin["plots"]["failure"]
        for name, course in part["quantities"].items() if part else ():
            rows = twin["frames"].steps
            rows = rows[(rows["trial_id"] == part["trial_id"]) & (rows["quantity"] == name)]
            behind = part["event_step"] - rows["step"]
            rows = rows[(behind >= 0) & (behind < 50)].sort_values("step")
            if len(rows):
                odd = [str(float(value)) for value in rows["value"] if not math.isfinite(value)]
                assert list(course["nonfinite"].values()) == odd
                seen += len(odd)
            assert all(course["values"][int(place)] is None for place in course["nonfinite"])
    assert seen


def test_every_trial_along_a_parameter_has_its_place(twins):
    kept = {VerdictLabel.STABLE, VerdictLabel.UNSTABLE, VerdictLabel.STUCK, VerdictLabel.DIVERGED}
    for twin in twins:
        if part := twin["plots"]["lr_curve"]:
            lost = sum(trial["verdict"] == VerdictLabel.DIVERGED for trial in part["trials"])
            assert len(ended(part)) + len(without_loss(part)) + lost == len(part["trials"])
            assert {trial["verdict"] for trial in part["trials"]} <= kept


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_a_graph_has_values_or_a_reason_for_none(twins, lang):
    seen = set()
    for twin in twins:
        for stage in ("compare", "search", "boundary", "attribute"):
            for name, graph in plots.of_stage(stage, twin, Words(lang)).items():
                graph.to_json()  # refuses what is no number
                notes = [note["text"] for note in graph.layout["annotations"]]
                for trace in graph.traces:
                    assert len(trace["x"]) == len(trace["y"])
                seen |= {
                    name for reason in ("not shown", "نشان داده نشد") for note in notes if reason in note
                }
    assert seen >= {"stability-loss-fan", "stability-lr-curve"}


@pytest.mark.parametrize("seed", range(0, 60, 4))
def test_a_drawing_of_odd_numbers_is_made_without_a_warning(seed):
    twin, lang = odd_twin(seed), ("en", "fa")[seed % 8 // 4]
    for name, title in DRAWN.items():
        if twin["plots"][name]:
            assert title(twin, Words(lang))
            picture = np.asarray(Image.open(io.BytesIO(draw(name, twin, lang))).convert("L"))
            assert picture.min() < 128 < picture.max()


def test_a_reason_is_a_picture():
    picture = Image.open(io.BytesIO(draw_reason("fig_no_evaluation", "fa")))
    assert np.asarray(picture.convert("L")).min() < 128


def test_an_axis_holds_what_it_shows():
    numbers = [5e-324, 1e-300, 1e-10, 0.0, 1.0, 25.0, 1e300, 1.7e308]
    for low in (*numbers, *(-each for each in numbers)):
        for high in numbers:
            values = sorted((low, high))
            if not fits(values):
                assert loss_range(values) is None and values[0] <= 0 and max(map(abs, values)) > 1e307
                continue
            kind, start, end = loss_range(values)
            assert (kind == "log") == is_wide(values)
            assert start <= values[0] <= values[1] <= end < INF
            assert start < end and (kind == "linear" or start > 0)
    assert loss_range([]) is None


def test_a_panel_says_why_it_is_empty():
    nothing = {"x": [0], "low": [None], "median": [None], "high": [None], "bad": [[0, 3]]}
    huge = nothing | {"low": [-1.7e308], "median": [0.0], "high": [1.7e308]}
    assert fan_reason([None, None], "yardstick") == "fig_no_evaluation"
    assert fan_reason([None], "total") == "fig_no_total"
    assert fan_reason([None, nothing], "total") == "fig_no_number"
    assert fan_reason([huge], "total") == "fig_no_axis"
    assert fan_reason([nothing | {"median": [1.0]}], "total") is None
    lost = {"value": 0.1, "loss": 2.0, "verdict": "DIVERGED"}
    assert curve_reason({"trials": [lost], "at_start": 2.0}) == "fig_no_final"


def test_what_is_drawn_by_chance_has_few_and_many_trials():
    sizes = {len(odd_study(seed)[1].trials) for seed in range(40)}
    assert {0, 1, 2} <= sizes and max(sizes) > 12
