"""Programs as trainers: how each of their ends becomes an outcome and a verdict."""

import contextlib
from pathlib import Path

import pytest
from watching import Watcher

from stability import trialdir
from stability.logs import events, wandb_files
from stability.records import UserError

PROGRAM = Path(__file__).parent / "programs.py"
TEXT = r"loss=(?P<total>\S+), mel=(?P<mel>[\d.]+), stop=(?P<stop>\S+)"
STUDY = """\
name: cmd
trainer:
  command: ["{{python}}", {program}, --lr, "{{lr}}", --seed, "{{seed}}", --form, {form}, --out, "{{directory}}"]
  parse: {parse}
budget: {{epochs: 3, batch_size: 1, timeout_s: {timeout_s}}}
params: {{lr: {{min: 1.0e-3, max: 10.0, log: true}}}}
arms: {{only: {{lr: {lr}}}}}
plan: [{{compare: {{seeds: {seeds}}}}}]
yardstick: {{mel: 1.0, stop: 1.0}}
"""
FORMS = {
    "stdout": r"{stdout: ['step (?P<step>\d+): " + TEXT + "']}",
    "bar": "{stderr: ['" + TEXT + "']}",
    "csv": "{csv: {path: '{directory}/metrics.csv', train: {mel: train_mel, stop: train_stop}}}",
    "jsonl": "{jsonl: '{directory}/log.jsonl'}",
    "protocol": "null",
}


@pytest.fixture
def trial(tmp_path, run_study):
    """Runs one trial; returns its row."""

    def run(lr: float, form: str = "stdout", timeout_s: float = 60, seeds: int = 1, **replaced: str):
        parse = replaced.pop("parse", None) or FORMS[form]
        text = STUDY.format(program=PROGRAM, form=form, parse=parse, lr=lr, timeout_s=timeout_s, seeds=seeds)
        for old, new in replaced.items():
            text = text.replace(old, new)
        path = tmp_path / "study.yaml"
        path.write_text(text)
        spec, store, watcher = run_study(path)
        assert isinstance(watcher, Watcher)
        return store.trials(spec.name).iloc[0], watcher

    return run


@pytest.mark.parametrize("form", FORMS)
def test_a_training_that_goes_well_is_stable_in_every_form(trial, form):
    row, _ = trial(0.1, form)
    assert (row["outcome"], row["verdict"]) == ("FINISHED", "STABLE"), row["error"]
    assert row["steps"] == 30
    assert row["yardstick_final"] < 0.2 < row["yardstick_initial"]


@pytest.mark.parametrize("form", FORMS)
def test_a_nan_is_divergence_though_the_exit_status_is_0(trial, form):
    row, _ = trial(1.5, form)
    assert row["verdict"] == "DIVERGED", row["error"]


def test_a_nan_in_a_log_that_knows_only_digits_names_its_step_and_component(trial):
    row, _ = trial(2.0)
    assert (row["outcome"], row["verdict"]) == ("FINISHED", "DIVERGED")
    assert "mel" in row["evidence"] or "blow" in row["event_kind"]


def test_a_loss_that_becomes_null_diverged(trial):
    row, _ = trial(0.1, "nulls", parse=FORMS["jsonl"])
    assert row["verdict"] == "DIVERGED"
    assert row["steps"] == 18


def test_a_loss_whose_cells_become_empty_is_no_stable_training(trial):
    row, _ = trial(0.1, "gaps", parse=FORMS["csv"])
    assert (row["outcome"], row["verdict"]) == ("CRASHED", "INCONCLUSIVE")
    sentence = "parse.csv: the last 15 rows had no number in `train_mel`, and those before had"
    assert sentence in row["error"]
    assert f"stability: {sentence}" in trialdir.captured(Path(row["directory"]))


def test_a_loss_that_cannot_be_read_any_more_is_no_stable_training(trial):
    row, _ = trial(0.1, "unread", parse=FORMS["stdout"])
    assert (row["outcome"], row["verdict"]) == ("CRASHED", "INCONCLUSIVE")
    assert "parse.stdout: the last 15 matched lines had no number in `stop` but '--'" in row["error"]
    output = trialdir.captured(Path(row["directory"]))
    assert "stability: parse.stdout: 15 of 30 matched lines had no number in `stop`: '--'" in output


def test_a_program_that_prints_nan_from_its_first_line_on_diverged(trial):
    row, _ = trial(0.1, "broken", parse="auto")
    assert (row["verdict"], row["event_step"], row["event_kind"]) == ("DIVERGED", 0, "nan_loss"), row["error"]
    assert "loss nan at step 0" in row["evidence"]
    assert "step 0: loss=nan, mel=nan, stop=nan" in trialdir.captured(Path(row["directory"]))


def test_a_program_that_only_says_that_it_skips_each_batch_diverged(trial):
    row, _ = trial(0.1, "skipping", parse="auto")
    assert row["verdict"] == "DIVERGED", row["error"]
    assert "'batch 29: loss is nan, skipping it'" in row["evidence"]


def test_an_exception_after_nan_is_divergence_and_the_exception_is_kept(trial):
    row, _ = trial(3.5)
    assert row["verdict"] == "DIVERGED"
    assert "RuntimeError: [!] NaN loss" in trialdir.captured(Path(row["directory"]))


def test_a_hang_times_out_and_keeps_what_it_printed(trial):
    row, _ = trial(5.5, timeout_s=2)
    assert (row["outcome"], row["verdict"]) == ("TIMED_OUT", "INCONCLUSIVE")
    assert "step 1" in trialdir.captured(Path(row["directory"]))


def test_a_crash_without_nan_is_no_verdict(trial):
    row, _ = trial(6.5)
    assert (row["outcome"], row["verdict"]) == ("CRASHED", "INCONCLUSIVE")
    assert "exit status 1" in row["error"]
    assert "ValueError: out of luck" in row["error"]


def test_lack_of_memory_is_told_apart(trial):
    row, _ = trial(7.5)
    assert row["outcome"] == "OUT_OF_MEMORY"


def test_a_program_killed_from_outside_is_lost(trial):
    row, _ = trial(9.0)
    assert row["outcome"] == "LOST"


def test_output_that_matches_nothing_is_reported(trial):
    row, _ = trial(0.1, "silent", parse=r"{stdout: ['loss=(?P<mel>\S+) (?P<stop>\S+)']}")
    assert row["outcome"] == "CRASHED"
    assert (
        "0 of 31 lines matched parse.stdout; first lines: loading data | iteration 0 went well"
        in row["error"]
    )


def test_a_program_without_parse_that_records_nothing_is_told_what_to_do(trial):
    row, _ = trial(0.1, "silent", parse="null")
    assert "wrote no step to $STABILITY_TRIAL_DIR/steps.jsonl" in row["error"]


def test_time_and_memory_of_the_program_count(trial):
    row, _ = trial(0.1)
    assert row["cpu_s"] > 0.01
    assert row["max_rss_bytes"] > 5e6


@pytest.mark.parametrize(("lr", "timeout_s"), [(1.5, 60), (5.5, 1)])
def test_a_program_does_not_outlive_its_trial(trial, lr, timeout_s):
    row, _ = trial(lr, timeout_s=timeout_s)
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it may end while it is looked at
            lines.append(file.read_text())
    assert not [line for line in lines if row["directory"] in line]


def test_a_switch_is_passed_only_when_it_is_on(tmp_path, run_study):
    text = STUDY.format(program=PROGRAM, form="stdout", parse=FORMS["stdout"], lr=0.1, timeout_s=60, seeds=1)
    text = text.replace('"{directory}"]', '"{directory}", {when: adaptive, then: [--adaptive]}]')
    text = text.replace("params: {", "params: {adaptive: {values: [false, true]}, ")
    text = text.replace("{lr: 0.1}", "{lr: 0.1, adaptive: true}")
    (tmp_path / "study.yaml").write_text(text)
    spec, store, _ = run_study(tmp_path / "study.yaml")
    assert list(store.trials(spec.name)["verdict"]) == ["STABLE"]


CHECKS = [
    ('"{lr}"', '"{learning_rate}"', r"study.yaml:3:\d+: error: unknown placeholder \{learning_rate\}"),
    ('"{lr}"', '"{lr"', "has a single brace; write"),
    ("loss=(?P<total>", "loss=(?P<to tal>", "is no regular expression"),
    (r"mel=(?P<mel>[\d.]+)", r"mel=([\d.]+)", "the yardstick weighs mel, and parse has only stop"),
    ("stdout: [", "stdouts: [", "unknown key 'stdouts' in parse; did you mean 'stdout'"),
    ("{python}", "no-such-program", "no program 'no-such-program' on the PATH"),
    ("  parse:", "  cwd: nowhere\n  parse:", "no folder .*nowhere"),
    (
        "{stdout: [",
        "{csv: metrics.csv, stdout: [",
        "trials at the same time would share 'metrics.csv'; write ",
    ),
    ("--lr,", "{when: lr, then: [--lr]},", "lr is never false or null"),
    (
        str(PROGRAM),
        "nosuch.py",
        r"study.yaml:3:\d+: error: no file .*nosuch.py; a script starts at cwd, which is",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), CHECKS)
def test_mistakes_are_named_with_their_place_before_anything_runs(tmp_path, run_study, old, new, message):
    text = STUDY.format(program=PROGRAM, form="stdout", parse=FORMS["stdout"], lr=0.1, timeout_s=60, seeds=1)
    assert old in text
    (tmp_path / "study.yaml").write_text(text.replace(old, new))
    with pytest.raises(UserError, match=message):
        run_study(tmp_path / "study.yaml")


@pytest.mark.parametrize(("source", "module"), [("wandb", wandb_files), ("tensorboard", events)])
def test_a_source_without_its_package_is_refused(tmp_path, run_study, monkeypatch, source, module):
    monkeypatch.setattr(module, "is_installed", lambda: False)
    parse = f"{{{source}: '{{directory}}/x'}}"
    text = STUDY.format(program=PROGRAM, form="stdout", parse=parse, lr=0.1, timeout_s=60, seeds=1)
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(UserError, match=rf"parse.{source} needs the package {source}: pip install"):
        run_study(tmp_path / "study.yaml")


def test_what_is_empty_is_told_in_the_terms_of_a_study(tmp_path, run_study):
    text = STUDY.format(program=PROGRAM, form="stdout", parse="{}", lr=0.1, timeout_s=60, seeds=1)
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(
        UserError, match="no source is named; name one of stdout, stderr, log, .* such as stdout: "
    ):
        run_study(tmp_path / "study.yaml")
    start, end = text.index("["), text.index("\n  parse")
    (tmp_path / "study.yaml").write_text(text[:start] + "[]" + text[end:])
    with pytest.raises(
        UserError, match=r"the command is empty; the program comes first: \[python3, train.py"
    ):
        run_study(tmp_path / "study.yaml")


def test_what_a_placeholder_may_name_comes_in_one_order(tmp_path, run_study):
    text = STUDY.format(program=PROGRAM, form="stdout", parse=FORMS["stdout"], lr=0.1, timeout_s=60, seeds=1)
    (tmp_path / "study.yaml").write_text(text.replace('"{lr}"', '"{rate}"'))
    names = "lr, .*seed, epochs, batch_size, max_steps, device, directory, key, folder, python"
    with pytest.raises(UserError, match=rf"unknown placeholder \{{rate\}}.*\({names}\)"):
        run_study(tmp_path / "study.yaml")


def test_a_command_in_one_text_is_refused(tmp_path, run_study):
    text = STUDY.format(program=PROGRAM, form="stdout", parse="null", lr=0.1, timeout_s=60, seeds=1)
    start, end = text.index("["), text.index("\n  parse")
    (tmp_path / "study.yaml").write_text(text[:start] + "python3 train.py" + text[end:])
    with pytest.raises(UserError, match="no shell takes it apart"):
        run_study(tmp_path / "study.yaml")


def test_a_report_says_that_nothing_was_evaluated(tmp_path, reported):
    text = STUDY.format(program=PROGRAM, form="stdout", parse=FORMS["stdout"], lr=0.1, timeout_s=60, seeds=2)
    _, twin, markdown = reported("", text)
    assert twin["limits"]["yardstick_not_evaluated"] is True
    assert "The trainer made no evaluations: the yardstick is of its training losses" in markdown
    assert "--lr {lr}" in markdown
