"""Which knobs change the training: real trials of a trainer with connected, dead and cosmetic knobs."""

import pandas as pd
import pytest

from stability.evidence.liveness import State, inert, liveness
from stability.evidence.selection import of_stage

TRAINER = """
import torch
import stability

def train(trial, recorder):
    p = trial.params
    torch.manual_seed(trial.seed)
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=p["lr"], momentum=p["momentum"])
    watch = stability.watch(model, optimizer, recorder=recorder)
    x, noise = torch.randn(8, 3), p["noise"] * torch.rand(()).item()
    measure = lambda: float(model(x).square().mean().detach())
    recorder.evaluate({"square": measure()}, epoch=-1)
    for step in range(6):
        optimizer.zero_grad()
        loss = (model(x) - noise).square().mean()
        loss.backward()
        shown = p["shown_weight"] * loss.item()   # a coefficient that never reaches the gradient
        if step >= 4 and p["late"]:
            optimizer.param_groups[0]["lr"] *= 0.5
        watch.step({"square": shown}, loss)
        optimizer.step()
    watch.flush()
    recorder.evaluate({"square": measure()}, epoch=0)
    if p["dies"]:
        raise RuntimeError("knob")
"""
STUDY = """
name: knobs
trainer: {{call: "train.py:train"}}
budget: {{epochs: 1, batch_size: 8, timeout_s: 60}}
params:
  lr: {{min: 1e-4, max: 1.0, log: true}}
  momentum: {{values: [0.0, 0.9]}}
  shown_weight: {{values: [1.0, 2.5]}}
  clip: {{min: 0.1, max: 10.0}}
  late: {{values: [false, true]}}
  noise: {{value: {noise}}}
  dies: {{values: [false, true]}}
arms:
  one: {{lr: 0.01, momentum: 0.0, shown_weight: 1.0, clip: 1.0, late: false, dies: false}}
  two: {{lr: 0.02, momentum: 0.9, shown_weight: 2.5, clip: 2.0, late: true, dies: false}}
compare: {{baseline: one, treatment: two}}
plan: [liveness]
yardstick: {{square: 1.0}}
"""


@pytest.fixture
def knobs(tmp_path, run_study):
    def run(trainer=TRAINER, noise="0.0"):
        (tmp_path / "train.py").write_text(trainer)
        (tmp_path / "study.yaml").write_text(STUDY.format(noise=noise))
        spec, store, _ = run_study(tmp_path / "study.yaml")
        return of_stage(store.trials(spec.name), "liveness")

    return run


def test_dead_and_cosmetic_knobs_are_told_from_connected_ones(knobs):
    trials = knobs()
    found = liveness(trials)
    assert found.repeatable is True and found.n == len(trials) - 1  # the one that died
    assert {knob.param: (knob.state, knob.prints) for knob in found.knobs} == {
        "lr": (State.LIVE, True),
        "momentum": (State.LIVE, True),
        "shown_weight": (State.INERT, True),
        "clip": (State.INERT, False),
        "late": (State.LIVE, True),
        "dies": (None, False),
    }
    assert inert(trials) == {"shown_weight", "clip"}


def test_a_trainer_that_does_not_repeat_tells_nothing(knobs):
    unseeded = TRAINER.replace("torch.manual_seed(trial.seed)", "torch.seed()")
    found = liveness(knobs(unseeded, noise="0.1"))
    assert found.repeatable is False
    assert all(knob.state is None for knob in found.knobs) and len(found.knobs) == 6


def test_a_trainer_that_shows_losses_alone_is_judged_by_them(knobs):
    plain = """
def train(trial, recorder):
    x = 1.0
    for _ in range(5):
        x -= trial.params["lr"] * 2 * x
        recorder.step({"square": trial.params["shown_weight"] * x * x})
"""
    states = {knob.param: knob.state for knob in liveness(knobs(plain)).knobs}
    assert states == {
        **dict.fromkeys(("lr", "shown_weight"), State.LIVE),
        **dict.fromkeys(("momentum", "clip", "late", "dies"), State.INERT),
    }


def test_no_trials_know_no_knobs():
    columns = ["key", "verdict", "trajectory_sha256", "printed_sha256"]
    found = liveness(pd.DataFrame(columns=columns))
    assert found.knobs == () and found.repeatable is None and found.n == 0
