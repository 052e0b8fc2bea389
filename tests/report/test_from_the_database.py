"""The twin's numbers against the database's own rows: by SQL and arithmetic, without a line of ours."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import defaultdict
from statistics import NormalDist, mean, median, stdev

import pytest
from commanding import in_this_process
from scipy.stats import binomtest

ARMS = (
    "  gentle: {lr: 0.1}\n  rough: {lr: 2.0}",
    "  gentle: {lr: 0.1}\n  brisk: {lr: 0.2}\n  rough: {lr: 2.0}",
)
COMPARED = ("treatment: rough", "treatment: brisk")
STAGES = ("  - search: {sampler: random, trials: 4}", "  - search: {sampler: random, trials: 12}")


@pytest.fixture(scope="module")
def both(write_study, tmp_path_factory):
    """The report's JSON, and a cursor on the database that it was made from."""
    folder = tmp_path_factory.mktemp("both")
    write_study(folder / "study.yaml", ARMS, COMPARED, STAGES)
    for command in (("run", "study.yaml"), ("report", "toy", "--format", "json")):
        assert in_this_process(folder, *command, "--storage", "s.db").returncode == 0
    twin = json.loads((folder / "reports" / "toy" / "report.json").read_text())
    connection = sqlite3.connect(folder / "s.db")
    yield twin, connection
    connection.close()


def test_every_arm(both):
    twin, rows = both
    query = "select verdict, yardstick_final from stability_trials where stage = 'compare' and arm = ?"
    for arm, told in twin["arms"].items():
        found = rows.execute(query, (arm,)).fetchall()
        known = [row for row in found if row[0] != "INCONCLUSIVE"]
        k, n = sum(row[0] == "DIVERGED" for row in known), len(known)
        assert (told["n"], told["diverged"]) == (n, k) and n == 3
        assert told["infrastructure_failures"] == len(found) - n
        assert told["rate"] == pytest.approx(k / n)
        assert told["rate_ci"] == pytest.approx(wilson(k, n), abs=1e-9)
        finals = [final for verdict, final in known if verdict != "DIVERGED"]
        assert told["yardstick"]["n"] == len(finals)
        if finals:
            assert told["yardstick"]["mean"] == pytest.approx(mean(finals))
            assert told["yardstick"]["sd"] == pytest.approx(stdev(finals))
        for component, loss in told["first_epoch"].items():
            values = first_epoch(rows, arm, component)
            assert loss["n"] == len(values)
            assert loss["mean"] == (pytest.approx(mean(values)) if values else None)
    assert [arm["diverged"] for arm in twin["arms"].values()] == [0, 0, 3]


def first_epoch(rows, arm, component):
    query = """select value from stability_epochs join stability_trials using (trial_id)
        where stage = 'compare' and arm = ? and source = 'train' and epoch = 0 and component = ?
        and verdict != 'INCONCLUSIVE' and value is not null"""
    return [value for (value,) in rows.execute(query, (arm, component))]


def wilson(k, n):
    z = NormalDist().inv_cdf(0.975)
    middle, width = k / n + z * z / (2 * n), z * math.sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n))
    return [(middle - width) / (1 + z * z / n), (middle + width) / (1 + z * z / n)]


def test_the_comparison(both):
    twin, rows = both
    query = (
        "select seed, arm, yardstick_final from stability_trials where stage = 'compare' and arm != 'rough'"
    )
    pairs = defaultdict(dict)
    for seed, arm, final in rows.execute(query):
        pairs[seed][arm] = final
    logs = [math.log(pair["brisk"] / pair["gentle"]) for pair in pairs.values()]
    comparison = twin["comparison"]
    assert comparison["yardstick_ratio"] == pytest.approx(math.exp(mean(logs)))
    assert comparison["yardstick_pairs"]["used"] == len(logs) == 3
    assert comparison["rate_difference"] == 0 and comparison["p_value"] == 1


def test_survival(both):
    twin, rows = both
    query = "select event_step, steps, verdict from stability_trials where stage = 'compare' and arm = ?"
    for arm, told in twin["plots"]["loss_fan"].items():
        found = rows.execute(query, (arm,)).fetchall()
        times = [(step + 1 if verdict == "DIVERGED" else steps, verdict) for step, steps, verdict in found]
        share, expected = 1.0, {0: 1.0}
        for time in sorted({time for time, _ in times}):
            at_risk = sum(other >= time for other, _ in times)
            share *= 1 - sum(other == time and verdict == "DIVERGED" for other, verdict in times) / at_risk
            expected[time] = share
        assert dict(zip(told["survival"]["steps"], told["survival"]["share"], strict=True)) == pytest.approx(
            expected
        )
        assert twin["survival"][arm]["n_events"] == sum(verdict == "DIVERGED" for _, verdict in times)
        for time, low, high in zip(*(told["survival"][key] for key in ("steps", "low", "high")), strict=True):
            left = sum(other > time or verdict != "DIVERGED" for other, verdict in times)
            # Nobody is censored before the study's last step: the limits are Clopper and Pearson's.
            exact = binomtest(left, len(times)).proportion_ci(method="exact")
            assert (low, high) == pytest.approx((exact.low, exact.high))


def test_the_yardstick_that_broke(both):
    twin, rows = both
    failure = twin["plots"]["failure"]
    assert failure["event_where"] == "yardstick"
    query = """select steps_done, value from stability_epochs
        where trial_id = ? and source = 'yardstick' and component = 'total' order by epoch"""
    done, values = zip(*rows.execute(query, (failure["trial_id"],)), strict=True)
    course = failure["quantities"]["yardstick"]
    assert course["steps"] == [steps - 1 - failure["began_step"] for steps in done]
    assert course["values"] == list(values)
    begun = "select threshold from stability_events where trial_id = ? and kind = 'blow_up'"
    ((start,),) = rows.execute(begun, (failure["trial_id"],)).fetchall()
    assert course["values"][-1] > course["start"] == start == values[0]


def test_the_fan(both):
    twin, rows = both
    query = """select step, value from stability_steps join stability_trials using (trial_id)
        where stage = 'compare' and arm = 'gentle' and quantity = 'total' order by step"""
    values = defaultdict(list)
    for step, value in rows.execute(query):
        values[step].append(value)
    fan = twin["plots"]["loss_fan"]["gentle"]["total"]
    assert fan["x"] == list(values)
    assert fan["median"] == pytest.approx([median(each) for each in values.values()])
    assert fan["low"] == pytest.approx([min(each) for each in values.values()])


def test_every_trial_and_every_first_bad_step(both):
    twin, rows = both
    query = """select stage, number, arm, seed, verdict, event_step, yardstick_final, params
        from stability_trials order by stage, number"""
    found = rows.execute(query).fetchall()
    told = [
        (own["stage"], own["number"], own["arm"], own["seed"], own["verdict"], own["first_bad_step"])
        for own in twin["trials"]
    ]
    assert told == [(*row[:5], row[5] if row[4] == "DIVERGED" else None) for row in found]
    assert [own["params"] for own in twin["trials"]] == [json.loads(row[7]) for row in found]
    lost = [row for row in found if row[4] == "DIVERGED"]
    bad = [(own["stage"], own["number"], own["step"]) for own in twin["first_bad_steps"]]
    assert bad == [(row[0], row[1], row[5]) for row in lost]
    search = [row for row in found if row[0] == "search"]
    smallest = min(json.loads(row[7])["lr"] for row in search if row[4] == "DIVERGED")
    assert (
        twin["search"]["edge"]["smallest_diverged"]
        == twin["plots"]["lr_curve"]["smallest_diverged"]
        == smallest
    )
    assert (twin["search"]["n"], twin["search"]["diverged"]) == (12, sum(r[4] == "DIVERGED" for r in search))
    best = min(row[6] for row in search if row[4] != "DIVERGED")
    assert twin["search"]["best"]["yardstick"] == best


def test_the_failure(both):
    twin, rows = both
    part = twin["plots"]["failure"]
    query = (
        "select step, value, value_nonfinite from stability_steps where trial_id = ? and quantity = 'total'"
    )
    found = rows.execute(f"{query} order by step", (part["trial_id"],)).fetchall()
    bad = part["event_step"]
    shown = part["quantities"]["total"]
    assert part["began_step"] <= bad
    expected = [(step - part["began_step"], value) for step, value, _ in found if bad - 50 < step <= bad]
    assert list(zip(part["steps"], shown["values"], strict=True)) == expected
    marks = {str(i): mark for i, (*_, mark) in enumerate(found) if mark}
    assert shown["nonfinite"] == marks
