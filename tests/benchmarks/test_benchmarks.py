"""Benchmarks run, at a size that says nothing."""

import json
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from made_store import NAME, fill, study

from stability import report
from stability.report.plots import shown_failure
from stability.store import Store

HERE = Path(__file__).parent
SMALL = {
    "large_store.py": ["--trials", "10", "--points", "20", "--rounds", "1", "--pages"],
    "store_rows.py": ["--noop-trials", "4", "--trials", "5", "--points", "20", "--rounds", "1"],
    "memory.py": ["--trials", "12", "--every", "2", "--warm-up", "4"],
    "boundary.py": ["--truths", "1", "--most", "20", "--methods", "random", "stability"],
    "attribution.py": ["--truths", "2", "--trials", "64"],
    "parsers.py": ["--lines", "200", "--repeats", "1", "--size-bytes", "1000000"],
}
ROWS = {
    "large_store.py": [
        "stability status",
        "stability report",
        "Optuna: study.trials",
        "optuna-dashboard, start",
    ],
    "store_rows.py": ["stability, two child processes", "Optuna, no process", "stability, Store.add"],
    "boundary.py": ["random", "stability", "band"],
    "attribution.py": ["one-factor-at-a-time", "stability"],
    "parsers.py": ["text, dense", "text, dense, auto", "text, usual", "JSON lines", "CSV"],
    "memory.py": ["driver", "server", "worker 1", "worker 2"],
}


def run(script, *arguments):
    command = [sys.executable, str(HERE / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("script", SMALL)
def test_a_benchmark_prints_its_table(script):
    done = run(script, *SMALL[script])
    assert done.returncode == 0, done.stderr
    assert "cores, Python" in done.stdout.splitlines()[0]
    for name in ROWS[script]:
        assert f"\n| {name}" in done.stdout


@pytest.mark.parametrize("script", [*SMALL, "efficiency.py", "boundary_trainee.py"])
def test_a_benchmark_says_what_it_does(script):
    done = run(script, "--help")
    assert done.returncode == 0 and "options:" in done.stdout


def test_a_report_from_an_outline_is_the_report_from_everything(tmp_path):
    spec, store = study(tmp_path, 60), Store(str(tmp_path / "s.db"))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    fill(store, spec, 40, tmp_path)
    assert {"STABLE", "DIVERGED"} <= set(store.trials(NAME).verdict)
    environment = store.environment(NAME)
    whole = report.build(spec, store.frames(NAME), environment)
    outline = store.outline(NAME, "compare", shown_failure)
    assert json.dumps(report.build(spec, outline, environment)) == json.dumps(whole)
