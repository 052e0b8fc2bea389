"""Which options are studied, and in which range around the value that they have."""

import pytest

from stability.commands.init.options import Option, Place
from stability.commands.init.params import roles
from stability.commands.init.ranges import is_rate


def studied(*options, command=("train",)):
    return {param.name: (dict(param.range), param.usual) for param in roles(options, command).params}


@pytest.mark.parametrize(
    ("flag", "value", "name", "found"),
    [
        ("--lr", 3e-4, "lr", {"min": 3e-6, "max": 0.03, "log": True}),
        ("--lr", 20, "lr", {"min": 0.2, "max": 2000.0, "log": True}),
        ("--lr-generator", 1e-3, "lr_generator", {"min": 1e-5, "max": 0.1, "log": True}),
        ("--max_grad_norm", 1.0, "clip", {"min": 0.1, "max": 100.0, "log": True}),
        ("--kl-weight", 0.5, "kl_weight", {"min": 0.05, "max": 5.0, "log": True}),
        ("loss.weights.mel", 45, "mel", {"min": 4.5, "max": 450.0, "log": True}),
        ("--weight-decay", 0.05, "weight_decay", {"min": 0.0, "max": 0.5}),
        ("--batch-size", 32, "batch_size", {"min": 8, "max": 64, "log": True}),
        ("--batch-size", 1, "batch_size", {"min": 1, "max": 2, "log": True}),
        ("--dropout", 0.1, "dropout", {"min": 0.0, "max": 0.5}),
        ("--warmup-steps", 400, "warmup_steps", {"min": 0, "max": 800}),
        ("--warmup_ratio", 0.1, "warmup_ratio", {"min": 0.0, "max": 0.5}),
        ("--bf16", True, "bf16", {"values": [False, True]}),
        ("--ema", False, "ema", {"values": [False, True]}),
    ],
)
def test_a_range_lies_around_the_value(flag, value, name, found):
    [(own, (own_range, usual))] = studied(Option(flag, value)).items()
    assert (own, own_range) == (name, found) and usual == value


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--lr", None), ("--lr", 0.0), ("--clip", 0.0), ("--clip", -1), ("--min_lr", 1e-5), ("--lr-decay", 0.9),
        ("--lr-scheduler", "cosine"), ("--decay_lr", True), ("--bf16", False), ("--beta1", 0.9), ("--nesterov", False),
        ("--clip-range", 0.2), ("--distributed-sampler", True), ("--warmup-factor", 0.1), ("--width", 3),
    ],
)  # fmt: skip
def test_others_stay_as_they_are(flag, value):
    assert studied(Option(flag, value)) == {}


def test_a_learning_rate_without_a_known_value_is_said():
    [line] = roles([Option("--lr")], ["train"]).lines
    assert line == "--lr has no default that the program tells: give it behind `--`, and it is studied"


def test_momentum_counts_where_it_is_given():
    options = Option("--lr", 0.1), Option("--momentum", 0.5), Option("--adam_beta2", 0.9)
    found = studied(*options, command=("train", "--momentum", "0.9", "--adam_beta2", "0.99"))
    assert found["momentum"] == ({"min": 0.0, "max": 0.99}, 0.9)
    assert found["adam_beta2"] == ({"min": 0.9, "max": 0.9999}, 0.99)


def test_no_more_than_eight_and_the_given_ones_first():
    weights = [Option(f"--{name}-loss-weight", 1.0) for name in "abcdefgh"]
    found = roles([*weights, Option("--dropout", 0.1), Option("--lr", 0.1)], ["train", "--dropout", "0.2"])
    assert [param.name for param in found.params][:2] == ["lr", "dropout"] or len(found.params) == 8
    assert "dropout" in {param.name for param in found.params}
    assert found.lines == ["left as they are, 8 parameters being enough: g_loss_weight, h_loss_weight"]


def test_what_is_given_decides_before_a_file_and_a_default():
    command = ("train.py", "--lr", "0.5")
    options = [Option("train.lr", 0.1, place=Place.FILE, holder="c.json"), Option("--lr", 0.2)]
    assert studied(*options, command=command)["lr"][1] == 0.5
    assert studied(*options, command=("train.py",))["lr"][1] == 0.1


@pytest.mark.parametrize("name", ["lr", "learning_rate", "base_lr", "lr_d", "step_size", "blr_lr"])
def test_names_of_rates(name):
    assert is_rate(name)
