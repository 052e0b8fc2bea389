"""Trials that repeat one another though their seeds differ: one piece of evidence in every number."""

import pandas as pd
import pytest

from stability.evidence.independent import Identical, identical, repeated
from stability.evidence.paired import paired_ratio, yardstick_values
from stability.evidence.rates import arm_rate, compare_rates
from stability.evidence.selection import with_evidence
from stability.evidence.survival import arm_survival
from stability.report.knobs import identical_sentences
from stability.report.words import Words


def trials(**arms):
    """`basic=["a", "a", "b"]`: one trial a seed, with the trajectory of that name; None: none is known."""
    rows = [
        {"stage": "compare", "arm": arm, "key": f"{arm}/seed-{seed}", "seed": seed, "params": {"lr": arm}}
        | {"verdict": "DIVERGED" if sha256 == "lost" else "STABLE", "outcome": "FINISHED"}
        | {"steps": 4, "event_step": 1 if sha256 == "lost" else None, "yardstick_final": 1.0 + 0.1 * seed}
        | {"trajectory_sha256": sha256, "printed_sha256": sha256 and "printed-" + sha256}
        for arm, own in arms.items()
        for seed, sha256 in enumerate(own)
    ]
    return pd.DataFrame(rows).assign(trial_id=range(len(rows)))


def test_of_identical_trials_the_first_seed_counts():
    known = trials(basic=["a", "a", "b", "a"])
    assert list(with_evidence(known)["seed"]) == [0, 2]
    assert list(with_evidence(known.sample(frac=1, random_state=1)).sort_values("seed")["seed"]) == [0, 2]
    assert identical(known.to_dict("records")) == [Identical("compare", "basic", 4, 2)]


def test_of_unknown_trajectories_every_trial_counts():
    known = trials(basic=[None, None, None])
    assert len(with_evidence(known)) == 3 and identical(known.to_dict("records")) == []


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("stage", ["compare", "attribute"]),
        ("key", ["basic/seed-0", "other/seed-1"]),
        ("params", [{"lr": 1.0}, {"lr": 2.0}]),
        ("printed_sha256", ["one", "two"]),
        ("seed", [5, 5]),
        ("verdict", ["STABLE", "INCONCLUSIVE"]),
    ],
)
def test_trials_that_differ_in_what_they_are_stay_two(column, values):
    assert repeated(trials(basic=["a", "a"]).assign(**{column: values}).to_dict("records")) == set()


def test_every_statistic_of_an_arm_counts_it_once():
    known = trials(basic=["lost"] * 20, other=[f"own-{i}" for i in range(20)])
    assert (arm_rate(known, "basic").n, arm_rate(known, "basic").diverged) == (1, 1)
    assert arm_survival(known, "basic").n_events == 1
    assert compare_rates(known, "other", "basic").test == "Barnard"  # there is one pair
    alike = trials(basic=["a"] * 20, other=["b"] * 20)
    assert paired_ratio(alike, yardstick_values(alike), "basic", "other").used == 1


IGNORES_ITS_SEED = """
def train(trial, recorder):
    x = 1.0 + SEED
    recorder.evaluate({"square": x * x}, epoch=-1)
    for step in range(6):
        x -= trial.params["lr"] * 2 * x
        recorder.step({"square": x * x}, grad_norm=abs(x))
    recorder.evaluate({"square": x * x}, epoch=0)
"""
STUDY = """
name: toy
trainer: {call: "train.py:train"}
budget: {epochs: 1, batch_size: 1, timeout_s: 60}
params: {lr: {min: 1e-3, max: 10.0, log: true}}
arms:
  gentle: {lr: 0.1}
  rough: {lr: 2.0}
compare: {baseline: gentle, treatment: rough}
plan: [{compare: {seeds: 6}}, {attribute: {trials: 8, confirm: 0}}]
yardstick: {square: 1.0}
"""


def test_a_report_says_that_the_seed_never_arrived(reported):
    _, twin, text = reported(IGNORES_ITS_SEED.replace("SEED", "0.0"), STUDY)
    assert [(arm["n"], arm["diverged"]) for arm in twin["arms"].values()] == [(1, 0), (1, 1)]
    assert twin["comparison"]["conclusion"] == "INSUFFICIENT" and twin["comparison"]["pairs"] is None
    assert twin["attribution"]["n"] == 2  # of 8 trials of two combinations
    assert (
        "The seed never arrived in the training of `gentle`: its 6 trials, each with a seed of its own, came out"
        " identical bit for bit and count as one." in text
    )
    assert "In `attribute` trials with different seeds came out identical bit for bit" in text


def test_of_printed_numbers_it_is_left_open_whether_the_seed_arrived():
    found = {"exact": False, "found": [{"stage": "compare", "arm": "gentle", "trials": 6, "pieces": 1}]}
    for language in ("en", "fa"):
        [sentence] = identical_sentences(found, Words(language))
        assert "bit for bit" not in str(sentence) and "بیت‌به‌بیت" not in str(sentence)
    assert "or it moves only digits that are not printed" in str(identical_sentences(found, Words("en")))


def test_nothing_is_said_where_it_arrives(reported):
    _, twin, text = reported(IGNORES_ITS_SEED.replace("SEED", "0.01 * trial.seed"), STUDY)
    assert [arm["n"] for arm in twin["arms"].values()] == [6, 6]
    assert twin["identical"] == {"exact": True, "found": []} and "identical" not in text


def test_status_gives_the_rate_of_what_differs(run_study, tmp_path, capsys):
    from stability import terminal

    (tmp_path / "train.py").write_text(IGNORES_ITS_SEED.replace("SEED", "0.0"))
    (tmp_path / "study.yaml").write_text(STUDY)
    _, store, _ = run_study(tmp_path / "study.yaml")
    terminal.print_status(store, "toy", "table", "")
    told = capsys.readouterr().out
    assert "0% [0%, 79%]" in told and "100% [21%, 100%]" in told
    assert (
        "compare of gentle: trials with different seeds came out identical in every recorded number" in told
    )
    assert "6 trials count as 1" in told
