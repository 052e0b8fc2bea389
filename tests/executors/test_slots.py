"""How many trials at a time, on which devices; the GPUs of these tests are names alone."""

import pytest
import torch

from stability import environment, trainers
from stability.executors.slots import slots
from stability.records import UserError


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(trainers, "devices", lambda _: ["cuda:0", "cuda:1"])


def test_the_cpu_runs_a_trial_a_core_or_as_many_as_asked():
    assert slots("cpu", None, 1) == ["cpu"] * environment.cores()
    assert slots("cpu", 5, 1) == ["cpu"] * 5


def test_trials_are_spread_over_gpus_before_they_share_one(two_gpus):
    assert slots("cuda", None, 1) == ["cuda:0", "cuda:1"]
    assert slots("cuda", None, 2) == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]
    assert slots("cuda", 3, 2) == ["cuda:0", "cuda:1", "cuda:0"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            ("cpu", 0, 1),
            "--jobs 0: error: at least 1 trial at a time; leave it out for the default",
        ),
        (
            ("cpu", None, 0),
            "--slots-per-gpu 0: error: at least 1 trial at a time; leave it out for the default",
        ),
        (
            ("cpu", None, 4),
            "--slots-per-gpu 4: error: device 'cpu' means the CPU here; use --jobs",
        ),
        (
            ("cuda:99", None, 1),
            f"device 'cuda:99' is not here: torch sees {torch.cuda.device_count()} CUDA devices; use cpu or auto",
        ),
    ],
)
def test_what_cannot_be_had(given, message):
    with pytest.raises(UserError) as error:
        slots(*given)
    assert str(error.value) == message


def test_more_trials_than_slots(two_gpus):
    with pytest.raises(UserError) as error:
        slots("cuda", 5, 2)
    assert str(error.value) == (
        "--jobs 5: error: 2 GPUs with 2 slots each run 4 trials at a time; raise --slots-per-gpu"
    )
