"""The first run of a program: what it shows is said, and decides what the study file says."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from commanding import COMMAND, in_this_process

from stability.spec import load_study

PROGRAM = """
import argparse, os, random, sys
p = argparse.ArgumentParser()
p.add_argument("--lr", type=float, default=0.1)
p.add_argument("--epochs", type=int, default=3)
p.add_argument("--seed", type=int, default=0)
p.add_argument("--save", default="model.pt", help="where to save the final model")
p.add_argument("--out-dir", default="out")
a = p.parse_args()
OPENING
random.seed(a.seed)
x = random.random() + 1
for epoch in range(a.epochs):
    for step in range(8):
        print(f"epoch {epoch} step {step} loss: {x * x:.6f}", flush=True)
        x -= 2 * a.lr * x
open(a.save, "w").write("x")
"""


@pytest.fixture
def init(tmp_path):
    """Writes the program, with replacements, and runs `stability init` on it: the lines it says, and the study."""

    def run(*replacements, given=(), options=(), status=0):
        text = PROGRAM
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "train.py").write_text(text.replace("OPENING", ""))
        done = in_this_process(tmp_path, "init", *options, "--", sys.executable, "train.py", *given)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout.splitlines(), load_study(tmp_path / "study.yaml")

    return run


def test_what_is_read_and_what_reaches_the_training(init, tmp_path):
    said, spec = init(given=["--lr", "0.05"])
    assert said[0] == "what was read:" and "16 of 16 lines have losses" in said[1]
    assert said[-6].startswith("first run: ") and ", 16 steps read, loss from " in said[-6]
    assert said[-5:] == [
        "a trial: 4 epochs (more than 3, which print too few losses to judge by; schedules are stretched)",
        "seed: another one changes what is printed, the same one does not",
        "lr: another value changes what is printed",
        "study.yaml: look at it, then",
        "stability run study.yaml",
    ]
    assert (spec.budget.epochs, dict(spec.arms)) == (4, {"usual": {"lr": 0.05}})  # for 32 losses
    assert spec.trainer["command"][2:] == [
        "--lr", "{lr}", "--epochs", "{epochs}", "--seed", "{seed}", "--save", "{directory}/artifacts/model.pt",
        "--out-dir", "{directory}/artifacts",
    ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study.yaml", "train.py"]


def test_it_runs_as_it_is(init, tmp_path):
    init(given=["--lr", "0.05"])
    done = in_this_process(tmp_path, "run", "study.yaml", "plan=[{compare: {seeds: 2}}]", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert "··" in done.stdout


OFTEN = (
    ("a = p.parse_args()", "p.add_argument('--log-interval', type=int, default=4)\na = p.parse_args()"),
    ("        print(", "        if step % a.log_interval == 0: print("),
)


@pytest.mark.parametrize(("given", "before"), [((), 4), (("--log-interval", "2"), 2)])
def test_a_program_that_prints_little_is_asked_to_print_more_often(init, given, before):
    said, spec = init(*OFTEN, given=["--lr", "0.05", "--epochs", "4", *given])
    why = f"--log-interval 1 instead of {before}, for more losses to judge by"
    assert f"a trial: 4 epochs ({why})" in said
    command = spec.trainer["command"]
    assert command[command.index("--log-interval") + 1] == "1" and command.count("--log-interval") == 1
    assert spec.budget.epochs == 4  # the training stays as it is, and its schedules


def test_a_config_file_is_asked_to_print_more_often(init, tmp_path):
    (tmp_path / "c.yaml").write_text("train:\n  lr: 0.05\n  epochs: 4\n  log_every: 8  # steps\n")
    reads = (
        ("a = p.parse_args()", "p.add_argument('-c')\na = p.parse_args()\nimport yaml\nt = yaml.safe_load(open(a.c))['train']"),
        ("        print(", "        if step % t['log_every'] == 0: print("),
        ('p.add_argument("--lr", type=float, default=0.1)\np.add_argument("--epochs", type=int, default=3)\n', ""),
        ("range(a.epochs)", "range(t['epochs'])"),
        ("a.lr", "t['lr']"),
    )
    _, spec = init(*reads, given=["-c", "c.yaml"])
    [copy] = spec.trainer["files"].values()
    assert copy["set"]["train.log_every"] == 1


EVALUATES = (
    (
        "a = p.parse_args()",
        "p.add_argument('--eval_on_start', action='store_true', help='Evaluate at the beginning.')\na = p.parse_args()",
    ),
    (
        "for epoch in range(a.epochs):\n",
        "if a.eval_on_start: print(f'val loss: {x * x + 1:.5f}')\nfor epoch in range(a.epochs):\n",
    ),
    ('        x -= 2 * a.lr * x\n', '        x -= 2 * a.lr * x\n    print(f"val loss: {x * x + 1:.5f}")\n'),
)


def test_a_program_is_asked_to_evaluate_before_it_trains(init):
    said, spec = init(*EVALUATES, given=["--lr", "0.05", "--epochs", "5"])
    assert spec.trainer["command"][-1] == "--eval_on_start"
    assert "a trial: 5 epochs (--eval_on_start, to see what is learned from the start on)" in said


def test_a_switch_that_does_not_evaluate_first_stays_off(init):
    idle = (EVALUATES[0], EVALUATES[2])
    _, spec = init(*idle, given=["--lr", "0.05", "--epochs", "5"])
    assert "--eval_on_start" not in spec.trainer["command"]


def test_an_interval_that_changes_nothing_stays(init):
    idle = ("a = p.parse_args()", "p.add_argument('--log-interval', type=int, default=4)\na = p.parse_args()")
    said, spec = init(idle, given=["--lr", "0.05"])
    assert "--log-interval" not in spec.trainer["command"]


def test_a_program_that_prints_one_loss_at_its_end_is_not_made_longer(init):
    ending = (
        ('        print(f"epoch', '        last = (f"epoch'),
        (', flush=True)', ')'),
        ('open(a.save, "w").write("x")', 'print(f"final loss: {x * x:.6f}")'),
    )
    said, spec = init(*ending, given=["--epochs", "5"])
    assert spec.budget.epochs == 5
    assert "not done: a trial prints few losses to judge by (about 1): let it print more often" in said


NOT_SHOWN = "not done: another {} printed the same numbers: it was not shown that it reaches the training"


@pytest.mark.parametrize(
    ("replacement", "line"),
    [
        (("random.seed(a.seed)", "random.seed(3)"), NOT_SHOWN.format("seed")),
        pytest.param(("2 * a.lr * x", "0.2 * x"), NOT_SHOWN.format("lr"), marks=pytest.mark.slow),
        pytest.param(
            ("random.seed(a.seed)", ""),
            "not done: runs with one seed differ too: it was not shown that the seed decides them",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ('p.add_argument("--seed", type=int, default=0)', "p.set_defaults(seed=1)"),
            "not done: no option for a seed was found, and two runs print the same: trials of an arm are one",
            marks=pytest.mark.slow,
        ),
        (
            ("open(a.save", "open('left.txt', 'w').write('x'); open(a.save"),
            "not done: it also writes left.txt, which trials side by side share",
        ),
    ],
)
def test_what_could_not_be_shown_is_a_line(init, tmp_path, replacement, line):
    said, _ = init(replacement)
    assert line in said
    assert f"# - {line.removeprefix('not done: ')}" in (tmp_path / "study.yaml").read_text().splitlines()


@pytest.mark.slow
def test_a_program_that_wants_no_folder_where_it_writes(init):
    _, spec = init(("OPENING", "os.mkdir(a.out_dir)"))
    assert "{directory}/artifacts/out_dir" in spec.trainer["command"]


def test_a_program_that_fails_when_it_is_told_more(init):
    said, spec = init(
        ("OPENING", "if '--seed' in sys.argv: sys.exit('no seeds here')"), given=["--lr", "0.05"]
    )
    assert "not done: it fails when it is told more than was given, so only what was given is studied" in said
    assert spec.trainer["command"][2:] == ["--lr", "{lr}"]


@pytest.mark.parametrize(
    ("opening", "line"),
    [
        ("sys.exit('no data here')", "the program failed in its first run: exit status 1: no data here"),
        pytest.param(
            "input('which corpus? ')",
            "the program failed in its first run: exit status 1: EOFError: EOF when reading a line; nobody answers "
            "in a trial: let it ask nothing",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "sys.exit()",
            r"the program printed nothing in its first run, and after \d+ s it ended",
            marks=pytest.mark.slow,
        ),
        (
            "print('3 files copied'); sys.exit()",
            r"no training loss was read in its first run, and after \d+ s it ended; let it print one, or say in "
            r"`parse` how: docs/command\.md",
        ),
    ],
)
def test_a_program_that_no_study_can_begin_with(init, opening, line):
    said, _ = init(("OPENING", opening), status=1)
    assert any(re.fullmatch(f"not done: {line}", own) for own in said), said
    assert said[-1] == "study.yaml: no study can begin with it; mend this, then the same command with --force"
    assert not any("Traceback" in own for own in said)


@pytest.mark.slow
def test_a_program_that_prints_nothing_in_time(init):
    said, _ = init(("OPENING", "import time; time.sleep(600)"), options=["--timeout", "2"], status=1)
    assert said[0] == (
        "not done: the program printed nothing in its first run, and after 2 s it was still running; allow it more "
        "with --timeout"
    )


HERE = r"start `stability init` in the folder where the program is started, not in /\S+"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["no-such-trainer", "--lr", "1"], f"no-such-trainer: no such program; install it, or {HERE}"),
        ([sys.executable, "absent.py", "--lr", "1"], f"absent.py: no such file; {HERE}"),
    ],
)
def test_a_program_that_is_not_there(tmp_path, command, message):
    done = in_this_process(tmp_path, "init", "--", *command)
    assert done.returncode == 2 and re.fullmatch(message, done.stderr.strip()), done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_training_that_prints_too_little_trains_longer(init):
    said, spec = init(("range(8)", "range(1)"))
    assert spec.budget.epochs == 32


@pytest.mark.slow
def test_a_long_training_is_ended_in_time(init):
    slow = ("print(f", "import time; time.sleep(0.1); print(f")
    said, _ = init(slow, ("range(8)", "range(900)"), options=["--timeout", "4"])
    assert any("it was ended after 4 s" in line for line in said)


def test_without_a_run(init):
    said, _ = init(options=["--no-run"])
    assert said[0] == "not done: the program was not run: how its numbers are read is not known"


def test_with_a_log(init, tmp_path):
    (tmp_path / "old.log").write_text("step 1 mel: 0.5 stop: 0.25\nstep 2 mel: 0.4 stop: 0.2\n")
    said, spec = init(options=["--log", str(tmp_path / "old.log")])
    assert dict(spec.yardstick) == {"mel": 1.0, "stop": 1.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("hello\n", "nothing in it looks like a training loss; give what a training printed"),
    ],
)
def test_a_log_that_tells_nothing(init, tmp_path, text, message):
    log = tmp_path / "old.log"
    if text:
        log.write_text(text)
    (tmp_path / "train.py").write_text(PROGRAM.replace("OPENING", ""))
    done = in_this_process(tmp_path, "init", "--log", str(log), "--", sys.executable, "train.py")
    assert done.returncode == 2 and f"--log {log}: {message}" in done.stderr


def test_ctrl_c_leaves_no_half_file_and_no_process(tmp_path):
    opening = "open('started', 'w').write(str(os.getpid()))\nimport time; time.sleep(600)"
    (tmp_path / "train.py").write_text(PROGRAM.replace("OPENING", opening))
    command = [*COMMAND, "init", "--", sys.executable, "train.py"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background shell ignores it
    )
    while not (tmp_path / "started").exists() or not (tmp_path / "started").read_text():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    line = "interrupted; nothing was written, and every run of the program was ended\n"
    assert (process.returncode, said.decode()) == (1, line)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["started", "train.py"]
    with pytest.raises(ProcessLookupError):
        for _ in range(600):
            os.kill(int((tmp_path / "started").read_text()), 0)
            time.sleep(0.1)


def test_a_file_that_is_there_is_kept(tmp_path):
    (tmp_path / "study.yaml").write_text("mine")
    done = in_this_process(tmp_path, "init", "--", sys.executable, "train.py")
    assert done.returncode == 2
    assert "study.yaml is there already; choose another --out, or --force" in done.stderr
    assert (tmp_path / "study.yaml").read_text() == "mine"


def test_a_training_that_is_lost_too_soon_to_show_what_reaches_it(init):
    soon = (("x = random.random() + 1", "x = 1.5"), ("x -= 2 * a.lr * x", "x = float('nan')"))
    said, _ = init(*soon)
    assert {line for line in said if line.startswith("not done")} == {
        f"not done: the training is lost after 1 finite loss, too soon to show that {name} reaches it"
        for name in ("seed", "lr")
    }


LOST = "if x > 9: sys.exit('Loss is nan, stopping training')\n        print(f"


@pytest.mark.slow
def test_a_training_that_is_lost_at_once_is_read_at_a_gentler_setting(init):
    lost = (("print(f", LOST), ("x -= 2 * a.lr * x", "x -= 2 * a.lr * x if a.lr < 1 else -1e9"))
    said, spec = init(*lost, ("loss: {", "mel: {"), given=["--lr", "20"])
    assert dict(spec.yardstick) == {"mel": 1.0}
    assert "lr: another value changes what is printed" in said


@pytest.mark.slow
def test_a_training_that_prints_too_little_is_tried_longer(init):
    rare = ("for step in range(8)", "for step in [0] if epoch % 4 == 0 else []")
    said, spec = init(rare, given=["--epochs", "60"])
    assert any(", 5 steps read" in line for line in said)
    assert spec.budget.epochs == 128


def test_a_training_that_is_lost_before_its_first_number_has_a_verdict(init, tmp_path):
    said, _ = init(
        ("OPENING", "if a.lr > 1: sys.exit('Loss is nan, stopping training')"), given=["--lr", "20"]
    )
    assert any(line.startswith("not done: its training is lost before any number is read") for line in said)
    done = in_this_process(tmp_path, "run", "study.yaml", "plan=[{compare: {seeds: 2}}]", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert "××" in done.stdout
