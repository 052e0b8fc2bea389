"""A first study file from a program's help: argparse, click, HfArgumentParser, Hydra."""

import json
import sys
import time
from pathlib import Path

import psutil
import pytest
from commanding import in_this_process

from stability import trainers
from stability.commands.init import Wishes, help_runner, readers, write
from stability.commands.init.params import roles
from stability.commands.init.program import Program
from stability.commands.init.readers.help_lines import options_in
from stability.records import UserError
from stability.spec import load_study

STUDIES = Path(__file__).parents[3] / "studies"
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
    """The study file of a command that is not run."""
    path = tmp_path / "study.yaml"
    write(command, Wishes(path, "study", log, run=False))
    spec = load_study(path)
    trainers.check(spec)
    return spec


def test_argparse_with_defaults_from_the_source(tmp_path):
    script = str(STUDIES / "trainers" / "lightning_tts.py")
    pytest.importorskip("lightning")
    spec = study(tmp_path, [sys.executable, script, "--corpus", "X", "--kl-weight", "0.3"])
    assert dict(spec.arms["usual"]) == {"lr": 0.001, "clip": 1.0, "kl_weight": 0.3, "batch_size": 8}
    command = spec.trainer["command"]
    assert command[command.index("--kl-weight") + 1] == "{kl_weight}"
    assert command[command.index("--output") + 1] == "{directory}/artifacts"
    assert command[command.index("--seed") + 1] == "{seed}"
    assert command[2:4] == ["--corpus", "X"]


def test_hf_argument_parser(tmp_path):
    pytest.importorskip("transformers")
    spec = study(tmp_path, [sys.executable, str(STUDIES / "trainers" / "hf_speecht5.py"), "--corpus", "X"])
    assert {"lr", "clip", "warmup_steps", "weight_decay", "dropout"} <= spec.params.keys()
    assert spec.arms["usual"]["lr"] == 5e-5
    command = spec.trainer["command"]
    assert command[command.index("--num_train_epochs") + 1] == "{epochs}"
    assert "--max_steps" not in command


def test_click(tmp_path):
    pytest.importorskip("click")
    (tmp_path / "train.py").write_text(CLICK)
    spec = study(tmp_path, [sys.executable, str(tmp_path / "train.py")])
    assert dict(spec.arms["usual"]) == {"lr": 0.002, "batch_size": 16, "adaptive": True, "optimizer": "adam"}
    assert {"when": "adaptive", "then": ["--adaptive"], "else": ["--no-adaptive"]} in spec.trainer["command"]


ARGPARSE = """
import argparse
p = argparse.ArgumentParser()
p.add_argument("--learning-rate", "--lr", type=float, default=0.01, help="Step size (default: %(default)s)")
p.add_argument("-b", "--batch-size", type=int, default=4)
p.add_argument("--layers", nargs="+", type=int, default=[8], help="Widths.")
p.add_argument("--run-name", default="x")
p.add_argument("--resume", default=None)
p.add_argument("--override", default="{}")
p.add_argument("--amp", action="store_true", help="GPU only.")
p.add_argument("--epochs", type=int, default=1)
p.add_argument("data", nargs="?")
p.parse_args()
"""


@pytest.fixture
def command(tmp_path):
    """A command for a small program, with these arguments."""
    (tmp_path / "ap.py").write_text(ARGPARSE)
    return lambda *given: [sys.executable, str(tmp_path / "ap.py"), *given]


def test_what_a_person_gives_stays_as_it_is_and_where_it_is(tmp_path, command):
    given = [
        "--lr",
        "1e-4",
        "-b",
        "16",
        "--layers",
        "64",
        "128",
        "--run-name",
        "007",
        "--resume",
        "none",
        "data",
    ]
    spec = study(tmp_path, command(*given))
    placed = [
        "--lr",
        "{lr}",
        "-b",
        "{batch_size}",
        "--layers",
        "64",
        "128",
        "--run-name",
        "007",
        "--resume",
        "none",
        "data",
    ]
    assert spec.trainer["command"][2:] == [*placed, "--epochs", "{epochs}"]
    assert dict(spec.arms["usual"]) == {"lr": 1e-4, "batch_size": 16}


@pytest.mark.parametrize(
    ("given", "placed", "ours"),
    [
        (["--lr=0.5"], ["--lr={lr}"], 0.5),
        (["--learning-rate", "0.5"], ["--learning-rate", "{lr}"], 0.5),
        (["--learn", "0.5", "x"], ["--learn", "{lr}", "x"], 0.5),
        (["--lr", "1", "--lr", "0.5"], ["--lr", "{lr}"], 0.5),
        (["-b16", "--amp"], ["-b{batch_size}", {"when": "amp", "then": ["--amp"]}], 0.01),
    ],
)
def test_every_spelling_of_an_option_is_known(tmp_path, command, given, placed, ours):
    spec = study(tmp_path, command(*given))
    assert spec.trainer["command"][2 : 2 + len(placed)] == placed
    assert spec.arms["usual"]["lr"] == ours


def test_options_that_are_added_stand_before_the_end_of_options(tmp_path, command):
    own = study(tmp_path, command("--lr", "0.5", "--", "--data"))
    assert own.trainer["command"][-3:] == ["{batch_size}", "--", "--data"]


def test_options_of_a_launcher_are_not_the_program_s(tmp_path, command):
    own = [sys.executable, "-b", *command("-b", "3")[1:]]
    assert study(tmp_path, own).trainer["command"][1:5] == ["-b", own[2], "-b", "{batch_size}"]


@pytest.mark.parametrize(
    ("line", "spellings", "values"),
    [
        ("  -b BATCH, --batch-size BATCH  How many.", ("--batch-size", "-b"), {}),
        ("  -b, --batch-size BATCH", ("--batch-size", "-b"), {}),
        ("  -b, --batch-size INTEGER RANGE  [default: 3; x>=1]", ("--batch-size", "-b"), {}),
        ("  --lr LR [LR ...]  Rates.", ("--lr",), {"is_list": True}),
        ("  --betas B B  Both.", ("--betas",), {"is_list": True}),
        ("  --opt {adam,sgd}", ("--opt",), {"choices": ("adam", "sgd")}),
        ("  --opt [adam|sgd]  [default: sgd]", ("--opt",), {"choices": ("adam", "sgd"), "default": "sgd"}),
        ("  --amp, --no-amp  Mixed.  (default: True)", ("--amp",), {"is_switch": True, "off": "--no-amp"}),
        ("  --amp / --no-amp  [default: amp]", ("--amp",), {"default": True, "off": "--no-amp"}),
        ("  -a, --amp / -A, --full  [default: full]", ("--amp", "-a"), {"default": False, "off": "-A"}),
        ("  --amp  GPU only.", ("--amp",), {"is_switch": True}),
        ("  --fp16 [FP16]  Mixed.", ("--fp16",), {"is_switch": False, "is_list": False}),
        ("  --lr arg (=0.1)  Rate.", ("--lr",), {"default": 0.1}),
        ("  --a-very-long-name-of-an-option\n                        Enables it.", None, {"is_switch": True}),
    ],
)
def test_spellings_and_values_in_a_line_of_help(line, spellings, values):
    [option] = options_in(line)
    assert spellings in (None, option.spellings)
    for name, value in values.items():
        assert getattr(option, name) == value


def test_hydra():
    command = ("python", "train.py", "data.batch_size=4", "extra=1")
    found = roles(readers.read(Program(command, HYDRA)), command)
    assert {param.name: param.usual for param in found.params} == {
        "lr": 0.001, "weight_decay": 0.01, "clip": 1.0, "kl_weight": 0.5, "batch_size": 4,
    }  # fmt: skip
    assert found.places["batch_size"].start == 2 and found.cut == {2}
    assert found.values == {"epochs": 100, "seed": 1, "run_directory": None}
    assert found.of_trial["epochs"].flag == "trainer.max_epochs="


TYPER = """
import enum, typer
from typing import Annotated
class Kind(str, enum.Enum):
    adam = "adam"
    sgd = "sgd"
def main(
    lr: Annotated[float, typer.Option("--lr", "-l", help="Step size.")] = 0.01, epochs: int = 3, seed: int = 0,
    amp: bool = True, clip_grad: float = 1.0, optimizer: Kind = Kind.sgd, layers: list[int] = [1, 2],
    out_dir: Annotated[str, typer.Option(help="Where. " * 40)] = ...,
):
    pass
typer.run(main)
"""


def test_typer(tmp_path):
    (tmp_path / "train.py").write_text(TYPER)
    spec = study(tmp_path, [sys.executable, str(tmp_path / "train.py"), "--out-dir", "x", "-l", "0.5"])
    ours = {"lr": 0.5, "amp": True, "clip": 1.0, "optimizer": "sgd"}
    assert dict(spec.arms["usual"]) == ours
    command = spec.trainer["command"]
    assert command[2:6] == ["--out-dir", "{directory}/artifacts", "-l", "{lr}"]
    assert {"when": "amp", "then": ["--amp"], "else": ["--no-amp"]} in command
    assert list(spec.params["optimizer"].choices) == ["adam", "sgd"]


@pytest.mark.parametrize(
    ("row", "option"),
    [
        (
            "│ --lr  -l      FLOAT    Step. [default: 0.01]   │",
            {"spellings": ("--lr", "-l"), "default": 0.01},
        ),
        ("│ *  --lr       FLOAT    [required]              │", {"spellings": ("--lr",), "is_switch": False}),
        ("│ --amp   --no-amp      [default: no-amp]        │", {"off": "--no-amp", "default": False}),
        ("│ --opt         [adam|sgd]  [default: adam]      │", {"choices": ("adam", "sgd")}),
        ("│ --xs          <list[int]>                      │", {"is_list": True}),
    ],
)
def test_options_in_boxes(row, option):
    [found] = options_in(f"╭─ Options ─╮\n{row}\n╰───╯")
    assert {name: getattr(found, name) for name in option} == option


def test_long_options_with_one_dash(tmp_path):
    source = "import argparse\np = argparse.ArgumentParser()\np.add_argument('-lr', type=float, default=.1)\n"
    (tmp_path / "t.py").write_text(source + "p.add_argument('-epochs', type=int, default=2)\np.parse_args()")
    spec = study(tmp_path, [sys.executable, str(tmp_path / "t.py"), "-epochs", "1"])
    assert spec.trainer["command"][2:] == ["-epochs", "{epochs}", "-lr", "{lr}"]
    assert (spec.arms["usual"]["lr"], spec.budget.epochs) == (0.1, 1)


SUBCOMMANDS = """
import argparse
p = argparse.ArgumentParser(); s = p.add_subparsers(dest="c")
t = s.add_parser("train"); t.add_argument("--lr", type=float, default=1e-3); t.add_argument("--clip", default=2.0)
e = s.add_parser("eval"); e.add_argument("--lr", type=float, default=5.0)
p.parse_args()
"""


def test_a_default_in_the_source_counts_where_all_calls_agree(tmp_path):
    (tmp_path / "t.py").write_text(SUBCOMMANDS)
    spec = study(tmp_path, [sys.executable, str(tmp_path / "t.py"), "train"])
    assert dict(spec.arms["usual"]) == {"clip": 2.0}
    line = "# - --lr has no default that the program tells: give it behind `--`, and it is studied"
    assert line in (tmp_path / "study.yaml").read_text().splitlines()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (SUBCOMMANDS, "it has subcommands: end the command with one of train, eval"),
        (
            "import click\n@click.group()\ndef m(): pass\n@m.command()\ndef fit(): 'Fits.'\nm()",
            "end the command with one of fit",
        ),
        (
            "import typer\napp = typer.Typer()\n@app.command()\ndef fit(): pass\n@app.command()\ndef go(): pass\napp()",
            "end the command with one of fit, go",
        ),
        (
            "import argparse; p = argparse.ArgumentParser(); p.add_argument('--config'); p.parse_args()",
            "it reads a config file: give one behind `--`, such as --config config.yaml",
        ),
    ],
)  # fmt: skip
def test_a_program_without_hyperparameters_is_told_what_to_do(tmp_path, source, message):
    (tmp_path / "t.py").write_text(source)
    with pytest.raises(UserError, match=message):
        study(tmp_path, [sys.executable, str(tmp_path / "t.py")])


CONFIG = """
import argparse, pathlib
p = argparse.ArgumentParser(); p.add_argument("--config")
text = pathlib.Path(p.parse_args().config).read_text()
for step in range(8):
    print("step", step, f"loss={float(text.partition('lr: ')[2].split()[0]) + (7 - step) / 10:.4f}")
"""


def test_a_program_that_reads_a_config_file_as_the_docs_have_it(tmp_path):
    docs = (Path(__file__).parents[3] / "docs" / "command.md").read_text()
    command = docs.partition("## A program that reads a config file")[2].partition("```yaml\n")[2]
    (tmp_path / "train.py").write_text(CONFIG)
    (tmp_path / "config.yaml").write_text("# ours\noptimizer:\n  lr: 0.5   # stays\nseed: 1\n")
    (tmp_path / "study.yaml").write_text(
        command.partition("```")[0] + "  parse: {stdout: ['step (?P<step>.*) loss=(?P<loss>.*)']}\n"
        "name: study\nparams: {lr: {min: 0.1, max: 1.0}}\nbudget: {epochs: 1, batch_size: 1}\nyardstick: {loss: 1}\n"
        "arms: {ours: {lr: 0.25}}\nplan: [{compare: {seeds: 1}}]\n"
    )
    done = in_this_process(tmp_path, "run", "study.yaml", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    [steps] = tmp_path.glob("stability.trials/study/compare/*/steps.jsonl")
    assert json.loads(steps.read_text().splitlines()[-1])["losses"] == {"loss": 0.25}


HYDRA_PROGRAM = """
import hydra, pathlib
@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    loss, rate = 1.0, cfg.optimizer.lr
    for step in range(cfg.trainer.max_epochs * 8):
        print(f"step {step} loss={loss:.7f} seed={cfg.seed}", flush=True)
        loss *= abs(1 - rate)
    folder = hydra.core.hydra_config.HydraConfig.get().runtime.output_dir
    (pathlib.Path(folder) / "done").write_text(str(cfg.model.width))
main()
"""
HYDRA_CONFIG = """
optimizer: {lr: 0.1, name: sgd}
trainer: {max_epochs: 1, gradient_clip_val: null, amp: false}
model: {width: 8, layers: [1, 2], weight_decay: "${optimizer.lr}"}
data: {batch_size: 4}
output_dir: null
seed: null
"""


def test_a_program_of_hydra_runs_as_its_study_says(tmp_path, monkeypatch):
    """Side by side they would share the folder that Hydra names by the second."""
    pytest.importorskip("hydra")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text(HYDRA_CONFIG)
    (tmp_path / "train.py").write_text(HYDRA_PROGRAM)
    spec = study(tmp_path, [sys.executable, "train.py", "model.width=16", "optimizer.lr=0.2"])
    assert spec.trainer["command"][1:4] == ["train.py", "model.width=16", "optimizer.lr={lr}"]
    assert dict(spec.arms["usual"]) == {"lr": 0.2, "batch_size": 4}
    done = in_this_process(tmp_path, "run", "study.yaml", "plan=[{compare: {seeds: 2}}]", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.read_text() for path in tmp_path.glob("stability.trials/*/*/*/artifacts/done")] == ["16"] * 2
    assert not (tmp_path / "outputs").exists()
    printed = [path.read_text() for path in sorted(tmp_path.glob("stability.trials/*/*/*/stdout.log"))]
    assert len({text.partition("seed=")[2].split()[0] for text in printed} - {"None"}) == 2


def test_a_log_says_how_numbers_are_read(tmp_path):
    (tmp_path / "train.py").write_text(CLICK)
    log = tmp_path / "old.log"
    log.write_text("Epoch 1: loss=9.1030, mel=0.69, stop=7.597\nEpoch 2: loss=3.97, mel=0.7, stop=2.455\n")
    spec = study(tmp_path, [sys.executable, str(tmp_path / "train.py")], log)
    assert dict(spec.yardstick) == {"mel": 1.0, "stop": 1.0}


def test_braces_that_a_person_gives_are_no_placeholders(tmp_path, command):
    own = study(tmp_path, command("--override", '{"a": 1}')).trainer["command"]
    assert own[own.index("--override") + 1] == '{{"a": 1}}'


def test_a_study_that_is_wrong_is_not_written(tmp_path, command):
    out = tmp_path / "study.yaml"
    (tmp_path / "old.log").write_text("loss=0.5\n")
    with pytest.raises(UserError, match=rf"{out}:3:\d+: error: name: letters, digits"):
        write(command(), Wishes(out, "no name", tmp_path / "old.log"))
    assert not out.exists()
    with pytest.raises(UserError, match="--out .*: no folder .*nowhere; make it first"):
        write(command(), Wishes(tmp_path / "nowhere" / "study.yaml", "study", run=False))
    write(command(), Wishes(out, "study", run=False))
    assert load_study(out).name == "study"


def test_a_study_in_another_folder_runs_the_program_where_it_is_now(tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command()
    (tmp_path / "studies").mkdir()
    write([sys.executable, "ap.py"], Wishes(Path("studies/s.yaml"), "study", run=False))
    assert load_study("studies/s.yaml").trainer["cwd"] == ".."


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise SystemExit('no')", "ended with status 1: no"),
        (
            "print('loss', 1.5); print('loss', 0.5)",
            r"trained instead of printing help\); .*write the file by hand",
        ),
        ("import argparse; argparse.ArgumentParser().parse_args()", "no option is a known hyperparameter"),
        (
            "LR = 0.25\nprint('loss', 1.5); print('loss', 0.5)",
            r"its source sets LR = 0.25 by itself: .* LR = float\(sys.argv\[1\]\), and give it: .*train.py 0.25",
        ),
        ("import torch\ntorch.optim.SGD([], lr=0.25)", "its source sets lr = 0.25 by itself"),
        (
            "import sys; open('c.yaml' if len(sys.argv) < 2 else sys.argv[1])",
            r"its source names c.yaml: if it takes the path as an argument, give it: .*train.py c.yaml",
        ),
    ],
)
def test_a_program_that_tells_nothing(tmp_path, source, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text("a: 1\n")
    (tmp_path / "train.py").write_text(source)
    with pytest.raises(UserError, match=message):
        study(tmp_path, [sys.executable, str(tmp_path / "train.py")])


TRAINS = """
import subprocess, sys, time
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open("other", "w").write(str(other.pid))
for step in range(600):
    print("step", step, "loss: 1.0")
    time.sleep(0.1)
open("ended", "w").close()
"""


def is_gone(pid):
    """Whether a process that was killed is gone; the kernel may take a moment."""
    for _ in range(1000):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.1)
    return False


def test_a_program_that_trains_for_its_help_is_ended_with_all_it_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(TRAINS)
    with pytest.raises(UserError, match="trained instead of printing help"):
        study(tmp_path, ["sh", "-c", f"{sys.executable} train.py; true"])
    assert not (tmp_path / "ended").exists()
    other = int((tmp_path / "other").read_text())
    assert is_gone(other)


def test_what_a_program_leaves_behind_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(TRAINS.partition("for")[0] + ARGPARSE)
    study(tmp_path, [sys.executable, "train.py"])
    other = int((tmp_path / "other").read_text())
    assert is_gone(other)


def test_a_program_that_is_silent(tmp_path, monkeypatch):
    monkeypatch.setattr(help_runner, "HELP_S", 0.5)
    with pytest.raises(UserError, match=r"printed no help within 0.5 s\); .*write the file by hand"):
        study(tmp_path, ["sh", "-c", "sleep 60"])


def test_the_usage_is_as_it_is_typed(tmp_path):
    done = in_this_process(tmp_path, "init", "--help", COLUMNS="120", NO_COLOR="1", TERM="dumb")
    assert "init [OPTIONS] -- COMMAND..." in done.stdout and "{" not in done.stdout
    done = in_this_process(tmp_path, "run", "--help", COLUMNS="120", NO_COLOR="1", TERM="dumb")
    assert "run [OPTIONS] STUDY.yaml [KEY=VALUE]..." in done.stdout
