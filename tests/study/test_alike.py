"""A study whose trials all fail alike stops after a few, says what to mend, and then goes on."""

import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from stability import terminal
from stability.evidence.alike_failures import alike, reason
from stability.records import UserError
from stability.report import write
from stability.report.stored import stored as stored_study
from stability.store import Store
from stability.study import FailedAlike

PROGRAM = """\
import argparse, sys
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--seed", type=int)
args = parser.parse_args()
print("loading data of seed", args.seed)
{trouble}
x = 1.0
for step in range(8):
    print(f"step {{step}}: square={{x * x}}", flush=True)
    x -= args.lr * 2 * x
"""
STUDY = """\
name: cmd
trainer:
  command: ["{python}", train.py, --lr, "{lr}", --seed, "{seed}"]
  parse: {stdout: ['step (?P<step>\\d+): square=(?P<square>\\S+)']}
budget: {epochs: 1, batch_size: 1, timeout_s: 60}
params: {lr: {min: 1.0e-3, max: 10.0, log: true}}
arms: {one: {lr: 0.1}, two: {lr: 0.2}}
plan:
  - compare: {seeds: 20}
yardstick: {square: 1.0}
"""


@pytest.fixture
def program(tmp_path):
    """Writes a program with a trouble of its own, and its study with replacements; returns the study's path."""

    def write(trouble: str, *replacements: tuple[str, str]) -> Path:
        (tmp_path / "train.py").write_text(PROGRAM.format(trouble=trouble))
        text = STUDY
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        (tmp_path / "study.yaml").write_text(text)
        return tmp_path / "study.yaml"

    return write


def failed(run_study, path, *overrides, **options) -> list[str]:
    """The lines that a run ends with because its trials all failed."""
    with pytest.raises(FailedAlike) as raised:
        run_study(path, *overrides, **options)
    return str(raised.value).splitlines()


def stored(tmp_path, study="cmd"):
    return Store(str(tmp_path / "s.db")).trials(study)


def test_a_program_that_cannot_start_is_tried_four_times(run_study, program, tmp_path):
    path = program("import no_such_module_anywhere")
    first, *others = failed(run_study, path, jobs=1)
    assert first.startswith("stopped: 4 of 4 trials crashed alike: CommandFailed: exit status 1: ModuleNotFoundError")
    assert "    ModuleNotFoundError: No module named 'no_such_module_anywhere'" in others
    assert others[0] == "the last lines that trial compare/0 (one/seed-0) printed:"
    command = f"its command: {sys.executable} train.py --lr 0.1 --seed 0"
    assert command in others
    assert "mend that, then run the same command: it runs these trials again" in others
    assert not [line for line in others if "stability/trainers" in line]
    assert len(stored(tmp_path)) == 4


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("sys.exit('cannot open data_%d at 0x%x' % (args.seed, id(args)))", "cannot open data_0"),
        ("open('.')", "IsADirectoryError"),
        ("parser.parse_args(['--nope', str(args.seed)])", "unrecognized arguments: --nope 0"),
    ],
)
def test_what_differs_from_trial_to_trial_is_no_other_reason(run_study, program, tmp_path, trouble, words):
    lines = failed(run_study, program(trouble), jobs=1)
    assert words in lines[0] and lines[0].startswith("stopped: 4 of 4 trials crashed alike")


def test_with_two_at_a_time_no_more_than_one_further_trial_ran(run_study, program, tmp_path):
    failed(run_study, program("sys.exit('no')"), jobs=2)
    assert len(stored(tmp_path)) == 4
    states = [trial.state.name for trial in optuna_trials(tmp_path, "cmd.compare")]
    assert states.count("FAIL") == 4 and "COMPLETE" not in states


def test_the_same_command_goes_on_once_the_program_is_mended(run_study, program, tmp_path):
    failed(run_study, program("sys.exit('no')"), "plan.compare.seeds=4", jobs=2)
    path = program("")
    _, store, _ = run_study(path, "plan.compare.seeds=4", jobs=2)
    trials = store.trials("cmd")
    assert set(trials.verdict) == {"STABLE"} and sorted(trials.key) == sorted(
        f"{arm}/seed-{k}" for arm in ("one", "two") for k in range(4)
    )
    _, _, again = run_study(path, "plan.compare.seeds=4", jobs=2)
    assert again.rows == []


def test_a_mended_study_file_goes_on_too(run_study, program, tmp_path):
    path = program("", ("--seed,", "--sed, '1', --nope,"))
    failed(run_study, path, "plan.compare.seeds=2", jobs=1)
    _, store, _ = run_study(program(""), "plan.compare.seeds=2", jobs=1)
    assert list(store.trials("cmd").verdict) == ["STABLE"] * 4


def test_a_command_that_is_not_mended_stops_again(run_study, program, tmp_path):
    path = program("sys.exit('no')")
    failed(run_study, path, jobs=1)
    failed(run_study, path, jobs=1)
    assert len(stored(tmp_path)) == 4


def test_a_study_with_evidence_is_not_mixed_with_another_program(run_study, program):
    run_study(program(""), "plan.compare.seeds=1", jobs=1)
    with pytest.raises(UserError, match="ran with another version of the trainer's file"):
        run_study(program("print('changed')"), "plan.compare.seeds=2", jobs=1)


def test_numbers_that_cannot_be_read_say_how_they_are_read(run_study, program):
    path = program("", ("square=(?P<square>", "loss=(?P<square>"))
    lines = failed(run_study, path, jobs=1)
    assert "0 of 9 lines matched parse.stdout" in lines[0]
    [how] = [line for line in lines if line.startswith("numbers are read by trainer.parse: ")]
    assert "loss=(?P<square>" in how and "docs/command.md says how" in how
    assert "    step 7: square=" in "\n".join(lines)


def test_a_program_that_records_no_step_is_told_where_to_write(run_study, program):
    parse = "  parse: {stdout: ['step (?P<step>\\d+): square=(?P<square>\\S+)']}\n"
    lines = failed(run_study, program("", (parse, "")), jobs=1)
    assert any("JSON lines that the program appends to $STABILITY_TRIAL_DIR/steps.jsonl" in line for line in lines)


def test_a_function_that_fails_is_shown_with_the_end_of_its_traceback(run_study, study_file):
    lines = failed(run_study, study_file(function="fails_always"), jobs=1)
    assert lines[0] == "stopped: 4 of 4 trials crashed alike: FileNotFoundError: [Errno 2] No such file or directory: 'corpus'"
    assert "    FileNotFoundError: [Errno 2] No such file or directory: 'corpus'" in lines
    assert not [line for line in lines if line.startswith("its command")]


def test_it_can_be_switched_off_and_set(run_study, study_file, tmp_path):
    path = study_file(function="fails_always")
    failed(run_study, path, "limits.max_alike_failures=6", jobs=1)
    assert len(stored(tmp_path, "toy")) == 6
    run_study(path, "limits.max_alike_failures=null", jobs=2)
    assert len(stored(tmp_path, "toy")) == 10


def test_one_setting_alone_does_not_end_a_study_that_has_others(run_study, study_file, tmp_path):
    arms = ("  gentle: {lr: 0.1}\n  rough: {lr: 2.0}\n", "  gentle: {lr: 0.1}\n")
    compare = ("compare: {baseline: gentle, treatment: rough}\n", "")
    seeds = ("compare: {seeds: 3}", "compare: {seeds: 9}")
    path = study_file(arms, compare, seeds, function="fails_below_a_fifth")
    _, store, watcher = run_study(path, jobs=1)
    trials = store.trials("toy")
    assert len(trials[trials.stage == "compare"]) == 4
    assert (trials[trials.stage == "search"].verdict != "INCONCLUSIVE").any()
    assert watcher.notes == ["stage compare ends: 4 of 4 trials crashed alike: ValueError: too small"]


def test_a_later_stage_that_fails_ends_alone(run_study, study_file, tmp_path):
    path = study_file(("sampler: random, trials: 4", "sampler: random, trials: 30"), function="knows_its_arms")
    _, store, watcher = run_study(path, jobs=2)
    trials = store.trials("toy")
    assert len(trials[trials.stage == "compare"]) == 6
    assert 4 <= len(trials[trials.stage == "search"]) <= 5
    assert watcher.notes[0].startswith("stage search ends: 4 of 4 trials crashed alike: KeyError")
    _, store, again = run_study(path, jobs=2)
    assert len(again.rows) <= 5 and {row["stage"] for row in again.rows} == {"search"}


def test_a_few_that_crash_do_not_end_a_study_that_gives_evidence(run_study, study_file):
    path = study_file(("sampler: random, trials: 4", "sampler: random, trials: 12"), function="fails_below_a_fifth")
    _, store, watcher = run_study(path, jobs=1)
    assert len(store.trials("toy")) == 18 and watcher.notes == []


def test_a_trial_under_way_that_came_further_is_waited_for(run_study, study_file):
    """Crashes are quick: with several at a time they end before the trials that train."""
    arms = "".join(f"\n  rough{k}: {{lr: 0.1{k}}}" for k in range(6))
    swaps = ("  gentle: {lr: 0.1}\n  rough: {lr: 2.0}", "  gentle: {lr: 0.3}" + arms)
    path = study_file(swaps, ("treatment: rough", "treatment: rough0"), ("seeds: 3", "seeds: 1"), function="waits_or_fails")
    _, store, _ = run_study(path, "plan.search.trials=1", jobs=2)
    trials = store.trials("toy")
    assert (trials[trials.arm == "gentle"].verdict != "INCONCLUSIVE").all() and len(trials) == 8


def rows(*evidence: str, outcome="CRASHED", params=None):
    return [
        {"outcome": outcome, "evidence": text, "directory": f"/t/s.trials/x/{i:05d}", "key": f"a/seed-{i}",
         "params": {"lr": 0.1 * i, **(params or {})}}
        for i, text in enumerate(evidence)
    ]  # fmt: skip


def test_reasons_without_what_is_a_trials_own():
    same = rows("no file /t/s.trials/x/00000/a.pt at 0x7f01", "no file /t/s.trials/x/00001/a.pt at 0x7e02")
    assert len({reason(row) for row in same}) == 1
    assert alike(same).count == 2 and alike(same).verb == "crashed"
    status = rows("exit status 1", "exit status 2", "exit status 139")
    assert len({reason(row) for row in status}) == 3
    named = [*rows("unknown optimizer 'adam'", params={"o": "adam"}), *rows("unknown optimizer 'sgd'", params={"o": "sgd"})]
    assert len({reason(row) for row in named}) == 1


def test_lost_machines_say_nothing_of_a_program():
    assert alike(rows("killed", "killed", outcome="LOST")) is None
    assert alike([]) is None


def optuna_trials(tmp_path, name):
    return optuna.load_study(study_name=name, storage=Store(str(tmp_path / "s.db")).optuna_storage()).trials


def test_two_drivers_stop_with_status_1_and_no_report(program, tmp_path):
    path = program("sys.exit('no corpus here')")
    run = "import sys; from stability.cli import main; sys.argv[0] = 'stability'; main()"
    command = [sys.executable, "-c", run, "run", str(path), "--storage", str(tmp_path / "s.db"), "--jobs", "2"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": tmp_path}
    drivers = [subprocess.Popen(command, **pipes) for _ in range(2)]
    for driver in drivers:
        _, errors = driver.communicate()
        assert driver.returncode == 1
        lines = errors.splitlines()
        assert lines[0].startswith("stopped: ") and "trials crashed alike: CommandFailed: exit status 1: no corpus here" in lines[0]
        assert lines[-1] == "to go on whatever fails, add limits.max_alike_failures=null to the command"
    assert 4 <= len(stored(tmp_path)) <= 8
    assert not list(tmp_path.rglob("report.md"))


def test_status_says_how_many_failed_alike_and_why(run_study, study_file, capsys):
    path = study_file(("gentle: {lr: 0.1}", "gentle: {lr: 0.5}"), function="fails_below_a_fifth")
    _, store, _ = run_study(path, "arms.rough.lr=0.1", jobs=1)
    terminal.print_status(store, "toy", "table", "")
    failures = len(store.failures("toy"))
    line = f"{failures} of 10 trials crashed alike: ValueError: too small"
    assert failures > 1 and line in capsys.readouterr().out.splitlines()
    report = write(*stored_study(store, "toy"), format="md", lang="en", out=Path(store.folder).parent).read_text()
    assert f"{failures} of 10 trials failed alike (`CRASHED`): `ValueError: too small`" in report
