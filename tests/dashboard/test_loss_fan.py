"""The loss fan: bands, crosses where trials were lost, the printed totals."""

from __future__ import annotations

from twins import arm, course, drawn, fan, named, study

LOST = fan(low=[2.0, 1.0, None], median=[2.5, None, None], high=[3.0, None, None], bad=[[1, 2], [2, 5]])


def graph(lang="en", **arms):
    twin = study(loss_fan=arms) | {"arms": {name: arm() for name in arms}}
    return drawn("stability-loss-fan", twin, "compare", lang)


def bands(traces, axis):
    return [trace for trace in traces if trace.get("fill") == "toself" and trace["yaxis"] == axis]


def test_the_printed_totals_have_a_panel():
    traces, layout = graph(calm=course())
    [total] = [trace for trace in traces if trace["yaxis"] == "y2" and trace.get("name")]
    assert total["y"] == [2.5, 2.0, 1.5] and total["xaxis"] == "x2"
    headings = [note["text"] for note in layout["annotations"]]
    assert headings[1] == "Printed total per step" and headings[2].startswith("Still training")
    assert layout["yaxis2"]["range"][0] < 1.0 and layout["yaxis2"]["range"][1] > 3.0


def test_crosses_stand_where_trials_were_lost():
    traces, layout = graph(calm=course(), hot=course(total=LOST), wild=course(total=LOST))
    hot, wild = [trace for trace in traces if trace.get("name") == "diverged here"]
    assert hot["x"] == wild["x"] == [1, 2] and hot["hovertext"] == ["2", "5"]
    assert hot["marker"]["size"][0] < hot["marker"]["size"][1]
    assert hot["y"][0] > wild["y"][0] > 0.8 and hot["yaxis"] == "y5"
    assert (hot["showlegend"], wild["showlegend"]) == (True, False)
    assert layout["yaxis5"]["overlaying"] == "y2"


def test_a_band_whose_upper_end_is_infinite_goes_to_the_edge():
    traces, layout = graph(hot=course(total=LOST))
    [band] = bands(traces, "y2")
    low, top = layout["yaxis2"]["range"]
    assert (band["x"], band["y"]) == ([0, 1, 1, 0], [3.0, top, 1.0, 2.0])
    assert low < 1.0 and top > 3.0


def test_a_gap_parts_a_band():
    gap = fan(x=[0, 1, 2, 3, 4], low=[1, 1, None, 1, 1], median=[2] * 5, high=[3, 3, None, 3, 3])
    traces, _ = graph(calm=course(total=gap))
    [band] = bands(traces, "y2")
    assert band["x"] == [0, 1, 1, 0, None, 3, 4, 4, 3]


def test_survival_has_its_interval_in_steps():
    traces, _ = graph(calm=course())
    [band] = bands(traces, "y3")
    assert band["x"] == [2, 4, 4, 4, 4, 2] and band["y"] == [0.8, 0.8, 0.8, 0.2, 0.2, 0.2]


def test_before_training_is_no_epoch():
    for lang, word in {"en": "start", "fa": "آغاز"}.items():
        _, layout = graph(lang, calm=course())
        assert layout["xaxis"]["tickvals"][0] == -1 and word in layout["xaxis"]["ticktext"][0]


def test_arms_look_as_in_the_other_plots():
    twin = study(loss_fan={"late": course()}) | {"arms": {"unrun": arm(), "late": arm()}}
    traces, _ = drawn("stability-loss-fan", twin, "compare")
    alone, _ = graph(late=course())
    assert named(traces[:2], "late")["line"]["dash"] != named(alone[:2], "late")["line"]["dash"]
