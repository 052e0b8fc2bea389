"""A first study file from a program's help: argparse, click, HfArgumentParser, Hydra."""

import sys
from pathlib import Path

import pytest

from stability import trainers
from stability.records import UserError
from stability.spec import load_study
from stability.starting import study_text
from stability.starting.help_text import options_in
from stability.starting.knobs import roles

STUDIES = Path(__file__).parents[2] / "studies"
CLICK = """
import click
@click.command()
@click.option("--learning-rate", default=0.002, show_default=True, help="Step size.")
@click.option("--batch-size", default=16)
@click.option("--num-epochs", default=3, help="How long.")
@click.option("--adaptive/--no-adaptive", default=True, help="Adaptive loss.")
@click.option("--optimizer", type=click.Choice(["adam", "sgd"]), default="adam")
@click.option("--seed", type=int)
def main(**_): pass
main()
"""
HYDRA = """\
train is powered by Hydra.

== Configuration groups ==
Compose your configuration from those groups (group=option)

model: large, small


== Config ==
Override anything in the config (foo.bar=value)

optimizer:
  lr: 0.001
  weight_decay: 0.01
trainer:
  max_epochs: 100
  gradient_clip_val: 1.0
data:
  batch_size: 32
seed: 1
loss:
  kl_weight: 0.5


Powered by Hydra (https://hydra.cc)
Use --hydra-help to view Hydra specific help
"""


def study(tmp_path, command, log=None):
    path = tmp_path / "study.yaml"
    path.write_text(study_text(command, "study", log))
    spec = load_study(path)
    trainers.check(spec)
    return spec


def test_argparse_with_defaults_from_the_source(tmp_path):
    script = str(STUDIES / "trainers" / "lightning_tts.py")
    pytest.importorskip("lightning")
    spec = study(tmp_path, [sys.executable, script, "--corpus", "X", "--kl-weight", "0.3"])
    assert dict(spec.arms["ours"]) == {"lr": 0.001, "clip": 1.0, "kl_weight": 0.3}
    command = spec.trainer["command"]
    assert command[command.index("--kl-weight") + 1] == "{kl_weight}"
    assert command[command.index("--output") + 1] == "{directory}/artifacts"
    assert command[command.index("--seed") + 1] == "{seed}"
    assert command[2:4] == ["--corpus", "X"]
    assert spec.budget.batch_size == 8


def test_hf_argument_parser(tmp_path):
    pytest.importorskip("transformers")
    spec = study(tmp_path, [sys.executable, str(STUDIES / "trainers" / "hf_speecht5.py"), "--corpus", "X"])
    assert {"lr", "clip", "warmup_steps", "weight_decay", "dropout"} <= spec.params.keys()
    assert spec.arms["ours"]["lr"] == 5e-5
    command = spec.trainer["command"]
    assert command[command.index("--num_train_epochs") + 1] == "{epochs}"
    assert "--max_steps" not in command


def test_click(tmp_path):
    pytest.importorskip("click")
    (tmp_path / "train.py").write_text(CLICK)
    spec = study(tmp_path, [sys.executable, str(tmp_path / "train.py")])
    assert dict(spec.arms["ours"]) == {"lr": 0.002, "adaptive": True, "optimizer": "adam"}
    assert spec.budget.batch_size == 16
    assert {"when": "adaptive", "then": ["--adaptive"], "else": ["--no-adaptive"]} in spec.trainer["command"]


def test_hydra():
    found = roles(options_in(HYDRA), ["python", "train.py", "data.batch_size=4", "extra=1"])
    assert {knob.name: knob.ours for knob in found.knobs} == {
        "lr": 0.001, "weight_decay": 0.01, "clip": 1.0, "loss_kl_weight": 0.5,
    }  # fmt: skip
    assert found.command == ["python", "train.py", "extra=1"]
    assert found.values == {"epochs": 100, "batch_size": 4, "seed": 1}
    assert found.of_trial["epochs"].flag == "trainer.max_epochs="


def test_a_log_says_how_numbers_are_read(tmp_path):
    (tmp_path / "train.py").write_text(CLICK)
    log = tmp_path / "old.log"
    log.write_text("Epoch 1: loss=9.1030, mel=0.69, stop=7.597\nEpoch 2: loss=3.97, mel=0.7, stop=2.455\n")
    spec = study(tmp_path, [sys.executable, str(tmp_path / "train.py")], log)
    assert dict(spec.yardstick) == {"mel": 1.0, "stop": 1.0}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise SystemExit('no')", "ended with status 1: no"),
        ("import argparse; argparse.ArgumentParser().parse_args()", "no option is a known hyperparameter"),
    ],
)
def test_a_program_that_tells_nothing(tmp_path, source, message):
    (tmp_path / "train.py").write_text(source)
    with pytest.raises(UserError, match=message):
        study_text([sys.executable, str(tmp_path / "train.py")], "study", None)


def test_a_program_that_is_not_there():
    with pytest.raises(UserError, match="cannot run 'no-such-program --help'"):
        study_text(["no-such-program"], "study", None)
