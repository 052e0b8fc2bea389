"""Searches: the best trial, and the edge along one parameter."""

from __future__ import annotations

import pandas as pd

from stability.evidence.searched import plotted_param, search_summary
from stability.params import Param

NAN = float("nan")


def trials(*rows: tuple[object, str, float]) -> pd.DataFrame:
    """(lr, verdict, final yardstick) a trial."""
    outcomes = {"DIVERGED": "STOPPED", "INCONCLUSIVE": "LOST"}
    return pd.DataFrame(
        {
            "trial_id": range(len(rows)),
            "number": range(len(rows)),
            "params": [{"lr": row[0]} for row in rows],
            "verdict": [row[1] for row in rows],
            "outcome": [outcomes.get(row[1], "FINISHED") for row in rows],
            "yardstick_final": [row[2] for row in rows],
        }
    )


def test_the_edge_is_read_off_the_trials():
    found = search_summary(
        trials(
            (1e-4, "STABLE", 2.0),
            (1e-2, "UNSTABLE", 1.0),
            (3e-2, "DIVERGED", NAN),
            (5e-2, "STABLE", 1.5),
            (1e-1, "DIVERGED", NAN),
            (1e-6, "INCONCLUSIVE", NAN),
        ),
        "lr",
    )
    assert (found.n, found.diverged, found.infrastructure_failures) == (5, 2, 1)
    assert (found.edge.smallest_diverged, found.edge.largest_not_diverged) == (3e-2, 5e-2)
    assert (found.edge.clear_up_to, found.edge.n_clear) == (1e-2, 2)
    assert (found.edge.lowest, found.edge.highest) == (1e-4, 1e-1)
    assert (found.best.number, found.best.yardstick) == (1, 1.0)


def test_a_masked_or_diverged_trial_is_never_the_best():
    found = search_summary(trials((1e-3, "DIVERGED", 0.0), (1e-4, "STABLE", float("inf"))), "lr")
    assert found.best is None


def test_all_diverged_and_none_diverged():
    bad = search_summary(trials((0.1, "DIVERGED", NAN)), "lr").edge
    assert (bad.smallest_diverged, bad.clear_up_to, bad.n_clear) == (0.1, None, 0)
    good = search_summary(trials((0.1, "STABLE", 1.0)), "lr").edge
    assert (good.smallest_diverged, good.clear_up_to, good.n_clear) == (None, 0.1, 1)


def test_without_a_number_there_is_no_edge():
    assert search_summary(trials((None, "STABLE", 1.0), (True, "STABLE", 1.0)), "lr").edge is None
    assert search_summary(trials((0.1, "STABLE", 1.0)), None).edge is None


def test_the_plotted_parameter_is_lr_then_log_then_any_range():
    lr, flag = Param("lr", "float", low=0, high=1), Param("flag", "choice", choices=(1, 2))
    wide, plain = Param("wide", "float", low=1, high=9, log=True), Param("plain", "float", low=0, high=1)
    assert plotted_param({"wide": wide, "lr": lr}) == "lr"
    assert plotted_param({"flag": flag, "plain": plain, "wide": wide}) == "wide"
    assert plotted_param({"flag": flag, "plain": plain}) == "plain"
    assert plotted_param({"flag": flag}) is None
