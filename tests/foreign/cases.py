"""The foreign programs, what is usually typed to start each, and learning rates whose end is known.

The rates were found by running each program directly. What a program is rebuilt after stands in its own docstring.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True, slots=True)
class Case:
    """A program, its usual command and what becomes of it at three learning rates."""

    name: str
    """The folder below `programs/`."""
    argv: tuple[str, ...]
    """The script and its options, as typed in the program's own folder, at the rate `sane`."""
    lr_option_name_or_key: str
    """The option, the key, or the position that holds the learning rate."""
    sane: float
    """It learns."""
    too_high: float | None
    """It is lost: its losses end finite, and at chance or worse."""
    nan: float | None
    """Its losses end non-finite, or the program ends itself for that reason."""
    has_seed: bool
    """Whether a seed can be given."""
    notes: str
    """How it ends, and what may mislead a reader of its output."""
    needs: tuple[str, ...] = ()
    """Modules beyond torch, numpy, transformers and lightning."""
    lr_file: str | None = None
    """The JSON file that holds the learning rate, where no argument does."""


def prepare(case: Case, folder: Path, rate: float) -> tuple[str, ...]:
    """Copies the program into `folder`, and gives its command at a learning rate."""
    shutil.copytree(PROGRAMS / case.name, folder, dirs_exist_ok=True)
    usual, wanted = f"{case.sane:g}", f"{rate:g}"
    if case.lr_file:
        file, key = folder / case.lr_file, case.lr_option_name_or_key.split(".")[-1]
        text = file.read_text()
        assert text.count(f'"{key}": {usual}') == 1, f"{case.lr_file} does not say {key} {usual} once"
        file.write_text(text.replace(f'"{key}": {usual}', f'"{key}": {wanted}'))
        return case.argv
    assert sum(word.split("=")[-1] == usual for word in case.argv) == 1, f"{usual} is not in {case.argv} once"
    return tuple(word[: -len(usual)] + wanted if word.split("=")[-1] == usual else word for word in case.argv)


CASES = (
    Case(
        name="hf_trainer",
        argv=("run_clm.py", "--train_file", "data/train.txt", "--do_train", "--do_eval", "--output_dir", "out",
              "--per_device_train_batch_size", "8", "--learning_rate", "0.001", "--num_train_epochs", "3",
              "--logging_steps", "10"),
        lr_option_name_or_key="--learning_rate",
        sane=1e-3,
        too_high=10.0,
        nan=1e10,
        has_seed=True,
        notes="Exits 0 with NaN. logging_nan_inf_filter replaces a NaN loss in the log by a mean of finite ones, "
        "so only the evaluation says nan. Numbers in the logged dicts are strings. A data file is required. "
        "The rate falls to 0 over the run.",
        needs=("accelerate",),
    ),
    Case(
        name="keras_loop",
        argv=("train.py", "--lr", "0.01", "--epochs", "8", "--batch_size", "32"),
        lr_option_name_or_key="--lr",
        sane=0.01,
        too_high=3.0,
        nan=100.0,
        has_seed=True,
        notes="Exits 0 with nan in every loss; accuracy stays a number. One line is drawn over itself with \\b and "
        "\\r, and its loss is a running mean of the epoch. The seed is called --random_state. 'Test loss:' comes last.",
    ),
    Case(
        name="nanogpt",
        argv=("train.py", "config/train_toy_char.py", "--batch_size=16", "--learning_rate=0.003"),
        lr_option_name_or_key="--learning_rate",
        sane=0.003,
        too_high=10.0,
        nan=1e4,
        has_seed=True,
        notes="Exits 0 with nan. No --help: a word without '=' that begins with '--' is an AssertionError, an "
        "unknown key a ValueError. A value's type must be the default's: --learning_rate=1 fails, =1.0 does not. "
        "Warm-up and decay are inside; mfu is negative; val loss is a mean of random batches.",
    ),
    Case(
        name="lightning_cli",
        argv=("main.py", "fit", "--optimizer", "torch.optim.SGD", "--optimizer.lr", "0.1", "--optimizer.momentum",
              "0.9", "--trainer.max_epochs", "8"),
        lr_option_name_or_key="--optimizer.lr",
        sane=0.1,
        too_high=10.0,
        nan=1e4,
        has_seed=True,
        notes="Exits 0 with nan. --optimizer.lr is no option of `fit --help` before --optimizer names a class. Losses "
        "are in csv_logs/lightning_logs/version_N/metrics.csv; the progress bar breaks its line. The seed is "
        "--seed_everything and stands before or after the subcommand.",
        needs=("jsonargparse",),
    ),
    Case(
        name="word_language_model",
        argv=("main.py", "--data", "./data", "--emsize", "96", "--nhid", "128", "--epochs", "6", "--lr", "20",
              "--log-interval", "5", "--save", "model.pt"),
        lr_option_name_or_key="--lr",
        sane=20.0,
        too_high=1000.0,
        nan=3e38,
        has_seed=True,
        notes="Losses become inf, not nan. A mean loss over 709 ends it with OverflowError of math.exp, exit 1. "
        "A rate that gains nothing is divided by 4 an epoch, so a lost run comes back a part of the way, and the test "
        "loss is that of the best epoch. --save is a file; --data a folder, and required in fact.",
    ),
    Case(
        name="mnist",
        argv=("main.py", "--epochs", "4", "--lr", "1", "--seed", "2"),
        lr_option_name_or_key="--lr",
        sane=1.0,
        too_high=1000.0,
        nan=1e20,
        has_seed=True,
        notes="Exits 0 with nan. Adadelta: 1.0 is usual, and its finite losses reach 1e34. The sample counter and the "
        "percent stand before the loss; the accuracy is a fraction.",
    ),
)  # fmt: skip
