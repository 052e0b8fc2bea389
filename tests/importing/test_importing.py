"""Logs of finished runs become a study with verdicts and a report."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stability.importing import explain_parse, import_runs, options
from stability.importing.options import scalar
from stability.records import UserError
from stability.store import Store

PROGRAM = Path(__file__).parents[1] / "trainers" / "programs.py"


@pytest.fixture
def logs(tmp_path):
    """A folder with six logs of real runs, three of which diverge."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for lr in (0.1, 1.5):
        for seed in range(3):
            command = [sys.executable, str(PROGRAM), "--lr", str(lr), "--seed", str(seed)]
            done = subprocess.run(command, capture_output=True, check=False)
            (folder / f"run_lr{lr}_seed{seed}.log").write_bytes(done.stdout + done.stderr)
    return folder


@pytest.fixture
def left_out():
    """What was said of files that were left out."""
    return []


@pytest.fixture
def imported(tmp_path, left_out):
    """Imports and returns the study and its trials."""

    def run(*logs, name="old", params=None, table=None, parse=None, yardstick=()):
        store = Store(str(tmp_path / "s.db"))
        chosen = options(name, params, table, parse, yardstick)
        spec = import_runs([str(log) for log in logs], chosen, store, left_out.append)
        return spec, store.trials(name)

    return run


def test_text_logs_with_parameters_in_their_names(logs, imported):
    spec, trials = imported(logs, params="run_lr{lr}_seed{seed}.log")
    assert list(spec.arms) == ["lr-0.1", "lr-1.5"]
    assert dict(trials.groupby("arm")["verdict"].agg(set)) == {"lr-0.1": {"STABLE"}, "lr-1.5": {"DIVERGED"}}
    assert sorted(trials["seed"]) == [0, 0, 1, 1, 2, 2]
    assert spec.params["lr"].low == 0.1 and spec.params["lr"].log
    stable = trials[trials["verdict"] == "STABLE"].iloc[0]
    assert stable["steps"] == 30
    assert "step 29" in (Path(stable["directory"]) / "stdout.log").read_text()


def test_the_report_says_where_the_trials_come_from(logs, stability, tmp_path):
    done = stability("import", str(logs), "--params", "run_lr{lr}_seed{seed}.log", "--name", "old")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "report: reports/old/report.md"
    report = (tmp_path / "reports/old/report.md").read_text()
    assert "These runs were finished before and read from their logs" in report
    assert "3 of 3 trials against 0 of 3" in report


def test_parameters_beside_each_log_and_in_a_table(tmp_path, imported):
    for i, lr in enumerate((0.1, 0.2)):
        folder = tmp_path / f"version_{i}"
        folder.mkdir()
        rows = "".join(f"{step},{1 / (step + 1)},{0.5}\n" for step in range(12))
        (folder / "metrics.csv").write_text("step,train_mel,lr-Adam\n" + rows)
        (folder / "hparams.yaml").write_text(f"lr: {lr}\nseed: {i}\nmodel: {{size: tiny}}\n")
    spec, trials = imported(tmp_path / "version_0", tmp_path / "version_1", name="beside")
    assert list(spec.params) == ["lr"]
    assert sorted(trials["seed"]) == [0, 1]
    (tmp_path / "runs.csv").write_text("run,clip\nversion_0,0.5\nversion_1,5\n")
    spec, _ = imported(
        tmp_path / "version_0", tmp_path / "version_1", name="table", table=tmp_path / "runs.csv"
    )
    assert list(spec.params) == ["lr", "clip"]


def test_json_lines_with_nan_and_evaluations(tmp_path, imported):
    for lr in (0.1, 1.0):
        rows = [{"step": i, "train/mel": 1.0 if i < 9 or lr < 1 else float("nan")} for i in range(12)]
        rows.insert(6, {"eval/mel": 0.9, "epoch": 0})
        (tmp_path / f"lr={lr}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    _, trials = imported(tmp_path / "lr=0.1.jsonl", tmp_path / "lr=1.0.jsonl", params="lr={lr}.jsonl")
    lost = trials[trials["verdict"] == "DIVERGED"].iloc[0]
    assert (lost["event_kind"], lost["event_step"]) == ("nan_loss", 9)
    assert (trials["verdict"] == "DIVERGED").sum() == 1


def test_an_exception_at_the_end_of_a_log_is_a_crash(tmp_path, imported):
    lines = [f"step {i} mel=0.{9 - i}1234567" for i in range(5)]
    (tmp_path / "a.log").write_text("\n".join([*lines, "Traceback ...", "ValueError: out of luck", ""]))
    _, trials = imported(tmp_path / "a.log")
    assert (trials["outcome"][0], trials["verdict"][0]) == ("CRASHED", "INCONCLUSIVE")
    assert trials["error"][0] == "ValueError: out of luck"


TRACEBACK = 'Traceback (most recent call last):\n  File "t.py", line 3, in {}\n    f()\n{}\n'
STEP = "step 9 mel=0.11234567"


@pytest.mark.parametrize(
    ("said", "outcome", "error"),
    [
        ("Segmentation fault (core dumped)", "CRASHED", "Segmentation fault (core dumped)"),
        ("Killed", "CRASHED", "Killed"),
        ("run.sh: line 3: 4711 Killed        python3 t.py", "CRASHED", "run.sh: line 3: 4711 Killed"),
        ("slurmstepd: error: *** JOB 7 CANCELLED AT 2026-01-01 ***", "CRASHED", "slurmstepd: error: *** JOB 7"),
        ("*** JOB 7 CANCELLED AT 2026-01-01 DUE TO TIME LIMIT ***", "TIMED_OUT", "*** JOB 7 CANCELLED"),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=7", "OUT_OF_MEMORY", "slurmstepd: error"),
        (TRACEBACK.format("<module>", "RuntimeError: bad") + "wandb: Synced", "CRASHED", "RuntimeError: bad"),
        (TRACEBACK.format("<module>", "RuntimeError: bad") + STEP, "CRASHED", "RuntimeError: bad"),
        (TRACEBACK.format("load", "OSError: try again") + STEP, "FINISHED", None),
        ("Killed\n" + STEP, "FINISHED", None),
        ("Killed 3 idle workers", "FINISHED", None),
        ("Exception ignored in: <function f>\n" + TRACEBACK.format("f", "OSError: x") + "bye", "FINISHED", None),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried", "OUT_OF_MEMORY", "torch.OutOfMemoryError"),
        (
            "[rank0]: Traceback (most recent call last):\n[rank0]:   File \"t.py\", line 3, in <module>\n"
            "[rank0]: ValueError: bad\n" + TRACEBACK.format("<module>", "a.b.ChildFailedError: "),
            "CRASHED", "ValueError: bad",
        ),
    ],
)  # fmt: skip
def test_how_a_run_ended_is_found_in_the_end_of_its_log(tmp_path, imported, said, outcome, error):
    lines = [f"step {i} mel=0.{9 - i}1234567" for i in range(9)]
    (tmp_path / "a.log").write_text("\n".join([*lines, said, ""]))
    _, trials = imported(tmp_path / "a.log")
    assert trials["outcome"][0] == outcome
    assert (trials["error"][0] or "").startswith(error or "")
    assert trials["verdict"][0] == ("INCONCLUSIVE" if error else "STABLE")


def test_a_run_that_is_imported_is_not_to_be_run_again(stability, tmp_path):
    (tmp_path / "a.log").write_text(f"step 1 mel=0.1234567\n{STEP}\nKilled\n")
    done = stability("import", "a.log")
    assert done.returncode == 1
    assert "with `stability show`; they count in no rate" in done.stdout
    assert "--retry-failed" not in done.stdout


def test_runs_that_crashed_before_their_first_step_are_trials_too(logs, imported, left_out):
    """Dropped, they made the rates those of the runs that survived."""
    for seed in (3, 4):
        (logs / f"run_lr1.5_seed{seed}.log").write_text("start\nTraceback ...\nValueError: out of luck\n")
    (logs / "notes.txt").write_text("hello\n")
    (logs / "run_lr1.5_seed9.log").write_text("hello\n")
    _, trials = imported(logs, params="run_lr{lr}_seed{seed}.log")
    assert (trials["arm"] == "lr-1.5").sum() == 5
    crashed = trials[trials["outcome"] == "CRASHED"]
    assert sorted(crashed["seed"]) == [3, 4]
    assert set(crashed["verdict"]) == {"INCONCLUSIVE"}
    assert [sentence.partition("/notes")[0].partition("/run")[0] for sentence in left_out] == [
        f"left out: --params does not fit '{logs}", f"left out: {logs}"
    ]  # fmt: skip
    assert "run_lr1.5_seed9.log: nothing in 1 lines of log looks like a training loss" in left_out[1]


def test_a_run_that_printed_nothing_but_skipped_batches_is_a_lost_trial(tmp_path, imported, left_out):
    (tmp_path / "lr0.1.log").write_text("".join(f"step {i} loss {3 - i / 10:.3f}\n" for i in range(20)))
    (tmp_path / "lr9.0.log").write_text("loss is nan, skipping batch\n" * 20)
    (tmp_path / "lr5.0.log").write_text("nan\n" * 20)
    _, trials = imported(tmp_path, params="lr{lr}.log")
    assert list(trials["verdict"]) == ["STABLE", "DIVERGED", "DIVERGED"]
    assert not left_out


def test_a_run_that_diverges_before_its_first_evaluation_is_kept(tmp_path, imported, left_out):
    for lr, losses in ((0.1, [1.0 - i / 10 for i in range(9)]), (1.0, [1.0, float("nan")])):
        steps = "".join(f"step {i} mel={loss:.7f}\n" for i, loss in enumerate(losses))
        (tmp_path / f"lr{lr}.log").write_text(steps + ("val mel=0.5\n" if lr < 1 else ""))
    (tmp_path / "lr0.2.log").write_text("step 0 mel=0.1234567\nstep 1 mel=0.1234567\n")
    (tmp_path / "parse.yaml").write_text(
        r"stdout: {train: ['step (?P<step>\d+) mel=(?P<mel>\S+)'], evaluate: ['val mel=(?P<mel>\S+)']}"
    )
    _, trials = imported(tmp_path, params="lr{lr}.log", parse=tmp_path / "parse.yaml")
    assert list(trials["verdict"]) == ["STABLE", "INCONCLUSIVE", "DIVERGED"]
    assert "steps were read, but no evaluation" in trials["evidence"][1]
    assert not left_out


def test_event_files_and_runs_of_wandb(tmp_path, imported):
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    for lr in (0.1, 1.0):
        with SummaryWriter(tmp_path / "tb" / f"lr{lr}") as writer:
            for step in range(12):
                writer.add_scalar("train/mel", float("nan") if lr == 1 and step > 5 else 1 / (step + 1), step)
    _, trials = imported(tmp_path / "tb", params="tb/lr{lr}")
    assert sorted(trials["verdict"]) == ["DIVERGED", "STABLE"]


def test_an_offline_run_of_wandb(tmp_path, imported):
    wandb = pytest.importorskip("wandb")
    run = wandb.init(mode="offline", project="p", config={"lr": 0.5, "seed": 3}, dir=tmp_path)
    for step in range(300):
        run.log({"train/mel": float("nan") if step == 290 else 1 / (step + 1), "note": "x" * 200})
    run.finish()
    _, trials = imported(tmp_path / "wandb")
    assert len(trials) == 1  # latest-run is a link to it
    assert (trials["verdict"][0], trials["event_step"][0], trials["seed"][0]) == ("DIVERGED", 290, 3)


def test_a_file_that_only_has_the_name_of_a_run_of_wandb(tmp_path, imported):
    pytest.importorskip("wandb")
    (tmp_path / "run-1.wandb").write_bytes(b"nothing of the kind")
    with pytest.raises(UserError, match="run-1.wandb: it is no run of W&B"):
        imported(tmp_path / "run-1.wandb")


def test_a_table_that_the_pages_of_wandb_export_has_several_runs(tmp_path, imported):
    names = ["lr0.1-seed0", "lr1.0-seed0"]
    heads = ["Step", *(f"{name} - train/mel{end}" for name in names for end in ("", "__MIN", "__MAX"))]
    rows = [[step, *[1 / (step + 1)] * 3, *["NaN" if step > 6 else 0.5] * 3] for step in range(12)]
    text = "\n".join(",".join(f'"{cell}"' for cell in row) for row in [heads, *rows])
    (tmp_path / "wandb_export.csv").write_text(text)
    spec, trials = imported(tmp_path / "wandb_export.csv", params="lr{lr}-seed{seed}")
    assert list(spec.params) == ["lr"]
    assert list(trials["verdict"]) == ["STABLE", "DIVERGED"]
    assert trials["event_step"][1] == 7


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"params": "run_{seed}_{seed}.log"}, "names seed twice"),
        ({"params": "run.log"}, "names no parameter"),
        ({"params": "other_{lr}.log"}, "--params does not fit"),
        ({"params": "run_{1lr}_{seed}.log"}, "names '1lr'; a name has letters, digits and '_' only"),
        ({"params": "run_{lr-a}.log"}, "names 'lr-a'"),
        ({"params": "run_{}.log"}, "names ''"),
        ({"params": "run_{lr"}, "has a single brace"),
        ({"params": "run_{lr}.log}"}, "has a single brace"),
        ({"params": "run_{lr}{seed}.log"}, "has nothing between {lr} and {seed}"),
        ({"params": "run_{lr}*.log"}, r"has nothing between {lr} and \*"),
        ({"yardstick": ["mel"]}, "no COMPONENT=WEIGHT"),
        ({"yardstick": ["kl=1"]}, "--yardstick weighs kl; the runs have mel, stop"),
    ],
)
def test_mistakes_are_told_in_a_line(logs, imported, given, message):
    with pytest.raises(UserError, match=message):
        imported(logs, **given)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "stdout: ['loss=(?P<loss>[0-9.]+']",
            r":1:\d+: error: 'loss=.*' is no regular expression: missing \)",
        ),
        ("stdout: [loss]", "'loss' names no group, so no number is read"),
        ("parse: {stdout: {train: []}}", "parse.stdout has no regular expression"),
        ("stdot: [a]", "yaml:1:1: error: unknown key 'stdot' in parse; did you mean 'stdout'"),
        ("log: {tran: [a]}", "unknown key 'tran' in log; did you mean 'train'"),
        ("[a, b]", r"parse: a mapping of keys to values belongs here, got \['a', 'b'\]"),
        ("{}", "no source is named; name stdout, stderr"),
        ("csv: {train: {mel: m}}", "--parse names csv, and the files here are log"),
        ("a: [", "yaml:1"),
    ],
)
def test_mistakes_in_a_parse_file_are_told_in_a_line(logs, imported, tmp_path, text, message):
    (tmp_path / "parse.yaml").write_text(text)
    with pytest.raises(UserError, match=message) as raised:
        imported(logs, parse=tmp_path / "parse.yaml")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "form", ["log: {train: [PATTERN]}", "stderr: [PATTERN]", "stdout: &p [PATTERN]\nstderr: *p"]
)
def test_a_log_is_read_by_what_is_said_of_any_text(tmp_path, imported, form):
    (tmp_path / "a.log").write_text("".join(f"it {i} err {1 / (i + 1):.8f}\n" for i in range(12)))
    (tmp_path / "parse.yaml").write_text(form.replace("PATTERN", r"'it (?P<step>\d+) err (?P<mel>\S+)'"))
    _, trials = imported(tmp_path / "a.log", parse=tmp_path / "parse.yaml")
    assert trials["steps"][0] == 12


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4), ("007", 7), (".5", 0.5), ("-3", -3), ("True", True), ("null", None), ("None", None),
        ("1_000", "1_000"), ("nan", "nan"), ("inf", "inf"), ("1e999", "1e999"), ("٣", "٣"), ("adam", "adam"),
        (3.5, 3.5),
    ],
)  # fmt: skip
def test_what_a_text_stands_for(text, value):
    assert (scalar(text), type(scalar(text))) == (value, type(value))


def test_names_of_runs(tmp_path, imported, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.log", "folder/b.log"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(f"step 1 mel=0.1234567\n{STEP}\n")
    spec, _ = imported("a.log", "folder/b.log")
    assert list(spec.params["run"].choices) == ["a.log", "folder/b.log"]


def test_folders_of_epochs_and_parts_are_one_run_in_their_order(tmp_path, imported, left_out):
    for lr in (0.5, 0.25):
        for epoch in range(1, 12):
            for part, losses in (("train", range(5)), ("valid", range(1))):
                folder = tmp_path / f"run_lr{lr}" / part / f"epoch-{epoch}"
                folder.mkdir(parents=True)
                lines = [f"{9 / (epoch + i / 5):.8f},64" for i in losses]
                (folder / "Loss.log").write_text("\n".join(lines))  # and no end of the last line
                (folder / "LearningRate.log").write_text(f"{lr}\n" * len(lines))
    spec, trials = imported(tmp_path, params="run_lr{lr}")
    assert (list(spec.params), list(trials["steps"])) == (["lr"], [55, 55])
    assert [trial["params"] for trial in trials.to_dict("records")] == [{"lr": 0.25}, {"lr": 0.5}]
    assert [text for text in left_out if "Loss" in text] == []


def test_exported_tables_are_one_run_where_the_same_stands_before_their_tag(tmp_path, imported):
    for run in ("a", "b"):
        for tag in ("loss_train", "loss_val", "learning_rate"):
            rows = [f"{1.7e9 + i},{i},{9 / (i + 1):.8f}" for i in range(40)]
            (tmp_path / f"run-{run}-tag-{tag}.csv").write_text("\n".join(["Wall time,Step,Value", *rows]))
    spec, trials = imported(tmp_path)
    assert (dict(spec.yardstick), list(trials["steps"])) == ({"loss": 1.0}, [40, 40])


def test_a_time_before_a_number_is_no_step(tmp_path, imported):
    folder = tmp_path / "run" / "metrics"
    folder.mkdir(parents=True)
    (folder / "train_loss").write_text("".join(f"{1700000000000 + i} {9 / (i + 1)} {3 * i}\n" for i in range(40)))
    sentences = list(explain_parse([str(tmp_path)], options("a", None, None, None, ())))
    assert "no step was found, so steps are counted" not in sentences


def test_what_says_nothing_is_named(tmp_path, imported):
    (tmp_path / "a.log").write_text("hello\nworld\n")
    with pytest.raises(
        UserError, match="a.log: nothing in 2 lines of log looks like a training loss; first: hello"
    ):
        imported(tmp_path / "a.log")
    with pytest.raises(UserError, match="no file or folder"):
        imported(tmp_path / "nowhere")


def test_a_name_that_is_taken_is_refused(logs, imported):
    imported(logs, params="run_lr{lr}_seed{seed}.log")
    with pytest.raises(UserError, match="has a study 'old' already"):
        imported(logs, params="run_lr{lr}_seed{seed}.log")


def test_a_parse_section_says_what_cannot_be_guessed(tmp_path, imported):
    (tmp_path / "a.log").write_text(
        "\n".join(f"it {i}; reconstruction error {1 / (i + 1):.8f}" for i in range(12))
    )
    (tmp_path / "parse.yaml").write_text(
        r"parse: {stdout: ['it (?P<step>\d+); reconstruction error (?P<mel>\S+)']}"
    )
    spec, trials = imported(tmp_path / "a.log", parse=tmp_path / "parse.yaml")
    assert (dict(spec.yardstick), trials["steps"][0]) == ({"mel": 1.0}, 12)
