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
    assert inert(trials, exact=True) == {"shown_weight", "clip"}


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


PRINTING = """
import argparse, os, random
parser = argparse.ArgumentParser()
for name, kind in (("lr", float), ("clip", float), ("seed", int)):
    parser.add_argument(f"--{name}", type=kind)
given = parser.parse_args()
noise = os.urandom
x = 1.0 + 0.01 * given.seed
for step in range(STEPS):
    x -= given.lr * 2 * x * (1 + 0.1 * random.Random(step).random())
    if BAR:
        print(f"step {step} loss {x * x:DIGITS}", end="\\r" if step % 5 else "\\n")
"""
PRINTED_STUDY = """
name: printed
trainer:
  command: [python3, train.py, --lr, "{lr}", --clip, "{clip}", --seed, "{seed}"]
  parse: {stdout: ['step (?P<step>\\d+) loss (?P<square>\\S+)']}
budget: {epochs: 1, batch_size: 1, timeout_s: 60}
params:
  lr: {min: 1e-4, max: 1.0, log: true}
  clip: {min: 0.1, max: 10.0}
arms:
  one: {lr: 0.01, clip: 1.0}
  two: {lr: 0.02, clip: 2.0}
compare: {baseline: one, treatment: two}
plan: [liveness]
yardstick: {square: 1.0}
"""
EVERY_LINE, SOME_LINES = "True", "step % 5 == 0 or noise(1)[0] > 99"


@pytest.mark.parametrize(
    ("steps", "digits", "bar", "found", "said"),
    [
        (40, ".6f", EVERY_LINE, "inert", "in 78 printed numbers that move, of at least 5 digits"),
        (300, ".6f", SOME_LINES, "inert", "printed numbers that move, of at least 4 digits"),
        (40, ".2f", EVERY_LINE, None, "too few digits agree"),
        (6, ".6f", EVERY_LINE, None, "(10 printed numbers that move, of at most 6 digits)"),
        (1, ".2f", EVERY_LINE, None, "cannot be told: no printed number moves"),
    ],
)
def test_printed_numbers_call_a_setting_dead_only_where_enough_digits_agree(
    reported, steps, digits, bar, found, said
):
    trainer = PRINTING.replace("STEPS", str(steps)).replace("BAR", bar).replace("DIGITS", digits)
    trials, twin, text = reported(trainer, PRINTED_STUDY)
    assert twin["liveness"] == {"lr": "live"} | ({"clip": found} if found else {})
    assert twin["liveness_details"]["repeatable"] is True
    assert said in text and "bit for bit" not in text and "not deterministic" not in text
    assert "came out equal in all" in text
    assert inert(trials, exact=False) == frozenset()


def test_a_program_that_prints_other_numbers_at_the_same_step_is_not_deterministic(reported):
    trainer = PRINTING.replace("STEPS", "30").replace("BAR", SOME_LINES).replace("DIGITS", ".6f")
    trainer = trainer.replace("0.01 * given.seed", "1e-3 * noise(1)[0]")
    _, twin, text = reported(trainer, PRINTED_STUDY)
    assert twin["liveness"] == {} and twin["liveness_details"]["repeatable"] is False
    assert "the training is not deterministic" in text


def test_a_setting_whose_printed_numbers_agree_stays_in_later_stages(reported):
    trainer = PRINTING.replace("STEPS", "40").replace("BAR", EVERY_LINE).replace("DIGITS", ".6f")
    study = PRINTED_STUDY.replace(
        "plan: [liveness]", "plan: [liveness, {attribute: {trials: 4, confirm: 0}}]"
    )
    trials, twin, _ = reported(trainer, study)
    assert twin["liveness"]["clip"] == "inert"
    assert sorted(of_stage(trials, "attribute")["key"]) == [
        f"{cell}/seed-0" for cell in ("00", "01", "10", "11")
    ]
    assert twin["attribution"]["effects"].keys() == {"lr", "clip"}
