"""Which options say how often a program prints, and which let it evaluate before it trains."""

import pytest

from stability.commands.init.first_evaluation import first_of
from stability.commands.init.intervals import interval_of
from stability.commands.init.options import Option


@pytest.mark.parametrize(
    "flag",
    ["--log-interval", "--logging_steps", "trainer.log_every_n_steps=", "--print-freq", "--report_every", "--log_every",
     "LOG_PERIOD", "--steps_per_print", "--train_log_interval", "--disp-freq", "--display_interval"],
)  # fmt: skip
def test_how_often_a_line_is_printed(flag):
    assert interval_of(Option(flag), 50, ()).value == 50
    assert interval_of(Option(flag), 1, ()) is None
    assert interval_of(Option(flag), None, ()) is None


@pytest.mark.parametrize(
    "flag",
    ["--eval-interval", "--save_steps", "--val_log_interval", "--log_image_every", "--max_steps", "--log_dir", "--log-level",
     "--logging_first_step", "--lr_step", "--warmup_steps"],
)  # fmt: skip
def test_what_is_no_interval_of_losses(flag):
    assert interval_of(Option(flag), 50, ()) is None


@pytest.mark.parametrize(
    "flag", ["--eval_on_start", "trainer.val_before_train=", "--evaluate-at-the-beginning", "--initial_eval", "--eval-first"]
)
def test_what_lets_a_program_evaluate_first(flag):
    assert first_of(Option(flag), False, ()) is not None
    assert first_of(Option(flag, is_switch=True), None, ()) is not None
    assert first_of(Option(flag), True, ()) is None
    assert first_of(Option(flag), None, ()) is None


@pytest.mark.parametrize("flag", ["--eval", "--do_eval", "--eval_only", "--eval_strategy", "--first_stage"])
def test_what_does_not(flag):
    assert first_of(Option(flag), False, ()) is None
