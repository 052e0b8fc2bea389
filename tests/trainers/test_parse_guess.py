"""What names and lines of logs mean, as programs write them."""

import pytest

from stability.trainers.parse.guess import Meaning, meaning, of_columns, of_lines
from stability.trainers.parse.patterns import Pattern, Reader


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("loss", Meaning("total")),
        ("train/mel_loss", Meaning("mel")),
        ("val_kl", Meaning("kl", True)),
        ("eval/loss", Meaning("total", True)),
        ("global_step", Meaning("step")),
        ("trainer/global_step", Meaning("step")),
        ("learning_rate", Meaning("lr")),
        ("grad_norm", Meaning("grad_norm")),
        ("accuracy", None),
        ("_runtime", None),
        ("epoch", Meaning("epoch")),
    ],
)
def test_names(name, means):
    assert meaning(name) == means


def test_columns_of_lightning():
    names = ["epoch", "step", "train_mel", "train_mel_epoch", "train_total", "val_mel", "val_stop", "lr-Adam"]
    assert of_columns(names) == {
        "train": {"epoch": "epoch", "step": "step", "mel": "train_mel", "total": "train_total"},
        "evaluate": {"mel": "val_mel"},
    }


def read(lines):
    found = of_lines(lines)
    patterns = [Pattern(text, is_evaluation=kind == "evaluate") for kind in found for text in found[kind]]
    seen: dict[bool, dict] = {False: {}, True: {}}
    for observation in Reader(patterns).read(lines):
        seen[observation.is_evaluation] |= observation.values
    return seen


def test_the_first_report_s_log():
    lines = ["Epoch 1: loss=9.1030, mel=0.69, stop=7.597", "Validation: loss=2.929, mel=0.693, stop=2.236"]
    assert read(lines) == {
        False: {"total": 9.103, "mel": 0.69, "stop": 7.597},
        True: {"total": 2.929, "mel": 0.693, "stop": 2.236},
    }


def test_a_keras_bar_and_a_dictionary():
    assert read(["12/12 [====] - 3s - loss: 0.5000 - val_loss: 0.7000"]) == {
        False: {"loss": 0.5},
        True: {"loss": 0.7},
    }
    line = "{'loss': '5.249', 'grad_norm': '2.94', 'learning_rate': '0.001', 'epoch': '0.25'}"
    assert read([line])[False] == {"loss": 5.249, "grad_norm": 2.94, "lr": 0.001}


def test_nothing_that_looks_like_a_loss():
    with pytest.raises(ValueError, match="nothing in it looks like a training loss"):
        of_lines(["accuracy=0.5", "hello"])
