"""Every usual way of giving a program its options -> the command of a study. No program is trained here."""

import sys

import pytest

from stability.commands.init import Wishes, readers, write
from stability.commands.init.options import Option
from stability.commands.init.params import roles
from stability.commands.init.program import Program
from stability.commands.init.readers import subcommands
from stability.records import UserError
from stability.spec import load_study


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Writes files and the study of a command that starts `train.py`, and returns the study; it is not run."""
    monkeypatch.chdir(tmp_path)

    def make(files, *given):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        write([sys.executable, "train.py", *given], Wishes(tmp_path / "study.yaml", "study", run=False))
        return load_study(tmp_path / "study.yaml")

    return make


def told(spec):
    """The items of the command after the script, with whatever depends on a switch as text."""
    return [str(item) for item in spec.trainer["command"][2:]]


ABSL = """
from absl import app
import settings
app.run(lambda _: None)
"""
ABSL_SETTINGS = """
from absl import flags
flags.DEFINE_float("learning_rate", 0.05, "Step size, in a text that is so long that it goes on in a second line, or even a third.")
flags.DEFINE_integer("num_epochs", 3, "How many.", lower_bound=1)
flags.DEFINE_bool("smooth", False, "Smoothed.")
flags.DEFINE_enum("optimizer", "sgd", ["sgd", "adam"], "Which.")
flags.DEFINE_string("workdir", "/tmp/nowhere", "Where to write.")
flags.DEFINE_list("layers", "1,2", "Widths.")
flags.DEFINE_integer("seed", None, "Seed.")
"""


def test_absl_lists_flags_of_all_its_own_modules_by_helpfull(study):
    pytest.importorskip("absl")
    spec = study({"train.py": ABSL, "settings.py": ABSL_SETTINGS}, "--learning_rate=0.02")
    assert dict(spec.arms["usual"]) == {"lr": 0.02, "optimizer": "sgd", "smooth": False}
    assert told(spec) == [
        "--learning_rate={lr}", "--num_epochs", "{epochs}", "--seed", "{seed}", "--workdir", "{directory}/artifacts",
        "--optimizer", "{optimizer}", "{'when': 'smooth', 'then': ['--smooth'], 'else': ['--nosmooth']}",
    ]  # fmt: skip
    assert list(spec.params["optimizer"].choices) == ["sgd", "adam"]


FIRE_HELP = """\
INFO: Showing help with the command 'train.py -- --help'.

NAME
    train.py

SYNOPSIS
    train.py <flags>

FLAGS
    -l, --lr=LR
        Type: float
        Default: 0.01
    --num_epochs=NUM_EPOCHS
        Default: 3
        passes over the data
    -a, --adaptive=ADAPTIVE
        Default: False
"""


def test_fire_takes_values_as_python_writes_them():
    command = ("python", "train.py", "--num-epochs", "5")
    found = roles(readers.read(Program(command, FIRE_HELP)), command)
    assert {param.name: param.usual for param in found.params} == {"lr": 0.01, "adaptive": False}
    assert found.values["epochs"] == 5 and found.places["epochs"].start == 2
    assert all(param.option.is_python for param in found.params)


def test_fire_is_asked_without_values_for_else_it_would_train(tmp_path, monkeypatch):
    source = (
        "import sys\n# fire.Fire(main)\nopen('asked', 'w').write(repr(sys.argv[1:]))\nraise SystemExit(1)"
    )
    (tmp_path / "train.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "train.py", "fit", "--lr=0.1", "7"]
    with pytest.raises(UserError, match="ended with status 1"):
        write(command, Wishes(tmp_path / "s.yaml", "s", run=False))
    assert (tmp_path / "asked").read_text() == "['fit', '--help']"


JSONARGPARSE_HELP = """\
usage: train.py [-h] [--config CONFIG] [--print_config[=flags]] [--trainer.max_epochs MAX_EPOCHS]

options:
  -h, --help            Show this help message and exit.
  --config CONFIG       Path to a configuration file.
  --print_config[=flags]
                        Print the configuration after applying all other arguments and exit.
  --seed_everything SEED_EVERYTHING
                        Set to an int. (type: Union[bool, int], default: True)
  --trainer.max_epochs MAX_EPOCHS
                        (type: Optional[int], default: null)
  --optimizer CONFIG | CLASS_PATH_OR_NAME | .INIT_ARG_NAME VALUE
                        One or more arguments. (type: Optimizer, known subclasses: torch.optim.Adam)
"""
PRINTED = """\
seed_everything: true
trainer:
  max_epochs: null
  gradient_clip_val: 0.5
optimizer:
  class_path: torch.optim.Adam
  init_args:
    lr: 0.1
    betas:
    - 0.9
    - 0.999
"""


@pytest.mark.parametrize("flag", ["--optimizer.lr", "--optimizer.init_args.lr"])
def test_jsonargparse_prints_the_config_with_arguments_of_subclasses(flag):
    command = ("python", "train.py", "--optimizer", "torch.optim.Adam", flag, "0.1")
    asked = []
    program = Program(command, JSONARGPARSE_HELP, ask=lambda own: asked.append(own) or PRINTED)
    found = roles(readers.read(program), command)
    assert asked == ["--print_config"]
    assert {param.name: param.usual for param in found.params} == {"lr": 0.1, "clip": 0.5}
    assert found.places["lr"].before == flag
    assert {role: option.flag for role, option in found.of_trial.items()} == {
        "seed": "--seed_everything",
        "epochs": "--trainer.max_epochs",
    }


def test_the_default_beside_a_type():
    [option] = readers.help_lines.options_in("  --lr LR   (type: float, default: 0.1)")
    assert (option.default, option.is_switch) == (0.1, False)


CONFIGURATOR = """
learning_rate = 0.05
max_iters = 600
grad_clip = 1.0
compile = True
out_dir = "out"
seed = 1
exec(open("configurator.py").read())
"""


def test_globals_that_a_configurator_replaces(study):
    spec = study(
        {"train.py": CONFIGURATOR, "small.py": "max_iters = 40\ngrad_clip = -1\n"},
        "small.py",
        "--learning_rate=0.1",
    )
    assert dict(spec.arms["usual"]) == {"lr": 0.1}
    assert told(spec) == [
        "small.py", "--learning_rate={lr}", "--max_iters={max_steps}", "--seed={seed}",
        "--out_dir={directory}/artifacts",
    ]  # fmt: skip
    assert spec.budget.max_steps == 40


def test_a_toggle_of_python_is_written_as_python_reads_it(study):
    spec = study({"train.py": CONFIGURATOR.replace("compile", "use_ema")}, "--learning_rate=0.1")
    switch = {"when": "use_ema", "then": ["--use_ema=True"], "else": ["--use_ema=False"]}
    assert switch in spec.trainer["command"]


def test_names_and_values_without_dashes(study):
    source = "from omegaconf import OmegaConf\nOmegaConf.merge(OmegaConf.load('base.yaml'), OmegaConf.from_cli())\n"
    spec = study(
        {"train.py": source, "base.yaml": "optim: {lr: 0.5, wd: 0.0}\nepochs: 3\nseed: 1\n"}, "optim.lr=0.1"
    )
    assert told(spec) == ["optim.lr={lr}", "epochs={epochs}", "seed={seed}", "optim.wd={weight_decay}"]
    assert dict(spec.arms["usual"]) == {"lr": 0.1, "weight_decay": 0.0}


YACS = """
import argparse, types
_C = types.SimpleNamespace(SOLVER=types.SimpleNamespace())
_C.SOLVER.BASE_LR = 0.001
_C.SOLVER.MAX_ITER = 900
_C.SEED = 1
DEFAULTS = {"SOLVER": {"WEIGHT_DECAY": 0.0, "STEPS": (3,)}, "OUTPUT_DIR": "./out"}
p = argparse.ArgumentParser(); p.add_argument("--config-file"); p.add_argument("opts", nargs="...")
p.parse_args()
"""


def test_pairs_after_the_config(study):
    files = {"c/a.yaml": "_BASE_: b.yaml\nSOLVER: {MAX_ITER: 50}\n", "c/b.yaml": "SOLVER: {BASE_LR: 0.02}\n"}
    spec = study(
        files | {"train.py": YACS}, "--config-file", "c/a.yaml", "SOLVER.WEIGHT_DECAY", "0.1", "SEED", "7"
    )
    assert told(spec) == [
        "--config-file", "c/a.yaml", "SOLVER.WEIGHT_DECAY", "{weight_decay}", "SEED", "{seed}",
        "SOLVER.MAX_ITER", "{max_steps}", "OUTPUT_DIR", "{directory}/artifacts", "SOLVER.BASE_LR", "{lr}",
    ]  # fmt: skip
    assert dict(spec.arms["usual"]) == {"lr": 0.02, "weight_decay": 0.1}


def test_pairs_behind_two_dashes_stay_behind_them(study):
    flags = YACS.replace('p.add_argument("opts"', 'p.add_argument("--batch-size", type=int, default=8); p.add_argument("opts"')
    spec = study({"train.py": flags}, "--", "SOLVER.BASE_LR", "0.1", "SEED", "7")
    command = told(spec)
    assert command[:2] == ["--batch-size", "{batch_size}"]
    assert command[2:7] == ["--", "SOLVER.BASE_LR", "{lr}", "SEED", "{seed}"]
    assert command[7:9] == ["SOLVER.MAX_ITER", "{max_steps}"]


HPARAMS = """
import argparse
p = argparse.ArgumentParser()
p.add_argument("-o", "--output_directory"); p.add_argument("--hparams", help="comma separated name=value pairs")
p.parse_args()
def create(HParams=dict):
    return HParams(epochs=500, learning_rate=1e-3, grad_clip_thresh=1.0, text_cleaners=["a"], seed=1234)
"""


@pytest.mark.parametrize(
    "given", [["--hparams", "learning_rate=0.01,seed=3"], ["--hparams=learning_rate=0.01,seed=3"]]
)
def test_settings_within_one_item(study, given):
    spec = study({"train.py": HPARAMS}, "-o", "out", *given)
    text = "learning_rate={lr},seed={seed},epochs={epochs},grad_clip_thresh={clip}"
    assert told(spec) == [
        "-o",
        "{directory}/artifacts",
        *([given[0], text] if len(given) == 2 else [f"--hparams={text}"]),
    ]
    assert dict(spec.arms["usual"]) == {"lr": 0.01, "clip": 1.0}


def test_settings_within_an_item_that_was_not_given(study):
    spec = study({"train.py": HPARAMS}, "-o", "out")
    assert told(spec)[2:] == [
        "--hparams=epochs={epochs},seed={seed},learning_rate={lr},grad_clip_thresh={clip}"
    ]


CONFIG = "import argparse; p = argparse.ArgumentParser(); p.add_argument('-c', '--config', default='base.json'); p.parse_args()"
JSON = '{"train": {"learning_rate": 2e-4, "epochs": 20000, "seed": 1234, "c_mel": 45, "fp16_run": false, "betas": [0.8, 0.99]}}'


@pytest.mark.parametrize("given", [["-c", "base.json"], ["--config=base.json"], []])
def test_a_config_file_of_which_each_trial_gets_its_copy(study, given):
    spec = study({"train.py": CONFIG, "base.json": JSON}, *given)
    copy = "{directory}/base.json"
    values = {
        "train.seed": "{seed}", "train.epochs": "{epochs}", "train.learning_rate": "{lr}", "train.c_mel": "{c_mel}",
    }  # fmt: skip
    assert spec.trainer["files"] == {copy: {"from": "base.json", "set": values}}
    expected = {2: ["-c", copy], 1: [f"--config={copy}"], 0: ["--config", copy]}
    assert told(spec) == expected[len(given)]
    assert dict(spec.arms["usual"]) == {"lr": 2e-4, "c_mel": 45.0}


def test_files_beside_a_config_are_found_from_its_copy(study):
    files = {
        "train.py": "import sys; open(sys.argv[1])",
        "conf/a.yaml": "base: b.yaml\nlr: 0.1\n",
        "conf/b.yaml": "seed: 1",
    }
    spec = study(files, "conf/a.yaml")
    values = {"lr": "{lr}", "base": "{folder}/conf/b.yaml"}
    assert spec.trainer["files"] == {"{directory}/a.yaml": {"from": "conf/a.yaml", "set": values}}


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nrate = float(sys.argv[1])\nepochs = int(sys.argv[2])\n",
        "import sys\nrate, epochs = float(sys.argv[1]), int(sys.argv[2])\n",
        "from sys import argv\nrate, epochs = argv[1:]\n",
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('rate', type=float)\np.add_argument('epochs')\np.parse_args()",
        "import click\n@click.command()\n@click.argument('rate')\n@click.argument('epochs')\ndef main(**_): pass\nmain()",
        "import typer\ndef main(rate: float, epochs: int): pass\ntyper.run(main)",
    ],
    ids=["argv", "tuple", "slice", "argparse", "click", "typer"],
)
def test_numbers_in_their_places(study, source):
    spec = study({"train.py": source}, "0.25", "5")
    assert told(spec) == ["{lr}", "{epochs}"]
    assert (dict(spec.arms["usual"]), spec.budget.epochs) == ({"lr": 0.25}, 3)


def test_a_number_below_1_that_nothing_names_is_taken_for_the_learning_rate(study):
    spec = study({"train.py": "import sys\nmain(*map(float, sys.argv[1:]))\n"}, "0.25", "5")
    assert told(spec) == ["{lr}", "5"]


def test_numbers_of_a_subcommand(study):
    source = "import argparse\np = argparse.ArgumentParser()\ns = p.add_subparsers().add_parser('fit')\n"
    source += "for name in ('data', 'learning_rate', 'epochs'): s.add_argument(name)\np.parse_args()"
    assert told(study({"train.py": source}, "fit", "x.txt", "0.1", "4")) == [
        "fit",
        "x.txt",
        "{lr}",
        "{epochs}",
    ]


def test_the_commands_of_a_program():
    help_of_fire = (
        "NAME\n    t.py\n\nCOMMANDS\n    COMMAND is one of the following:\n\n     fit\n       Fits.\n"
    )
    assert "one of fit" in subcommands.advice(help_of_fire)
    assert subcommands.advice("usage: t.py [-h]") is None


def test_short_names():
    assert Option("--optimizer.init_args.lr").short_names == ["lr"]
    assert Option("optimizer.betas.1").short_names == ["betas_1"]
    assert Option("SOLVER.BASE_LR").name == "solver_base_lr"
