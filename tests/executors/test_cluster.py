"""Trials on a real Ray cluster of two nodes, both on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from test_local import submit, wait_for

from stability import trialdir
from stability.records import Outcome, UserError
from stability.spec import load_study
from stability.store import Store
from stability.study import Run, drive

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'stability[ray]'")

from ray.cluster_utils import Cluster  # noqa: E402

from stability.executors import cluster as cluster_module  # noqa: E402
from stability.executors.cluster import RayExecutor, Request  # noqa: E402
from stability.executors.place import Place, versions  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]
TOYS = Path(__file__).parents[1] / "toys.py"
TOY = f"{TOYS}:tells_process"
MEMORY = {"object_store_memory": 80 * 2**20}


@pytest.fixture(scope="module")
def cluster():
    """A head that holds no trial, and a node for two."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **MEMORY})
    made.add_node(num_cpus=2, **MEMORY)
    yield made
    made.shutdown()


@pytest.fixture
def executor(cluster):
    made = RayExecutor(cluster.address, Request())
    yield made
    made.close()


def results(store):
    trials = store.frames("toy").trials.sort_values(["stage", "number"])
    columns = ["stage", "number", "seed", "params", "verdict", "outcome", "evidence", "yardstick_final"]
    return trials[columns].astype(str).to_dict("records")


def run(path, database, executor, watcher):
    store = Store(str(database))
    drive(Run(load_study(path), store, executor, watcher, "cpu"))
    return store


def test_a_study_ends_with_the_numbers_it_has_here(cluster, study_file, run_study, watcher, tmp_path):
    path = study_file()
    there = run(path, tmp_path / "there.db", RayExecutor(cluster.address, Request()), watcher)
    _, here, _ = run_study(path)
    assert results(there) == results(here) and len(results(there)) == 10
    directory = there.folder / "toy" / "compare" / "00000"
    assert {file.name for file in directory.iterdir()} >= {
        "trial.json", "steps.jsonl", "events.jsonl", "stdout.log", "outcome.json", "artifacts",
    }  # fmt: skip
    assert trialdir.read_spec(directory).directory == directory
    assert trialdir.is_whole(directory)


@pytest.mark.parametrize(
    ("how", "timeout_s", "outcome"),
    [("raise", 60.0, Outcome.CRASHED), ("hang", 1.0, Outcome.TIMED_OUT), ("kill", 60.0, Outcome.LOST)],
)
def test_limits_and_failures_are_those_of_this_machine(executor, tmp_path, how, timeout_s, outcome):
    executor.prepare({"call": TOY}, {}, tmp_path / "cache")
    trial = submit(executor, tmp_path, "tells_process", timeout_s, how=how)
    assert wait_for(executor) == [trial.directory]
    assert trialdir.read_ending(trial.directory).outcome is outcome


def test_the_trainers_neighbours_go_with_it(cluster, study_file, watcher, tmp_path):
    folder = tmp_path / "code"
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "model.py").write_text("LOSS = 0.25\n")
    (folder / "train.py").write_text(
        "from parts.model import LOSS\n"
        "def train(trial, recorder):\n"
        "    recorder.evaluate({'square': 1.0}, epoch=-1)\n"
        "    recorder.step({'square': LOSS}, total=LOSS)\n"
        "    recorder.evaluate({'square': LOSS}, epoch=0)\n"
    )
    path = study_file((f"{TOYS}:quadratic", "code/train.py:train"), ("seeds: 3", "seeds: 1"))
    store = run(path, tmp_path / "s.db", RayExecutor(cluster.address, Request(cpus=0.5)), watcher)
    assert set(store.frames("toy").trials.yardstick_final) == {0.25}


def test_a_node_is_lost_and_its_trials_run_on_another(cluster, study_file, run_study, watcher, tmp_path):
    doomed = cluster.add_node(num_cpus=1, resources={"doomed": 1.0}, **MEMORY)
    path = study_file(function="slow")

    class Loses(RayExecutor):
        def finished(self, timeout_s):
            ended = super().finished(timeout_s)
            if ended and doomed in cluster.list_all_nodes():
                cluster.remove_node(doomed, allow_graceful=False)
            return ended

    executor = Loses(cluster.address, Request())
    assert executor.free == 3
    store = run(path, tmp_path / "there.db", executor, watcher)
    _, here, _ = run_study(path)
    assert results(store) == results(here)
    assert store.frames("toy").trials.attempts.max() > 1
    assert "LOST, the node or the process that ran it was lost; try 2 of 3" in watcher.notes[0]


def test_an_answer_lost_with_its_node_is_a_lost_trial(cluster, tmp_path):
    """A trial that ended, but whose directory went down with the node before the driver had it."""
    doomed = cluster.add_node(num_cpus=3, **MEMORY)
    executor = RayExecutor(cluster.address, Request(cpus=3))
    executor.prepare({"call": TOY}, {}, tmp_path / "cache")
    trial = submit(executor, tmp_path, "leaves_artifacts")
    ray.wait(list(executor._running), timeout=60, fetch_local=False)
    cluster.remove_node(doomed, allow_graceful=False)
    assert wait_for(executor) == [trial.directory]
    assert trialdir.read_ending(trial.directory).outcome is Outcome.LOST
    executor.close()


def test_a_link_comes_back_as_the_file_it_names(executor, tmp_path):
    executor.prepare({"call": TOY}, {}, tmp_path / "cache")
    trial = submit(executor, tmp_path, "leaves_artifacts")
    assert wait_for(executor) == [trial.directory]
    artifacts = trial.directory / "artifacts"
    assert not (artifacts / "last.pt").is_symlink()
    assert (artifacts / "last.pt").read_bytes() == (artifacts / "step-1.pt").read_bytes() != b""


def test_too_much_memory_ends_a_trial_there(executor, tmp_path):
    executor.prepare({"call": TOY}, {}, tmp_path / "cache")
    trial = submit(executor, tmp_path, "tells_process", memory_bytes=10**6, how="hang")
    assert wait_for(executor) == [trial.directory]
    ending = trialdir.read_ending(trial.directory)
    assert ending.outcome is Outcome.OUT_OF_MEMORY
    assert ending.error.endswith("GB used, 0.001 GB allowed (budget.memory_gb); killed")


def test_an_idle_driver_leaves_the_cluster_to_another(cluster, executor, tmp_path):
    executor.prepare({"call": TOY}, {}, tmp_path / "cache")
    for number in range(2):
        submit(executor, tmp_path, "tells_process", number=number, how="fine")
    wait_for(executor, 2)
    assert ray.available_resources().get("CPU", 0.0) == 0.0
    deadline_s = time.monotonic() + 120
    while ray.available_resources().get("CPU", 0.0) < 2.0 and time.monotonic() < deadline_s:
        assert executor.free == 2
        time.sleep(0.1)
    assert ray.available_resources()["CPU"] == 2.0


@pytest.mark.parametrize(
    ("request_", "count"),
    [
        (Request(gpus=1), 4),
        (Request(gpus=0.25), 16),
        (Request(gpus=0.4), 8),  # ten would fit if a trial could have parts of two GPUs
        (Request(cpus=4, gpus=0.1), 4),
        (Request(cpus=0.1), 160),
    ],
)
def test_how_many_trials_a_node_holds(request_, count):
    assert request_.fits({"CPU": 16.0, "GPU": 4.0}) == count


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            Request(cpus=3),
            "a trial asks for 3 CPUs, and none of the 2 nodes has that; the largest has 2 CPUs and 0 GPUs: "
            "lower --cpus-per-trial or --gpus-per-trial, or add a node",
        ),
        (
            Request(gpus=0.5),
            "a trial asks for 1 CPUs and 0.5 GPUs, and none of the 2 nodes has that; the largest has 2 CPUs "
            "and 0 GPUs: lower --cpus-per-trial or --gpus-per-trial, or add a node",
        ),
        (Request(gpus=2), "--gpus-per-trial 2: error: a trial trains on one GPU or a part of it"),
        (Request(cpus=-1), "--cpus-per-trial -1: error: a number of 0 or more, such as 1 or 0.25"),
        (Request(cpus=0), "a trial that asks for no CPU and no GPU has no limit; give --cpus-per-trial 1"),
    ],
)
def test_what_no_node_has_is_refused_at_once(cluster, request_, message):
    with pytest.raises(UserError) as error:
        RayExecutor(cluster.address, request_)
    assert str(error.value) == message
    assert not ray.is_initialized()


def test_fractions_share_a_core(cluster):
    executor = RayExecutor(cluster.address, Request(cpus=0.5))
    assert executor.free == 4
    executor.close()
    executor = RayExecutor(cluster.address, Request(cpus=0.5), at_most=3)
    assert executor.free == 3
    executor.close()


def test_no_cluster():
    with pytest.raises(
        UserError, match=r"^no Ray cluster at 127.0.0.1:1 to connect to: .*`ray start --head`"
    ):
        RayExecutor("127.0.0.1:1", Request())


def test_a_killed_driver_leaves_no_process(cluster, study_file, tmp_path):
    path = study_file(function="slow")
    script = (
        "import sys; from stability.cli import main; "
        f"sys.argv = ['stability', 'run', {str(path)!r}, '--storage', {str(tmp_path / 's.db')!r}, "
        f"'--executor', 'ray', '--address', {cluster.address!r}]; main()"
    )
    before = set(trial_processes())
    driver = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.DEVNULL)
    deadline_s = time.monotonic() + 240
    while not set(trial_processes()) - before and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert set(trial_processes()) - before
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    while set(trial_processes()) - before and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not set(trial_processes()) - before


def trial_processes():
    """The processes that fork trials, wherever they were started from, and the trials."""
    for process in psutil.process_iter():
        try:
            if "multiprocessing.forkserver" in " ".join(process.cmdline()):
                yield process.pid
        except psutil.Error:
            continue


def test_a_cluster_that_asks_for_a_token_says_how_to_send_it(monkeypatch):
    def refuse(*_, **__):
        raise ConnectionError("Failed to connect to Ray cluster at 10.0.0.1:6379")

    monkeypatch.setattr(ray, "init", refuse)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    with pytest.raises(UserError, match="if it asks for a token, set RAY_AUTH_MODE=token$"):
        RayExecutor(None, Request())
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    with pytest.raises(UserError, match="then give --address HOST:6379$"):
        RayExecutor(None, Request())


def test_a_trial_that_waits_for_what_others_hold_says_so(cluster, executor, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(cluster_module, "PATIENCE_S", 1.0)
    other = ray.remote(num_cpus=2)(Place).remote(0.0, versions())
    assert ray.get(other.ready.remote(), timeout=60)
    executor.prepare({"call": TOY}, {}, tmp_path / "cache")
    submit(executor, tmp_path, "tells_process", how="fine")
    wait_until(lambda: executor.finished(0.5) or caplog.records)
    assert caplog.messages == ["0 waits for 1 CPUs on the cluster, which others hold"]
    ray.kill(other)
    assert len(wait_for(executor)) == 1


def test_a_node_short_of_memory_is_no_reason_to_end_the_study(executor):
    """Ray's own monitor ends the actor; its errors are not those of a lost one."""
    short = executor._ending_of(ray.exceptions.OutOfMemoryError("the node was low on memory"), 2.0)
    assert (short.outcome, short.wall_s) == (Outcome.OUT_OF_MEMORY, 2.0)
    other = executor._ending_of(ray.exceptions.RaySystemError("Traceback ...\nOSError: no space"), 2.0)
    assert (other.outcome, other.error) == (Outcome.LOST, "OSError: no space")


def wait_until(holds, timeout_s=240.0):
    deadline_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
