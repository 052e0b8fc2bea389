"""The table of hyperparameters: what it accepts, and the message for what it does not."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict

import pytest

from stability.records import UserError
from stability.trainee.hyperparameters import (
    SETTINGS,
    Hyperparameters,
    check,
    check_model,
    expected,
    from_params,
    setting,
)

NAMES = (
    "lr, warmup_steps, schedule, optimizer, weight_decay, momentum, clip, mel_weight, stop_weight, "
    "kl_weight, kl_anneal_steps, adaptive, label_smoothing, huber, pos_weight, norm, mel_scale, "
    "logvar_clamp, dropout, precision, grad_scaler, batch_size"
)


def test_the_defaults_pass_their_own_check() -> None:
    assert from_params(asdict(Hyperparameters())) == Hyperparameters() == from_params({})


def test_given_values_replace_defaults() -> None:
    hp = from_params({"lr": 1, "clip": None, "huber": True, "batch_size": 4})
    assert (hp.lr, hp.clip, hp.huber, hp.batch_size) == (1, None, True, 4)
    assert hp.optimizer == "adamw"


def test_label_smoothing_is_a_toggle_or_an_amount() -> None:
    amounts = [from_params({"label_smoothing": value}).smoothing for value in (True, False, 0.25, 0, 1)]
    assert amounts == [0.1, 0.0, 0.25, 0.0, 1.0]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"lr": "1e-4"}, "lr = '1e-4' is not allowed; lr is a number in [0, 1000]"),
        ({"lr": True}, "lr = true is not allowed; lr is a number in [0, 1000]"),
        ({"lr": None}, "lr = null is not allowed; lr is a number in [0, 1000]"),
        ({"lr": -1e-9}, "lr = -1e-09 is not allowed; lr is a number in [0, 1000]"),
        ({"lr": float("nan")}, "lr = nan is not allowed; lr is a number in [0, 1000]"),
        ({"lr": float("inf")}, "lr = inf is not allowed; lr is a number in [0, 1000]"),
        ({"clip": 0}, "clip = 0 is not allowed; clip is a number in (0, 1e+09], null"),
        (
            {"warmup_steps": 2.0},
            "warmup_steps = 2.0 is not allowed; warmup_steps is an integer in [0, 1e+07]",
        ),
        ({"batch_size": 0}, "batch_size = 0 is not allowed; batch_size is an integer in [1, 1e+06], null"),
        ({"huber": 1}, "huber = 1 is not allowed; huber is true, false"),
        (
            {"label_smoothing": 1.5},
            "label_smoothing = 1.5 is not allowed; label_smoothing is a number in [0, 1], true, false",
        ),
        ({"optimizer": "adam"}, "optimizer = 'adam' is not allowed; optimizer is adamw, sgd"),
        (
            {"precision": ["fp32"]},
            "precision = ['fp32'] is not allowed; precision is fp32, bf16-mixed, 16-mixed",
        ),
        (
            {"mel_wieght": 1.0},
            f"unknown hyperparameter 'mel_wieght'; did you mean 'mel_weight'? ({NAMES})",
        ),
        ({"zzz": 1.0}, f"unknown hyperparameter 'zzz'; ({NAMES})"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(params: dict, message: str) -> None:
    with pytest.raises(UserError) as error:
        check(params)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"size": "tinny"}, "unknown model size 'tinny'; did you mean 'tiny'? (tiny, small, normal)"),
        ({"size": 3}, "unknown model size 3; (tiny, small, normal)"),
        ({"sizes": "tiny"}, "unknown model setting 'sizes'; did you mean 'size'? (size)"),
    ],
)
def test_an_unknown_model_is_named_with_what_is_allowed(model: dict, message: str) -> None:
    with pytest.raises(UserError) as error:
        check_model(model)
    assert str(error.value) == message


def test_a_model_without_a_size_is_tiny() -> None:
    assert check_model({}) == check_model({"size": "tiny"})


def test_expected_tells_a_study_file_what_to_sample() -> None:
    kinds = {name: expected(name) for name in ("mel_weight", "warmup_steps", "huber", "norm")}
    assert kinds == {"mel_weight": "number", "warmup_steps": "integer", "huber": "toggle", "norm": "choice"}
    with pytest.raises(UserError, match=r"unknown hyperparameter 'hubber'; did you mean 'huber'\?"):
        expected("hubber")


def test_every_hyperparameter_says_what_it_means_and_allows() -> None:
    assert ", ".join(SETTINGS) == NAMES
    for name in SETTINGS:
        assert setting(name).meaning
        assert setting(name).allowed()


def test_checking_needs_no_torch() -> None:
    code = "import sys, stability.trainee.hyperparameters; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
