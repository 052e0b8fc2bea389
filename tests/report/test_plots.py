"""What the plots show, by hand; and that every picture comes from the JSON twin alone."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.text import Text
from matplotlib.textpath import TextPath
from PIL import Image
from study_frames import BASIC, ENHANCED, ENVIRONMENT, NAN, StudyFrames, make_spec, small_study

from stability.evidence.sensitivity import BINS, Along, bins, sensitivity
from stability.report import build
from stability.report.blocks import Code, plain
from stability.report.figures import FIGURES, draw
from stability.report.figures.style import look, styled
from stability.report.figures.text import label, shortened
from stability.report.figures.ticks import in_digits_of
from stability.report.plots import anatomy, shown_failure
from stability.report.titles import (
    failure_title,
    forest_title,
    headroom_title,
    lr_curve_title,
    stability_map_title,
)
from stability.report.words import Words
from stability.spec import from_document

DOCUMENT = {
    "name": "edges",
    "trainer": "tts",
    "params": {
        "lr": {"min": 1e-6, "max": 1.0, "log": True},
        "clip": {"min": 0.1, "max": 1000.0, "log": True},
        "huber": {"values": [False, True]},
        "mel_weight": {"value": 1.0},
    },
    "arms": {
        "basic": {"lr": 1e-5, "clip": 0.5, "huber": False},
        "hot": {"lr": 0.3, "clip": 0.5, "huber": False},
    },
    "compare": {"baseline": "basic", "treatment": "hot"},
    "plan": [{"compare": {"seeds": 4}}, {"boundary": {"param": "lr", "trials": 48}}],
    "yardstick": {"mel": 1.0, "stop": 1.0},
}


@pytest.fixture(scope="module")
def edges():
    """Trials that diverge above lr 0.01 whatever the other settings are, and two arms far from there."""
    study, rng = StudyFrames(), np.random.default_rng(0)
    for seed in range(4):
        arms = {arm: own | {"mel_weight": 1.0} for arm, own in DOCUMENT["arms"].items()}
        study.trial("compare", "basic", seed, params=arms["basic"])
        study.diverged("compare", "hot", seed, params=arms["hot"], step=seed)
    for seed in range(48):
        lr, clip, huber = 10 ** rng.uniform(-6, 0), 10 ** rng.uniform(-1, 3), bool(rng.random() < 0.5)
        params = {"lr": lr, "clip": clip, "huber": huber, "mel_weight": 1.0}
        if lr > 0.01:
            study.diverged("boundary", None, seed, params=params)
        else:
            study.trial("boundary", None, seed, params=params, level=2.0 + 0.1 * np.log10(lr))
    return build(from_document(DOCUMENT), study.frames(), ENVIRONMENT)


@pytest.fixture(scope="module")
def small():
    return build(make_spec(), small_study(), ENVIRONMENT)


def drawn(name, twin, lang="en"):
    return np.asarray(Image.open(io.BytesIO(draw(name, twin, lang))).convert("RGB"))


@pytest.mark.parametrize("lang", ["en", "fa"])
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn_from_the_json_alone(edges, name, lang):
    if name == "forest":
        edges = edges | {"attribution": ATTRIBUTION}
    picture = drawn(name, json.loads(json.dumps(edges)), lang)
    assert picture.shape[0] > 300 and picture.shape[1] > 900
    assert (picture == drawn(name, edges, lang)).all()
    grey = picture.mean(axis=2)
    assert grey.std() > 10  # something stands on it


ATTRIBUTION = {
    "response": "diverged",
    "effects": {
        "lr": {"effect": 0.9, "ci": [0.7, 1.0], "p_adjusted": 0.001},
        "clip": {"effect": 0.02, "ci": [-0.1, 0.1], "p_adjusted": 1.0},
    },
    "others": [],
}


def test_titles_are_findings(edges, small):
    words = Words("en")
    said = {"map": stability_map_title(edges, words), "room": headroom_title(edges, words)}
    said |= {"curve": lr_curve_title(small, words), "failure": failure_title(small, words)}
    said |= {"forest": forest_title({"attribution": ATTRIBUTION}, words)}
    said = {key: plain(text) for key, text in said.items()}
    assert said["map"].startswith("Half of the runs diverge at lr 0.0")
    assert said["room"].startswith("hot lies ") and "decades outside lr <= " in said["room"]
    assert (
        said["curve"] == "3 of 8 trials diverged: smallest diverged lr 0.03162"
    )  # of 14 parts 8 have a trial
    whole = plain(lr_curve_title(edges, words))
    assert re.search(
        r"^\d+ of 48 trials diverged: smallest diverged lr 0.01\d+; lr sensitivity 0.\d+ over ", whole
    )
    assert said["failure"] == "compare #9: nan_loss in mel at step 2"
    assert said["forest"] == "A part in the difference is shown of lr"


def test_the_map_holds_the_model_and_every_trial(edges):
    part = edges["plots"]["stability_map"]
    assert (part["x"]["param"], part["y"]["param"]) == ("lr", "clip")
    assert len(part["trials"]) == 48
    assert sum(trial["diverged"] for trial in part["trials"]) == edges["boundary_details"]["diverged"]
    for name, arm in part["arms"].items():
        risks = np.array(arm["probability"])
        assert risks.shape == (len(part["y"]["values"]), len(part["x"]["values"]))
        assert risks[:, 0].max() < 0.05 < 0.9 < risks[:, -1].min()
        row = np.abs(np.log10(part["y"]["values"]) - np.log10(arm["y"])).argmin()
        crossing = part["x"]["values"][int((risks[row] < 0.5).sum())]
        assert crossing == pytest.approx(edges["boundary"][name]["p50"], rel=0.6)


def test_an_arm_outside_its_bound_gets_a_patch(edges, small):
    bound = edges["boundary"]["hot"]["p05_lower"]
    assert edges["patch"] == {"hot": {"lr": pytest.approx(bound, rel=0.01)}}
    assert edges["patch"]["hot"]["lr"] <= bound
    assert small["patch"] == {}


def test_lost_trials_are_infinite_in_a_fan(edges):
    hot, basic = (edges["plots"]["loss_fan"][arm] for arm in ("hot", "basic"))
    assert hot["total"]["bad"] == [[0, 1], [1, 1], [2, 1], [3, 1]]
    # Of four trials, one is lost at step 0, two at step 1, three at step 2 and all at step 3.
    assert hot["total"]["low"] == [2.5, 2.5, 2.5, None]
    assert hot["total"]["median"] == [2.5, 2.5, None, None]
    assert hot["total"]["high"] == [None] * 4
    assert basic["total"]["bad"] == [] and None not in basic["total"]["high"]
    assert hot["survival"]["steps"] == [0, 1, 2, 3, 4]
    assert hot["survival"]["share"] == [1, 0.75, 0.5, 0.25, 0]
    assert basic["survival"]["share"] == [1, 1]


def test_the_failure_is_the_compared_trial_with_most_steps(small):
    part = small["plots"]["failure"]
    assert (part["stage"], part["arm"], part["seed"], part["event_step"]) == ("compare", "enhanced", 4, 2)
    assert part["steps"] == [-2, -1, 0]
    assert part["quantities"]["total"] == {"values": [2.5, 2.5, None], "nonfinite": {"2": "nan"}}
    assert shown_failure(small_study().trials.query("verdict != 'DIVERGED'")) is None


def test_a_fan_forgets_no_value_that_is_not_finite():
    study = StudyFrames()
    for seed in range(3):
        study.trial("compare", "basic", seed, params=BASIC)
        study.trial("compare", "enhanced", seed, params=ENHANCED)
    frames = study.frames()
    where = (
        (frames.steps["trial_id"] == 1) & (frames.steps["step"] == 1) & (frames.steps["quantity"] == "total")
    )
    frames.steps.loc[where, "value"] = NAN
    twin = build(make_spec(), frames, ENVIRONMENT)
    assert twin["plots"]["loss_fan"]["basic"]["total"]["bad"] == [[1, 1]]


def test_medians_and_sensitivity_by_hand():
    """Seven decades in 14 parts, one trial in each: losses 1 and 2 in turn, the last four parts lost."""
    value = 10 ** (np.arange(BINS) / 2 - 6.75)
    lost = np.arange(BINS) >= BINS - 4
    loss = np.where(lost, np.nan, np.where(np.arange(BINS) % 2 == 0, 1.0, 2.0))
    along = Along(value, loss, lost, 3.0)
    parts = bins(along, 1e-7, 1.0, True)
    assert [(part.n, part.diverged) for part in parts] == [(1, int(bad)) for bad in lost]
    assert [part.median for part in parts] == [1, 2] * 5 + [None] * 4
    assert [part.survivors for part in parts] == lost.tolist()
    found = sensitivity(along, parts)
    assert found.value == pytest.approx((5 * 1 + 5 * 2 + 4 * 3) / 14 - 1)
    assert (found.low, found.high, found.n, found.empty) == (pytest.approx(1e-7), pytest.approx(1.0), 14, 0)
    few = Along(value[:3], loss[:3], lost[:3], 3.0)
    assert sensitivity(few, bins(few, 1e-7, 1.0, True)) is None


def test_the_sensitivity_is_of_the_part_of_the_range_that_has_trials():
    value = np.array([4.5, 5.5, 7.5, 8.5])
    along = Along(value, value + 0.5, np.zeros(4, dtype=bool), 20.0)
    found = sensitivity(along, bins(along, 0.0, 14.0, False))
    assert found.value == pytest.approx(np.arange(5, 10).mean() - 5)  # a neighbour stands in for one of five
    assert (found.low, found.high, found.empty, found.n) == (4.0, 9.0, 1, 4)


def test_a_range_with_a_third_of_its_parts_empty_has_no_sensitivity():
    def over(*value):
        value = np.array(value)
        along = Along(value, value, np.zeros(len(value), dtype=bool), 20.0)
        return sensitivity(along, bins(along, 0.0, 14.0, False))

    assert over(0.5, 1.5, 3.5, 5.5).empty == 2  # of six
    assert over(0.5, 1.5, 3.5, 6.5) is None  # three of seven


def test_the_title_states_the_range_of_the_sensitivity(small):
    curve = small["plots"]["lr_curve"] | {
        "sensitivity": {"value": 1.5, "low": 1e-4, "high": 0.02, "n": 9, "empty": 1}
    }
    for lang, end in (("en", "lr sensitivity 1.5 over 0.0001 to 0.02"), ("fa", "از 0.0001 تا 0.02")):
        assert plain(lr_curve_title({"plots": {"lr_curve": curve}}, Words(lang))).endswith(end)


def test_the_median_breaks_where_a_part_has_no_trial(small):
    twin = json.loads(json.dumps(small))
    empty = {"n": 0, "diverged": 0, "median": None, "survivors": False}
    for i, own in enumerate(twin["plots"]["lr_curve"]["bins"]):
        own |= {"n": 3, "diverged": 0, "median": 2.0, "survivors": False} if i not in (4, 9) else empty
    main = made("lr_curve", twin).axes[1]
    (median,) = [line for line in main.lines if "median of all" in line.get_label()]
    assert np.flatnonzero(np.isnan(median.get_ydata())).tolist() == [4, 9]


def test_a_trial_on_the_edge_of_two_parts_counts_once():
    value, loss = np.array([0.5, 1.0, 2.5, 3.5, 4.5]), np.array([1.0, 5.0, 1.0, 1.0, 1.0])
    along = Along(value, loss, np.zeros(5, dtype=bool), 20.0)
    parts = bins(along, 0.0, 14.0, False)
    assert [part.n for part in parts[:5]] == [1] * 5
    assert sensitivity(along, parts).value == pytest.approx((5.0 - 1.0) / 5)


ODD = "$x^{$"
"""Mathematics that is none, which matplotlib refuses to draw."""


def made(name, twin, lang="en"):
    """The figure with everything in its place, to be measured."""
    with styled():
        figure = FIGURES[name](twin, Words(lang))
        in_digits_of(figure, Words(lang))
        FigureCanvasAgg(figure).draw()
    return figure


def renamed(twin, names):
    """The twin with these arms and parameters in place of those in `names`, wherever they stand."""
    text = json.dumps(twin)
    for old, new in names.items():
        text = text.replace(f'"{old}"', json.dumps(new))
    return json.loads(text)


@pytest.mark.parametrize("lang", ["en", "fa"])
@pytest.mark.parametrize("name", FIGURES)
def test_no_name_is_mathematics(edges, name, lang):
    twin = edges | {"attribution": ATTRIBUTION}
    names = {"hot": ODD, "lr": "lr" + ODD, "clip": "_" + ODD, "loss/mel": "loss/" + ODD, "mel": ODD}
    twin = renamed(twin, names)
    price = {"param": "huber", "start": ODD, "end": "b" + ODD, "cost": 0.1, "ci": [-0.1, 0.3]}
    twin["boundary_details"]["prices"].append(price)
    assert drawn(name, twin, lang).std() > 10


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in ("forest", "failure")])
def test_many_arms_with_long_names_stay_on_the_figure(edges, name):
    twin = json.loads(json.dumps(edges))
    names = [f"arm {i} of a study whose names tell {i} of its settings each" for i in range(8)]
    plots = twin["plots"]
    for arms in (twin["arms"], twin["boundary"], plots["loss_fan"], plots["stability_map"]["arms"]):
        arms |= dict.fromkeys(names, arms["hot"])
    twin["comparison"] = None
    figure = made(name, twin)
    texts = [figure._suptitle, *(text for legend in figure.legends for text in legend.get_texts())]
    for text in texts:
        place = text.get_window_extent()
        assert figure.bbox.x0 <= place.x0 and place.x1 <= figure.bbox.x1
    if name in ("loss_fan", "lr_curve"):
        shown = {text.get_text() for text in texts}
        assert all(any(shortened(arm) in text for text in shown) for arm in (*names, "basic", "hot"))


def test_a_name_that_begins_with_an_underscore_has_its_place_in_the_legend(edges):
    figure = made("loss_fan", renamed(edges, {"hot": "_hot"}))
    assert any("_hot, median" in text.get_text() for text in figure.legends[0].get_texts())


def test_names_that_are_shortened_to_the_same_keep_their_places_in_the_legend(edges):
    names = [f"{'a' * 30}{i}{'b' * 30}" for i in range(2)]
    assert shortened(names[0]) == shortened(names[1])
    figure = made("loss_fan", renamed(edges, {"basic": names[0], "hot": names[1]}))
    assert sum("median" in text.get_text() for text in figure.legends[0].get_texts()) == 2


def test_arms_are_told_apart_when_the_colours_repeat(edges):
    looks = [look(i) for i in range(24)]
    assert len(set(looks)) == len({(own.colour, own.line) for own in looks}) == 24
    arms = {f"arm {i}": edges["arms"]["hot"] for i in range(12)}
    axes = made("lr_curve", edges | {"arms": arms}).axes[1]
    lines = [line for line in axes.lines if "arm " in line.get_label()]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == len(lines) == 12


def test_the_direction_is_that_of_the_reports_language():
    assert label((Code("پایه"), ": 3"), Words("en")).startswith("\u200e")
    assert label((Code("lr"),), Words("fa")).startswith("\u200f")
    lines = label((Code("lr"), " و " * 30), Words("fa"), 20).splitlines()
    assert len(lines) > 2 and all(line.startswith("\u200f") for line in lines)


def test_names_are_isolated_where_they_could_swap_sides_with_a_number():
    arm = {lang: (Code("a b"), ": ", Words(lang).numbers.count(3)) for lang in ("en", "fa")}
    assert label(arm["en"], Words("en")) == "\u200ea b: 3"
    assert label(arm["fa"], Words("fa")) == "\u200f\u2066a\u00a0b\u2069: ۳"
    assert label((Code("پایه"), ": 3"), Words("en")) == "\u200e\u2066پایه\u2069: 3"
    assert label(("\u2066−۱\u2069",), Words("fa")) == "\u200f\u2066−۱\u2069"  # a number brings its own


def outline(text):
    """The drawn shapes from left to right, as matplotlib orders them."""
    with styled():
        return TextPath((0, 0), text, size=100).vertices


@pytest.mark.parametrize("name", ["shipped", "hot2", "(x)"])
def test_a_persian_line_begins_at_its_right_end(name):
    """`shipped: ۰ از ۲۵` has the name at its right end, and the number left of it."""
    line = outline(
        label(Words("fa").say("fig_arm_rate", arm=Code(name), k=0, n=25, interval="۰"), Words("fa"))
    )
    alone = outline(name)
    at_the_end = line[line[:, 0] > line[:, 0].max() - np.ptp(alone[:, 0]) - 1]
    assert len(at_the_end) == len(alone)
    shift = at_the_end[:, 0].max() - alone[:, 0].max()
    assert np.abs(at_the_end - alone - [shift, 0]).max() < 2


def test_an_english_line_begins_at_its_left_end():
    line, alone = outline(label((Code("پایه"), ": 3"), Words("en"))), outline("پایه")
    assert (line[:, 0] < alone[:, 0].max() + 1).sum() == len(alone)


def test_persian_axes_count_in_persian_digits(edges):
    twin = renamed(edges, {"hot": "hot2"})
    for name in ("headroom", "loss_fan", "lr_curve", "stability_map"):
        figure = made(name, twin, "fa")
        for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
            numbers = [text for text in map(Text.get_text, axis.get_ticklabels()) if "\u2066" not in text]
            if axis.get_scale() == "linear":
                assert not any(re.search("[0-9]", text) for text in numbers)
    rooms = made("headroom", twin, "fa").axes[0]
    assert any("hot2" in text.get_text() for text in rooms.get_yticklabels())
    assert any(re.fullmatch("\u200e−[۰-۹٫]+", text.get_text()) for text in rooms.get_xticklabels())


def test_the_colour_scale_is_as_fine_as_the_screen(edges):
    """Darker with every per cent: a palette made the scale 25 bands, wrong ones where the risk is low."""
    picture = drawn("stability_map", edges).astype(float)
    place = made("stability_map", edges).axes[-1].get_position()
    height, width, _ = picture.shape
    bar = picture[:, int(width * (place.x0 + place.x1) / 2)]
    bar = bar[int(height * (1 - place.y1)) + 3 : int(height * (1 - place.y0)) - 3]
    luminance = bar @ [0.2126, 0.7152, 0.0722]  # weights of ITU-R BT.709
    assert (np.diff(luminance) >= 0).all()
    assert np.diff(luminance).max() < 2.5
    assert len(np.unique(luminance)) > 200


def test_pictures_are_small(edges):
    sizes = {name: len(draw(name, edges | {"attribution": ATTRIBUTION}, "en")) for name in FIGURES}
    assert sizes.pop("stability_map") < 300_000
    assert max(sizes.values()) < 60_000


@pytest.fixture(scope="module")
def half_lost():
    """Ten trials an arm; of one, three are lost at step 1 and three more at step 3."""
    study = StudyFrames()
    for seed in range(10):
        study.trial("compare", "basic", seed, params=BASIC, level=2 + 0.05 * seed)
        if seed < 6:
            study.diverged("compare", "enhanced", seed, params=ENHANCED, step=1 if seed < 3 else 3)
        else:
            study.trial("compare", "enhanced", seed, params=ENHANCED, level=3 + 0.05 * seed)
    return build(make_spec(), study.frames(), ENVIRONMENT)


def test_a_band_without_an_upper_end_reaches_the_top_edge(half_lost):
    fan = half_lost["plots"]["loss_fan"]["enhanced"]["total"]
    assert fan["x"] == [0, 1, 2, 3]
    assert [value is None for value in fan["high"]] == [False, True, True, True]
    assert None not in fan["low"]
    total = made("loss_fan", half_lost).axes[1]
    (band,) = [artist for artist in total.collections if artist.get_gid() == "endless"]
    corners = band.get_paths()[0].vertices
    top = total.get_ylim()[1]
    assert sorted({x for x, y in corners if y == top}) == [1, 2, 3]
    assert corners[:, 0].min() == 0  # from the last place with an upper end: no gap
    assert corners[corners[:, 0] == 0][:, 1].max() == pytest.approx(fan["high"][0])
    assert corners[:, 1].min() == pytest.approx(min(fan["low"]))


def test_a_band_with_an_upper_end_is_not_hatched(small, half_lost):
    def hatched(twin):
        figure = made("loss_fan", twin)
        artists = [artist for axes in figure.axes[:2] for artist in axes.collections]
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
        return [artist.get_gid() for artist in artists if artist.get_gid()], "no upper end" in str(texts)

    assert hatched(small) == ([], False)
    assert hatched(half_lost)[0] and hatched(half_lost)[1]


def test_the_survival_curve_has_its_interval_where_nothing_or_everything_was_lost(edges):
    survival = made("loss_fan", edges).axes[2]
    curves = [edges["plots"]["loss_fan"][arm]["survival"] for arm in ("basic", "hot")]
    assert [curve["share"][-1] for curve in curves] == [1, 0]
    ends = [artist for artist in survival.collections if isinstance(artist, LineCollection)]
    bars = [bar.get_segments()[0][:, 1].tolist() for bar in ends]
    assert bars == [pytest.approx([0.025**0.25, 1]), pytest.approx([0, 1 - 0.025**0.25])]
    assert all(None not in (*curve["low"], *curve["high"]) for curve in curves)


def broken(where, kind, epochs=(), events=(), steps=6):
    """The anatomy of one trial that broke at step 5, after these evaluations: (steps done, value) each."""
    study = StudyFrames()
    one = study.diverged(
        "compare", "basic", 0, params=BASIC, step=steps - 1, kind=kind, where=where, value=8.0
    )
    frames = study.frames()
    rows = [
        {"trial_id": one, "epoch": i - 1, "source": "yardstick", "component": name, "value": value}
        | {"steps_done": done}
        for i, (done, own) in enumerate(epochs)
        for name, value in own.items()
    ]
    frames.epochs = pd.DataFrame(rows)
    rows = [dict(row, trial_id=one, step=steps - 1, kind=kind, where=where) for row in events]
    frames.events = pd.DataFrame(rows, columns=frames.events.columns)
    return anatomy(frames, one)


def test_what_broke_is_drawn_where_it_is_the_yardstick():
    epochs = [
        (0, {"total": 2.0, "mel": 1.0}),
        (3, {"total": 3.0, "mel": NAN}),
        (6, {"total": 9.0, "mel": 3.0}),
    ]
    part = broken("yardstick", "blow_up", epochs, [{"threshold": 4.0, "value": 9.0}])
    assert next(iter(part["quantities"])) == "yardstick"
    assert part["quantities"]["yardstick"] == {
        "steps": [-6, -3, 0],
        "values": [2.0, 3.0, 9.0],
        "nonfinite": {},
        "start": 4.0,
    }
    assert part["steps"] == [-5, -4, -3, -2, -1, 0]
    assert json.loads(json.dumps(part, allow_nan=False)) == part


def test_what_broke_is_drawn_where_it_is_a_component_of_the_yardstick():
    epochs = [(0, {"total": 2.0, "mel": 1.0}), (6, {"total": NAN, "mel": NAN})]
    part = broken("yardstick/mel", "nan_loss", epochs, [{"value": NAN}])
    course = {"steps": [-6, 0], "values": [1.0, None], "nonfinite": {"1": "nan"}, "start": None}
    assert part["quantities"]["yardstick/mel"] == course
    assert json.dumps(part, allow_nan=False)


def test_what_broke_is_drawn_where_it_is_the_sum_of_losses():
    part = broken("sum of losses", "blow_up", (), [{"threshold": 10.0, "value": 16.0}])
    course = part["quantities"]["sum of losses"]
    assert course["values"] == [5.0] * 5 + [16.0]  # two losses at each step, without their weights
    assert (course["steps"], course["start"]) == (part["steps"], 10.0)


def test_evaluations_that_are_not_stored_leave_the_anatomy_as_it_was():
    part = broken("yardstick", "blow_up", [(6, {"mel": 1.0})])
    assert "yardstick" not in part["quantities"] and "total" in part["quantities"]


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_the_failure_shows_what_its_title_says(lang):
    """The evaluations have their own panel, with the level it began at as a line; those long before, a range of their own."""
    epochs = [(0, {"total": 2.0}), (3, {"total": NAN}), (6, {"total": 9.0})]
    part = broken("yardstick", "blow_up", epochs, [{"threshold": 4.0, "value": 9.0}])
    panel, *others = made("failure", {"plots": {"failure": part}}, lang).axes
    assert "yardstick" in panel.get_title("left")
    assert any(
        line.get_ydata()[0] == line.get_ydata()[1] == 4.0
        for line in panel.lines
        if len(line.get_ydata()) == 2
    )
    assert panel.get_xlim() == others[0].get_xlim() and panel.get_xlim()[0] < -6
    early = json.loads(json.dumps(part).replace("[-6, -3, 0]", "[-96, -3, 0]"))
    panel, *others = made("failure", {"plots": {"failure": early}}, lang).axes
    assert panel.get_xlim()[0] < -96 and others[0].get_xlim()[0] > -6


def test_a_failure_that_a_rule_noticed_later_is_shown_to_that_step():
    epochs = [(0, {"total": 2.0}), (3, {"total": NAN}), (6, {"total": 9.0})]
    part = broken("yardstick", "blow_up", epochs, [{"threshold": 4.0, "value": 9.0}])
    part["steps"] = [step + 2 for step in part["steps"]]
    part["quantities"]["yardstick"]["steps"] = [-4, -1, 2]
    for panel in made("failure", {"plots": {"failure": part}}, "en").axes:
        assert not panel.get_visible() or panel.get_xlim()[1] > 2
