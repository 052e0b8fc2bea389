"""optuna-dashboard on the store: what it serves of our trials, over HTTP."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import optuna
import optuna_dashboard
import pytest
from commanding import RUN

from stability.dashboard import enrich
from stability.store import Store


@pytest.fixture
def served(finished, tmp_path):
    """The base address of a dashboard on a finished toy study."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-u",
        "-c",
        RUN,
        "dashboard",
        "--storage",
        str(tmp_path / "s.db"),
        "--port",
        str(port),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert re.match(rf"optuna-dashboard on http://127.0.0.1:{port}/", process.stdout.readline())
    yield f"http://127.0.0.1:{port}"
    while process.poll() is None:  # a request under way may swallow the first signal
        os.kill(process.pid, signal.SIGTERM)
        time.sleep(0.2)
    process.stdout.close()


def get(address: str) -> dict:
    for _ in range(2000):  # the address is announced just before the server listens
        try:
            with urllib.request.urlopen(address) as answer:
                return json.loads(answer.read())
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError(f"no answer from {address}")


def test_verdict_reason_and_first_epoch_are_on_a_diverged_trials_page(served):
    summaries = get(f"{served}/api/studies")["study_summaries"]
    assert [summary["study_name"] for summary in summaries] == ["toy.compare", "toy.search"]
    detail = get(f"{served}/api/studies/{summaries[0]['study_id']}?after=0")
    assert "| `rough` | 3 | 3 | 0 |" in detail["note"]["body"]
    diverged = detail["trials"][1]
    shown = {attr["key"]: attr["value"] for attr in diverged["user_attrs"]}
    assert diverged["state"] == "Complete" and diverged["constraints"] == [1.0]
    assert "DIVERGED" in shown["verdict"] and "yardstick" in shown["reason"]
    assert {"first epoch: square", "first epoch: total", "yardstick after first epoch: total"} <= set(shown)
    assert diverged["note"]["body"].startswith("# DIVERGED")
    assert detail["trials"][0]["constraints"] == [0.0]
    address = f"{served}/artifacts/{summaries[0]['study_id']}/{diverged['trial_id']}/57ab1e-{diverged['trial_id']:x}"
    assert urllib.request.urlopen(address).read().startswith(b"\x89PNG")
    assert [artifact["filename"] for artifact in diverged["artifacts"]] == ["last_steps.png"]
    graphs = {graph["id"]: json.loads(graph["graph_object"]) for graph in detail["plotly_graph_objects"]}
    assert "Diverged:" in graphs["stability-loss-fan"]["layout"]["title"]["text"]
    assert "`rough` diverged more often than `gentle`: 3 of 3" in detail["note"]["body"]
    page = urllib.request.urlopen(f"{served}/report/toy.html").read().decode()
    assert "<h1>Divergence report:" in page
    assert get(f"{served}/report/toy.json")["arms"]["rough"]["diverged"] == 3
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{served}/report/no_such_study.html")
    best = {trial["number"] for trial in detail["best_trials"]}
    assert best <= {0, 2, 4}  # the gentle ones


def test_notes_are_written_once(finished, tmp_path):
    store = Store(str(tmp_path / "s.db"))
    storage = store.optuna_storage()
    enrich(store, storage)
    study = optuna.load_study(study_name="toy.compare", storage=storage)
    optuna_dashboard.save_note(study, "a person's own words")
    enrich(store, storage)
    attrs = storage.get_study_system_attrs(study._study_id)
    assert "a person's own words" in str(attrs)
