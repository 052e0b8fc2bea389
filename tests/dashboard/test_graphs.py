"""The graphs of the study pages: what Plotly is told to draw, from twins by hand."""

from __future__ import annotations

import json

import pytest
from twins import ODD, course, curve, drawn, named, study

from stability.dashboard import plots
from stability.dashboard.plots import style
from stability.report.palette import COLOURS
from stability.report.words import Words


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_a_name_is_no_mark_up(lang):
    data, layout = drawn("stability-loss-fan", study(loss_fan={ODD: course()}), "compare", lang)
    text = json.dumps([data, layout], ensure_ascii=False).replace("\u00a0", " ")
    assert "<b>" not in text and "a & b" not in text
    assert "&lt;b&gt;a &amp; b&lt;/b&gt;" in text


def luminance(colour):
    """Relative luminance by WCAG 2.1 of an opaque #rrggbb."""
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    """Contrast ratio by WCAG 2.1, 1 to 21."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def test_no_grey_reads_better_in_both_themes_than_the_ink():
    def worse(colour):
        return min(contrast(colour, ground) for ground in (style.LIGHT, style.DARK))

    greys = [f"#{level:02x}{level:02x}{level:02x}" for level in range(256)]
    assert max(greys, key=worse) == style.INK
    assert 4.05 < worse(style.INK) <= contrast(style.LIGHT, style.DARK) ** 0.5 < 4.5  # so none reaches AA
    for mark in (style.BAD, *COLOURS[:2]):
        assert worse(mark) >= 3  # what WCAG asks of marks


MANY = 5000


def test_of_many_trials_those_drawn_are_spread_over_all_and_counted():
    trials = [(1e-3, 1.0 + i, "STABLE") for i in range(MANY)] + [(0.5, None, "DIVERGED")] * 3
    for lang, told in {"en": "(2000 of 5000 drawn)", "fa": "(۲۰۰۰ از ۵۰۰۰ رسم شده)"}.items():
        traces, _ = drawn("stability-lr-curve", study(lr_curve=curve(*trials)), "search", lang)
        calm = named(traces, told)
        assert len(calm["y"]) == 2000 and max(calm["y"]) > 0.99 * MANY
        assert sum(y > MANY / 2 for y in calm["y"]) == pytest.approx(1000, abs=2)
        [lost] = [trace for trace in traces if trace.get("marker", {}).get("symbol") == "x"]
        assert len(lost["x"]) == 3 and "(" not in lost["name"]  # all of them are there


def test_the_panels_of_a_map_share_what_a_graph_may_hold():
    part = {name: {"param": name, "log": False, "values": [0.0, 1.0]} for name in "xy"}
    part["trials"] = [{"x": i / MANY, "y": 0.5, "diverged": False} for i in range(MANY)]
    part["arms"] = {name: {"x": 0.5, "y": 0.5, "probability": [[0.1, 0.2]] * 2} for name in "ab"}
    traces, _ = drawn("stability-map", study(stability_map=part, boundary={}), "boundary")
    drawings = [
        trace for trace in traces if trace.get("name") == "no divergence seen<br>(1000 of 5000 drawn)"
    ]
    assert [len(trace["x"]) for trace in drawings] == [1000, 1000]
    assert max(drawings[0]["x"]) > 0.99


def test_the_losses_of_diverged_trials_decide_no_axis():
    finite = [(0.01, 2.0, "STABLE"), (0.02, 3.0, "UNSTABLE")]
    part = curve(*finite, (0.5, 4000.0, "DIVERGED"), (0.6, None, "DIVERGED"))
    traces, layout = drawn("stability-lr-curve", study(lr_curve=part), "search")
    assert layout["yaxis"]["type"] == "linear"
    lost = named(traces, "diverged")
    assert lost["x"] == [0.5, 0.6] and lost["yaxis"] == "y2" and set(lost["y"]) == {style.EDGE}
    assert layout["yaxis2"]["overlaying"] == "y" and layout["yaxis2"]["range"] == [0, 1]
    assert not any(4000.0 in trace["y"] for trace in traces)
    traces, layout = drawn(
        "stability-lr-curve", study(lr_curve=curve((0.1, 50.0, "STABLE"), *finite)), "search"
    )
    assert layout["yaxis"]["type"] == "log"


def test_what_was_unstable_or_stuck_is_not_called_calm():
    part = curve(
        (0.01, 2.0, "STABLE"), (0.1, 3.0, "UNSTABLE"), (0.2, 9.0, "STUCK"), (0.3, 1.0, "INCONCLUSIVE")
    )
    traces, _ = drawn("stability-lr-curve", study(lr_curve=part | {"at_start": 8.0}), "search")
    calm, other = named(traces, "no divergence seen"), named(traces, "unstable or stuck")
    assert (calm["y"], other["y"]) == ([2.0], [3.0, 9.0])
    assert calm["marker"]["symbol"] != other["marker"]["symbol"]
    assert named(traces, "before training")["y"] == [8.0, 8.0]
    assert named(traces, "a\u00a0&amp;\u00a0b")["x"] == [0.1, 0.1]  # where the arm sits


def edges(prices=()):
    """The twin's parts on a boundary: an arm inside its bound, one outside, one without any."""
    rooms = {"calm": 0.5, "hot": -1.25, ODD: None}
    arms = {
        arm: {"headroom": room, "p05_lower": None if room is None else 0.1, "monotone": True, "p50": None}
        for arm, room in rooms.items()
    }
    return {
        "boundary": arms,
        "boundary_details": {"param": "lr", "log": True, "diverges": "above", "prices": prices},
    }


@pytest.mark.parametrize(("lang", "na"), [("en", "n/a"), ("fa", "داده ندارد")])
def test_an_arm_without_a_bound_has_its_row(lang, na):
    [bars], layout = drawn("stability-headroom", study(**edges()), "boundary", lang)
    assert (bars["x"], bars["y"]) == ([-1.25, 0.5], [1, 2])
    assert layout["yaxis"]["ticktext"] == ["&lt;b&gt;a &amp; b&lt;/b&gt;", "hot", "calm"]
    [missing] = [note for note in layout["annotations"] if na in note["text"]]
    assert (missing["x"], missing["y"], missing["yref"]) == (0, 0, "y")
    low, high = layout["xaxis"]["range"]
    assert low < -1.25 and high > 0.5  # room for the numbers


def test_prices_stand_below_with_their_intervals():
    costs = {"clip": (0.4, [0.1, 0.9]), "huber": (-0.1, [-0.5, 0.3])}
    prices = [
        {"param": p, "start": 0.1, "end": 2.0, "cost": cost, "ci": ci} for p, (cost, ci) in costs.items()
    ]
    traces, layout = drawn("stability-headroom", study(**edges(prices)), "boundary")
    clear, unclear = named(traces, "excludes no effect"), named(traces, "includes no effect")
    assert (clear["x"], clear["y"], clear["xaxis"], clear["yaxis"]) == ([0.4], [1], "x2", "y2")
    assert clear["error_x"]["array"] == pytest.approx([0.5]) and clear["error_x"][
        "arrayminus"
    ] == pytest.approx([0.3])
    assert unclear["y"] == [0] and unclear["marker"]["symbol"].endswith("-open")
    assert layout["yaxis2"]["ticktext"] == ["huber: 0.1 → 2", "clip: 0.1 → 2"]
    assert layout["yaxis2"]["domain"][1] < layout["yaxis"]["domain"][0]
    assert any("What a change takes" in note["text"] for note in layout["annotations"])


def part(response, **effects):
    """What settings have a part in, as (effect, interval, adjusted p)."""
    told = {
        name: dict(zip(("effect", "ci", "p_adjusted"), own, strict=True)) for name, own in effects.items()
    }
    return {"response": response, "effects": told, "others": []}


def test_only_an_interval_clear_of_no_effect_is_filled():
    found = part(
        "diverged", lr=(0.6, [0.2, 0.9], 0.01), clip=(0.1, [-0.2, 0.3], 1.0), warmup=(0.05, None, 1.0)
    )
    traces, layout = drawn("stability-forest", study(attribution=found), "attribute")
    clear, unclear = named(traces, "excludes no effect"), named(traces, "includes no effect")
    bare = named(traces, "no interval")
    assert layout["yaxis"]["ticktext"] == ["warmup", "clip", "lr"]
    assert [clear["y"], unclear["y"], bare["y"]] == [[2], [1], [0]]
    assert clear["marker"]["color"] != unclear["marker"]["color"]
    assert "error_x" in clear and "error_x" in unclear and "error_x" not in bare
    [nothing] = [trace for trace in traces if trace["mode"] == "lines"]
    assert nothing["x"] == [0, 0]


def test_each_response_has_its_panel():
    found = part("yardstick", lr=(-0.6, [-0.9, -0.2], 0.01), clip=(0.1, [-0.2, 0.3], 1.0))
    found["others"] = [part("diverged"), part("boundary", clip=(0.1, [-0.2, 0.3], 1.0))]
    traces, layout = drawn("stability-forest", study(attribution=found), "attribute")
    titles = [note["text"] for note in layout["annotations"]]
    assert titles == ["In the yardstick of trials that<br>finished", "In the boundary", "n/a"]
    missing = layout["annotations"][-1]
    assert (missing["xref"], missing["yref"], missing["y"]) == ("x2", "y2", 1)
    assert {trace["xaxis"] for trace in traces} == {"x", "x2"}
    assert "×1" in layout["xaxis"]["ticktext"]
    in_legend = [trace["name"] for trace in traces if "name" in trace and trace["showlegend"]]
    assert len(in_legend) == len(set(in_legend)) == 2
    assert not plots.of_stage("boundary", study(attribution=found, boundary={}), Words("en"))


BROKEN = {
    "stage": "search",
    "number": 7,
    "event_kind": "nan_loss",
    "event_where": "mel",
    "event_step": 30,
    "steps": [-2, -1, 0],
    "quantities": {
        "loss/mel": {"values": [1.0, 60.0, None], "nonfinite": {"2": "nan"}},
        "total": {"values": [3.0, 2.0, 2.5], "nonfinite": {}},
        "grad_norm": {"values": [None, 2.0, 2.5], "nonfinite": {"0": "inf"}},
    },
}


@pytest.mark.parametrize(("lang", "told"), [("en", "nan_loss"), ("fa", "رویداد")])
def test_the_anatomy_of_a_failure_is_on_the_page_of_its_stage(lang, told):
    twin = study(failure=BROKEN)
    assert not plots.of_stage("compare", twin, Words(lang))
    traces, layout = drawn("stability-failure", twin, "search", lang)
    assert told in layout["title"]["text"]
    assert [note["text"] for note in layout["annotations"]] == ["loss/mel", "total", "grad_norm"]
    crosses = [trace for trace in traces if trace["mode"] == "markers+text"]
    assert [(cross["x"], cross["text"], cross["yaxis"]) for cross in crosses] == [
        ([0], ["nan "], "y4"),
        ([-2], ["inf "], "y6"),
    ]
    assert [layout[f"yaxis{n}"]["overlaying"] for n in (4, 5, 6)] == ["y", "y2", "y3"]
    assert (layout["yaxis"]["type"], layout["yaxis2"]["type"]) == ("log", "linear")


def test_the_median_breaks_where_a_part_has_no_trial():
    parts = [(1e-3, 1.0), (1e-2, None), (1e-1, 2.0)]
    bins = [{"middle": middle, "median": median, "survivors": False} for middle, median in parts]
    part = curve((1e-3, 1.0, "STABLE")) | {"bins": bins}
    traces, _ = drawn("stability-lr-curve", study(lr_curve=part), "search")
    [median] = [trace for trace in traces if trace.get("name") == "median of all trials"]
    assert (median["x"], median["y"], median["connectgaps"]) == ([1e-3, 1e-2, 1e-1], [1.0, None, 2.0], False)


def test_what_broke_stands_at_its_own_steps_under_its_limit():
    evaluated = {"steps": [-8, -4, 0], "values": [2.0, 2.5, 4.5], "nonfinite": {}, "start": 4.0}
    broken = BROKEN | {"quantities": {"yardstick": evaluated, **BROKEN["quantities"]}}
    traces, layout = drawn("stability-failure", study(failure=broken), "search")
    course, limit = (
        next(trace for trace in traces if trace["mode"] == mode) for mode in ("lines+markers", "lines+text")
    )
    assert (course["x"], course["y"]) == ([-8, -4, 0], [2.0, 2.5, 4.5])
    assert (limit["x"], limit["y"], limit["text"][0]) == ([-8, 0], [4.0, 4.0], "start")
    assert layout["annotations"][0]["text"] == "yardstick"


def test_the_panels_make_room_for_the_legend():
    def below(*trials):
        return drawn("stability-lr-curve", study(lr_curve=curve(*trials)), "search")[1]["margin"]["b"]

    lost = (0.5, None, "DIVERGED")
    few = below((1e-3, 1.0, "STABLE"), lost)
    more = below((1e-3, 1.0, "STABLE"), lost, (1e-2, 2.0, "STUCK"))
    assert more == few + style.LEGEND_LINE  # four names, then five
    assert below((1e-3, 1.0, "STABLE")) <= few  # no name of what is not there
    _, bare = drawn("stability-failure", study(failure=BROKEN), "search")
    assert bare["margin"]["b"] == style.BELOW < few
