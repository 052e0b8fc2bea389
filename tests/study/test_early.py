"""Real runs of a comparison that may end early: it does, it stays ended, and nothing is missing afterwards."""

import json
import re

import pytest
from rich.console import Console
from rich.live import Live

from stability import terminal
from stability.progress import LineProgress, LiveProgress
from stability.report import write
from stability.spec import from_document, load_study

EARLY = ("compare: {seeds: 3}", "compare: {seeds: 12, early: {spending: obrien_fleming, looks: 3}}")
SAYS = (
    "compare ended early after look 2 of 3 (16 of 24 planned trials): exact McNemar p = 0.0078, at most 0.0078"
    " ends it there (O'Brien-Fleming spending, Lan-DeMets); 8 trials are not needed"
)


def report(spec, store, tmp_path, format="json", lang="en"):
    environment = store.environment(spec.name)
    stored = from_document(environment.pop("spec"))
    path = write(stored, store.frames(spec.name), environment, format=format, lang=lang, out=tmp_path)
    return path.read_text(encoding="utf-8")


def test_a_stage_ends_when_its_question_is_answered_and_stays_ended(run_study, study_file, tmp_path):
    path = study_file(EARLY)
    spec, store, watcher = run_study(path)
    assert watcher.stages == [("compare", 24, 0), ("compare", 16, 16), ("search", 4, 0)]
    assert watcher.notes == [SAYS]
    rows = [row for row in watcher.rows if row["stage"] == "compare"]
    assert sorted(row["key"] for row in rows) == sorted(
        f"{arm}/seed-{k}" for arm in spec.arms for k in range(8)
    )
    counts = [(row["planned"], row["done"], row["not_needed"]) for row in terminal.status_rows(store, "toy")]
    assert counts == [(12, 8, 4), (12, 8, 4), (4, 4, 0)]

    _, store, again = run_study(path)
    assert again.rows == [] and again.notes == [SAYS]
    assert again.stages == [("compare", 24, 16), ("compare", 16, 16), ("search", 4, 4)]

    early = json.loads(report(spec, store, tmp_path))["comparison"]["early"]
    assert {key: early[key] for key in ("spending", "looks_planned", "looks_made", "trials", "trials_planned")} == {
        "spending": "obrien_fleming", "looks_planned": 3, "looks_made": 2, "trials": 16, "trials_planned": 24,
    }  # fmt: skip
    assert early["ended_early"] and early["looks"][1]["p_value"] == pytest.approx(2 * 0.5**8)

    _, _, whole = run_study(path, "plan.compare.early=")  # now without looks: what was left out is run
    assert len(whole.rows) == 8 and whole.notes == []
    _, store, ended = run_study(path)
    assert ended.rows == []
    assert [row["not_needed"] for row in terminal.status_rows(store, "toy")] == [0, 0, 0]


def test_arms_that_do_not_differ_run_to_the_end(run_study, study_file, tmp_path):
    spec, store, watcher = run_study(study_file(EARLY, ("rough: {lr: 2.0}", "rough: {lr: 0.2}")))
    assert watcher.stages == [("compare", 24, 0), ("search", 4, 0)] and watcher.notes == []
    comparison = json.loads(report(spec, store, tmp_path))["comparison"]
    assert comparison["conclusion"] == "NO_DIFFERENCE_SHOWN"
    assert (comparison["early"]["looks_made"], comparison["early"]["ended_early"]) == (3, False)


@pytest.mark.parametrize("cut", [3, 8, 11, 16])
def test_a_run_that_was_cut_short_ends_at_the_same_look(run_study, cut_short, study_file, tmp_path, cut):
    path = study_file(EARLY)
    cut_short(path, cut)
    _, store, watcher = run_study(path)
    assert watcher.notes == [SAYS]
    trials = store.frames("toy").trials
    compared = trials[trials.stage == "compare"]
    assert len(compared) == 16 and set(compared.seed) == set(range(8))


def test_a_comparison_without_looks_that_is_cut_short_says_that_it_decides_nothing(
    run_study, cut_short, study_file, tmp_path
):
    path = study_file(("{seeds: 3}", "{seeds: 9}"))
    spec, store = cut_short(path, 13)
    text = report(spec, store, tmp_path, "md")
    assert (
        "13 of 18 planned trials are stored. No look before the end was planned, so all of them will run"
        in text
    )


def test_a_piped_run_is_not_told_twice_that_a_stage_begins(capsys):
    watcher = LineProgress()
    watcher.stage("compare", 24, 0)
    watcher.stage("compare", 16, 16)
    assert capsys.readouterr().out == "stage compare: 24 trials\n"


def test_the_live_table_keeps_its_counts_when_a_stage_needs_fewer_trials(study_file):
    console = Console(width=100, record=True, force_terminal=True)
    with Live(console=console) as live:
        watcher = LiveProgress(load_study(study_file()), live)
        watcher.stage("compare", 24, 0)
        row = {"stage": "compare", "key": "rough/seed-0", "verdict": "DIVERGED", "evidence": "loss was nan"}
        watcher.finished(row)
        watcher.stage("compare", 16, 16)
    assert any(re.search(r"compare\W+16/16\W+1\W+0", line) for line in console.export_text().splitlines())
