"""The JSON twin: its contract, its numbers against independent ones, and strictness."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from study_frames import BASIC, ENHANCED, ENVIRONMENT, INF, NAN, StudyFrames, make_spec, small_study

from stability.report import build

CONTRACT = {
    *("study", "spec_sha256", "revision", "environment", "arms", "comparison", "liveness", "control"),
    *("attribution", "boundary", "survival", "recommendations"),
}
COMPARISON = {
    *("baseline", "treatment", "rate_difference", "rate_difference_ci", "p_value", "test"),
    *("yardstick_ratio", "yardstick_ratio_ci", "conclusion"),
}
ARM = {"n", "diverged", "rate", "rate_ci", "infrastructure_failures", "first_epoch", "yardstick"}


@pytest.fixture(scope="module")
def twin():
    return build(make_spec(), small_study(), ENVIRONMENT)


def test_every_key_of_the_contract_is_there(twin):
    assert twin.keys() >= CONTRACT
    assert twin["comparison"].keys() >= COMPARISON
    for arm in twin["arms"].values():
        assert arm.keys() >= ARM
        assert all(cell.keys() >= {"mean", "sd", "n"} for cell in arm["first_epoch"].values())
        assert arm["yardstick"].keys() >= {"mean", "sd", "n"}
    assert all(own.keys() == {"median_steps", "n_events", "n_censored"} for own in twin["survival"].values())
    keys = {"arm", "param", "op", "value", "risk", "confidence", "n", "text", "stuck", "failed", "undecided"}
    assert [entry.keys() for entry in twin["recommendations"]] == [keys]


def test_parts_that_were_not_run_are_null(twin):
    assert all(
        twin[key] is None for key in ("liveness", "liveness_details", "attribution", "boundary", "ranges")
    )


def test_it_is_strict_json(twin):
    assert json.loads(json.dumps(twin, allow_nan=False)) == twin


def test_rates_recomputed(twin):
    enhanced = twin["arms"]["enhanced"]
    assert (enhanced["n"], enhanced["diverged"], enhanced["infrastructure_failures"]) == (11, 1, 1)
    assert enhanced["rate_ci"] == pytest.approx(stats.binomtest(1, 11).proportion_ci(method="wilson"))
    exact = stats.binomtest(1, 11, alternative="less").proportion_ci(0.95, method="exact")
    assert enhanced["rate_upper"] == pytest.approx(exact.high)
    comparison = twin["comparison"]
    assert (comparison["test"], comparison["p_value"]) == ("exact McNemar", 1.0)
    assert comparison["rate_difference"] == pytest.approx(1 / 11)
    assert comparison["conclusion"] == "NO_DIFFERENCE_SHOWN"
    assert twin["arms"]["basic"]["rate_upper"] == pytest.approx(1 - 0.05 ** (1 / 12))


def test_the_yardstick_ratio_recomputed(twin):
    trials = small_study().trials
    final = trials[(trials["stage"] == "compare") & (trials["verdict"] == "STABLE")]
    table = final.pivot(index="seed", columns="arm", values="yardstick_final").astype(float).dropna()
    assert len(table) == twin["comparison"]["yardstick_pairs"]["used"] == 10
    ratio = math.exp(np.log(table["enhanced"] / table["basic"]).mean())
    assert twin["comparison"]["yardstick_ratio"] == pytest.approx(ratio)
    low, high = twin["comparison"]["yardstick_ratio_ci"]
    assert low < ratio < high < 1
    assert twin["arms"]["enhanced"]["yardstick"]["mean"] == pytest.approx(table["enhanced"].mean())
    assert twin["arms"]["enhanced"]["yardstick"]["missing"] == 1


def test_first_epoch_losses_recomputed(twin):
    frames = small_study()
    own = frames.trials[(frames.trials["arm"] == "enhanced") & (frames.trials["verdict"] != "INCONCLUSIVE")]
    rows = frames.epochs[
        frames.epochs["trial_id"].isin(own["trial_id"]) & (frames.epochs["source"] == "train")
    ]
    first = rows[(rows["epoch"] == 0) & (rows["component"] == "mel")]["value"]
    found = twin["arms"]["enhanced"]["first_epoch"]["mel"]
    assert found["mean"] == pytest.approx(first.mean())
    assert found["sd"] == pytest.approx(first.std())
    assert (found["n"], found["missing"]) == (10, 1)


def test_printed_losses_with_other_definitions_have_no_factor(twin):
    rows = {(row["metric"], row["component"]): row for row in twin["table"]}
    total, stop = rows["train_first", "total"], rows["train_first", "stop"]
    assert (total["comparable"], total["reason"], total["factor"]) == (False, "definitions differ", None)
    assert stop["comparable"]
    assert stop["factor"] == pytest.approx(1 / stop["improvement"])
    assert twin["table"][0]["metric"] == "yardstick_final"
    assert twin["table"][0]["component"] == "total"


def test_a_nonfinite_value_is_null_beside_its_marker(twin):
    bad = {row["number"]: row for row in twin["first_bad_steps"] if row["stage"] == "search"}
    assert (bad[5]["value"], bad[5]["nonfinite"]) == (None, "inf")
    assert (bad[6]["value"], bad[6]["nonfinite"]) == (None, "nan")
    assert (bad[7]["value"], bad[7]["nonfinite"], bad[7]["step"]) == (9.5, None, 3)


def test_search_in_numbers(twin):
    search = twin["search"]
    assert (search["n"], search["diverged"], search["adaptive"], search["param"]) == (8, 3, True, "lr")
    assert search["best"]["params"]["lr"] == 1e-2
    assert search["edge"]["smallest_diverged"] == 0.031622
    assert twin["recommendations"][0]["value"] == 1e-2
    assert twin["recommendations"][0]["risk"] is None
    assert twin["recommendations"][0]["text"] == (
        "No divergence was seen at lr <= 0.01 in 5 trials of the search within at most 4 steps;"
        " the smallest diverged lr was 0.03162."
    )


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_nonfinite_losses_settings_and_yardsticks_stay_strict(value):
    study = StudyFrames()
    for seed in range(3):
        study.trial("compare", "basic", seed, params=BASIC)
        study.trial("compare", "enhanced", seed, params=ENHANCED | {"clip": value}, yardstick_final=value)
    frames = study.frames()
    frames.epochs.loc[frames.epochs["trial_id"] == 2, "value"] = value
    found = build(
        make_spec(arms={"basic": BASIC, "enhanced": ENHANCED | {"clip": value}}), frames, ENVIRONMENT
    )
    assert json.dumps(found, allow_nan=False)
    assert found["arms"]["enhanced"]["first_epoch"]["mel"]["nonfinite"] == 1
    assert found["arms"]["enhanced"]["first_epoch"]["mel"]["n"] == 2
    marker = {"value": None, "nonfinite": str(value)}
    assert found["arms"]["enhanced"]["settings"]["clip"] == marker
    assert found["comparison"]["yardstick_ratio"] is None


def test_a_value_without_a_json_form_is_refused():
    with pytest.raises(TypeError, match="object .* has no JSON form"):
        build(make_spec(), small_study(), ENVIRONMENT | {"odd": object()})


def test_it_does_not_depend_on_row_order(twin):
    frames = small_study()
    shuffled = {
        name: getattr(frames, name).sample(frac=1, random_state=3) for name in ("trials", "steps", "events")
    }
    found = build(make_spec(), SimpleNamespace(**shuffled, epochs=frames.epochs), ENVIRONMENT)
    assert found["first_bad_steps"] == twin["first_bad_steps"]
    one, two = found["comparison"], twin["comparison"]
    assert one["yardstick_ratio"] == pytest.approx(two["yardstick_ratio"])
    assert one["conclusion"] == two["conclusion"]
