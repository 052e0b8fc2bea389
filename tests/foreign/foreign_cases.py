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
    warned: str = ""
    """Why at `too_high` a warning is right too: what the printed numbers do not show, or what was learned after all."""


def prepare(case: Case, folder: Path, rate: float) -> tuple[str, ...]:
    """Copies the program into `folder`, and gives its command at a learning rate."""
    shutil.copytree(PROGRAMS / case.name, folder, dirs_exist_ok=True)
    if case.lr_file:
        file, key = folder / case.lr_file, case.lr_option_name_or_key.split(".")[-1]
        lines = file.read_text().splitlines()
        (at,) = (i for i, line in enumerate(lines) if line.strip().startswith(f'"{key}":'))
        lines[at] = f'    "{key}": {rate},'
        file.write_text("\n".join(lines) + "\n")
        return case.argv
    at = [i for i, word in enumerate(case.argv) if _number_in(word) == case.sane]
    if not at:  # the program has its own default
        return (*case.argv, case.lr_option_name_or_key, str(rate))
    head, sign, _ = case.argv[at[0]].rpartition("=")
    return (*case.argv[: at[0]], f"{head}{sign}{rate}", *case.argv[at[0] + 1 :])


def _number_in(word: str) -> float | None:
    try:
        return float(word.rpartition("=")[2])
    except ValueError:
        return None


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
        notes="Exits 0 with NaN. logging_nan_inf_filter drops NaN losses from the logged sums: the log says "
        "loss 0 and a good train_loss, grad_norm nan, and eval_loss nan. Numbers in the logged dicts are strings. A data file is required. "
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
        warned="Its own validation loss ends at 3.05 to 3.14, below the 3.41 to 3.49 before training; sane, at 1.72.",
    ),
    Case(
        name="lightning_cli",
        argv=("main.py", "fit", "--optimizer", "torch.optim.SGD", "--optimizer.lr", "0.1", "--optimizer.momentum",
              "0.9", "--trainer.max_epochs", "8"),
        lr_option_name_or_key="--optimizer.lr",
        sane=0.1,
        too_high=10.0,
        nan=1e8,  # at 1e4 some seeds stay finite
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
        warned="The first number that it prints is 50 to 90; an untrained model has 4.40, which no line shows.",
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
    Case(
        name="tacotron2",
        argv=("train.py", "-o", "outdir", "-l", "logdir", "--hparams=batch_size=16,learning_rate=0.002"),
        lr_option_name_or_key="--hparams=learning_rate",
        sane=0.002,
        too_high=1.0,
        nan=1e19,
        has_seed=True,
        notes="Exits 0 with nan. The rate and the seed are names inside --hparams; --help does not name them. The "
        "iteration stands between 'Train loss' and the loss, the gradient norm after it; a line an iteration. "
        "Checkpoints have no suffix. The validation loss comes every 50 iterations, before the last epoch's end.",
        needs=("tensorboard",),
    ),
    Case(
        name="detection",
        argv=("train_net.py", "--config-file", "configs/toy_1x.yaml", "SOLVER.BASE_LR", "0.02", "SEED", "1",
              "OUTPUT_DIR", "output"),
        lr_option_name_or_key="SOLVER.BASE_LR",
        sane=0.02,
        too_high=1.0,
        nan=1e8,  # at 1e4 some seeds stay finite
        has_seed=True,
        notes="FloatingPointError with exit 1 at the first loss that is not finite, logged and raised: the traceback "
        "stands twice. Settings are KEY VALUE words after the options and in no --help; SEED is -1, random, unless "
        "given. Losses are medians of 20 iterations; a lost run sits at chance, dead, and ends well. Between 0.5 and "
        "1e4 some seeds end in NaN and some do not. The evaluation prints no loss.",
        needs=("yaml",),
    ),
    Case(
        name="absl_flags",
        argv=("train.py", "--model_dir=run1", "--learning_rate=0.01", "--train_steps=1500"),
        lr_option_name_or_key="--learning_rate",
        sane=0.01,
        too_high=1.0,
        nan=1e12,
        has_seed=True,
        notes="'Model diverged with loss = NaN.' is logged, then NanLossDuringTrainingError, exit 1; only NaN ends it, "
        "not inf. All output is on stderr. --help exits 1, --helpfull names every flag of every module. Warm-up and "
        "decay are inside, and follow train_steps; there are no epochs. The seed is --tf_random_seed. Every "
        "line begins with numbers: date, thread, line of code.",
        needs=("absl",),
    ),
    Case(
        name="typer_cli",
        argv=("train.py", "--recipe", "recipe.yaml", "--output", "restored.pt"),
        lr_option_name_or_key="--lr",
        sane=0.05,
        too_high=2.0,
        nan=10.0,
        has_seed=True,
        notes="'Loss is nan, stopping training' and exit 1. --lr is unset by default: the recipe's blr * batch size "
        "/ 256 gives 0.05. --output is a file that must not exist, so a second run in one folder exits 2. The "
        "counter stands before the loss, the running mean in parentheses after it. Help is drawn in boxes; the "
        "seed is in a box of its own. Warm-up and cosine decay are inside. There is no validation.",
        needs=("typer", "yaml"),
    ),
    Case(
        name="hydra_app",
        argv=("train.py", "optimizer=sgd", "optimizer.lr=0.05", "seed=7"),
        lr_option_name_or_key="optimizer.lr",
        sane=0.05,
        too_high=0.3,
        nan=10.0,
        has_seed=True,
        notes="RuntimeError and exit 1 at NaN, in Hydra's short traceback. Every run changes to a folder of its own, "
        "outputs/DATE/TIME, where train.log, .hydra/ and best.pt lie. Steps are trainer.max_steps. The last line is "
        "the best val/loss, not the last. In the printed config the default group optimizer has its own lr.",
        needs=("hydra", "omegaconf"),
    ),
    Case(
        name="fire_cli",
        argv=("train.py", "--lr=0.1", "--num_iters=1500"),
        lr_option_name_or_key="--lr",
        sane=0.1,
        too_high=10.0,
        nan=1e6,
        has_seed=False,
        notes="Exits 0 with nan everywhere. No seed is offered: two runs differ. A line is '    50/   1500: 0.6931', "
        "with no word for the loss; then 'val LOSS ACCURACY'. Help goes to stderr through a pager and has no types. "
        "Epochs are num_iters.",
        needs=("fire",),
    ),
    Case(
        name="json_config",
        argv=("train.py", "-c", "configs/base.json"),
        lr_option_name_or_key="train.learning_rate",
        sane=0.002,
        too_high=0.5,
        nan=1e8,
        has_seed=True,
        notes="Exits 0 with nan. The rate and the seed are in the JSON file only; -c is the one option. Losses are a "
        "bare list, [disc, gen, fm, mel, step, rate], in a log line of their own: the discriminator's is first and "
        "does not fall; mel is fourth. Nothing is validated. Everything is written to logs/<name of the config>/, so "
        "a second run writes over the first. events.out.tfevents has loss/g/total and learning_rate.",
        needs=("tensorboard",),
        lr_file="configs/base.json",
    ),
    Case(
        name="subcommands",
        argv=("train.py", "fit", "data.txt", "0.01", "20"),
        lr_option_name_or_key="learning_rate (second positional of fit)",
        sane=0.01,
        too_high=1.0,
        nan=10.0,
        has_seed=True,
        notes="EncounteredNaNError and exit 1. The rate and the epochs are numbers in their places; only "
        "`fit --help` names them. The loss is a moving mean in a line drawn over itself on stderr; stdout has only "
        "the accuracy of rows held out, P@1. The rate falls to 0.",
        warned="The first mean that it prints is 2.6 to 2.8; an untrained model has 1.79, which no line shows.",
    ),
)  # fmt: skip
