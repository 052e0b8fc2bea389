"""The command line as a user meets it: exit codes, one-line errors, every command's output."""

import csv
import functools
import io
import json
import math
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from commanding import COMMAND, in_process_of_its_own

DEFAULT = Path(__file__).parents[1] / "studies" / "basic_vs_enhanced.yaml"


@pytest.fixture
def process(tmp_path):
    """Runs the command in a process of its own; returns it when it has ended."""
    return functools.partial(in_process_of_its_own, tmp_path)


def one_line(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 2 and done.stdout == "", (done.stdout, done.stderr)
    [line] = done.stderr.splitlines()
    return line


def test_run_prints_a_line_a_trial_and_closes_with_the_report(finished, stability, tmp_path):
    lines = finished.stdout.splitlines()
    assert lines[0] == "stage compare: 6 trials"
    assert sum("DIVERGED" in line for line in lines[:14]) >= 3
    assert lines[-1] == "report: reports/toy/report.md"
    number = next(row for row in lines if "stability show" in row).split("toy ")[1].split()[0]
    assert "stability dashboard --storage s.db" in finished.stdout
    shown = stability("show", "toy", number, "--storage", "s.db")
    assert "DIVERGED" in shown.stdout
    text = (tmp_path / "reports/toy/report.md").read_text()
    assert "gentle" in text and "rough" in text


def test_bad_studies_are_refused_before_anything_runs(stability, process, tmp_path, study_file):
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "list.yaml").write_text("- 1\n")
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    assert (
        one_line(process("run", "none.yaml"))
        == "none.yaml: error: no such file; give the path of a study file"
    )
    assert one_line(stability("run", "empty.yaml")).startswith("empty.yaml: error: the file is empty")
    assert one_line(stability("run", "list.yaml")).startswith(
        "list.yaml:1:1: error: a study file is a mapping"
    )
    assert (
        one_line(stability("run", "binary.yaml"))
        == "binary.yaml: error: not a text file; a study file is UTF-8 YAML"
    )
    path = str(study_file())
    assert one_line(stability("run", path, "--jobs", "0")).startswith(
        "--jobs 0: error: at least 1 trial at a time"
    )
    assert "cannot be opened" in one_line(stability("run", path, "--storage", "/no/such/folder/x.db"))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "binary.yaml",
        "empty.yaml",
        "list.yaml",
        "study.yaml",
    ]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("params.lrr={value: 1}", "unknown hyperparameter 'lrr'; did you mean 'lr'?"),
        (
            "params.batch_size={value: 0}",
            "batch_size = 0 is not allowed; batch_size is an integer in [1, 1e+06], null",
        ),
        (
            "params.precision={value: fp8}",
            "precision = 'fp8' is not allowed; precision is fp32, bf16-mixed, 16-mixed",
        ),
        ("model.size=tinny", "unknown model size 'tinny'; did you mean 'tiny'?"),
        ("data.corpus=eng", "unknown corpus 'eng', there is no such folder; did you mean 'en'?"),
        ("data.corpus=3", "data.corpus is en, fa or the path of an LJSpeech folder"),
        ("data.utterance=3", "unknown key 'utterance' in data; did you mean 'utterances'?"),
        ("data.utterances=0", "utterances must be a positive integer, not 0; leave it out to take all"),
        ("yardstick={mal: 1.0}", "unknown component 'mal'; did you mean 'mel'? (mel, stop, kl)"),
        ("yardstick={mel: 0, kl: 0}", "every weight is 0, so nothing would be measured; weigh a component"),
        (
            "trainer=ttss",
            "unknown trainer 'ttss'; did you mean 'tts'? (tts), {call: ...} or {command: [...]}",
        ),
        ("trainer={call: nowhere.py:train}", "no file"),
        ("trainer={call: no_such_package.x:train}", "no module 'no_such_package.x' is installed"),
        ("trainer={call: train.py}", "names no function"),
        ("trainer={call: nope}", "names no function"),
        (
            "trainer=[1]",
            'a trainer is `tts`, {call: "train.py:train"} or {command: [python3, train.py, ...]}',
        ),
    ],
)
def test_what_the_trainer_would_not_accept_is_refused_with_its_place(stability, override, message):
    line = one_line(stability("run", str(DEFAULT), override))
    assert message in line
    assert line.startswith((str(DEFAULT), "argument "))


def test_integers_for_a_real_number_are_refused(stability, tmp_path):
    (tmp_path / "x.yaml").write_text("name: x\nparams:\n  mel_weight: {min: 1, max: 50}\nplan: [search]\n")
    assert one_line(stability("run", "x.yaml")) == (
        "x.yaml:3:15: error: mel_weight is a real number, but {min: 1, max: 50} draws integers only; write 1.0 and 50.0"
    )


def test_every_bad_line_of_a_corpus_is_listed_at_once(stability, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "metadata.csv").write_text(
        "a|one\nb\nc|\n" + "".join(f"d{i}|text\n" for i in range(8))
    )
    done = stability("run", str(DEFAULT), "data={corpus: mine}")
    assert done.returncode == 2
    assert "metadata.csv:1: wavs/a.wav does not exist" in done.stderr
    assert "metadata.csv:2: 1 field, expected 2 or 3" in done.stderr
    assert "metadata.csv:3: empty text" in done.stderr


def test_status_counts_in_every_format(stability, finished):
    table = stability("status", "--storage", "s.db").stdout
    assert re.search(r"toy\s+compare\s+rough\s+3\s+3\s+3\s+0", table)
    rows = json.loads(stability("status", "--storage", "s.db", "--format", "json").stdout)
    assert [(row["stage"], row["arm"], row["done"]) for row in rows] == [
        ("compare", "gentle", 3), ("compare", "rough", 3), ("search", "-", 4),
    ]  # fmt: skip
    found = list(csv.DictReader(io.StringIO(stability("status", "--storage", "s.db", "-f", "csv").stdout)))
    assert found[1]["diverged"] == "3"
    by_environment = stability("status", STABILITY_STORAGE="s.db").stdout
    assert by_environment == table
    rough = next(line for line in table.splitlines() if " rough " in line)
    assert rough.rstrip().endswith("100% [44%, 100%]  ×××")  # Wilson: 3 of 3
    assert "\x1b" not in table
    assert table.splitlines()[-1].startswith("stability report toy --storage s.db  # ")


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_has_colours_unless_it_asks_for_none(tmp_path, finished, environment, coloured):
    command = [*COMMAND, "show", "toy", "compare/1", "--storage", "s.db"]
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    subprocess.run(
        command, cwd=tmp_path, stdout=theirs, check=True, env=kept | {"TERM": "xterm-256color"} | environment
    )
    os.close(theirs)
    printed = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "DIVERGED" in printed
    assert ("\x1b[31m" in printed) == coloured


def test_show_prints_what_a_program_printed_without_its_codes(stability, finished):
    show = ("show", "toy", "compare/1", "--storage", "s.db")
    folder = Path(json.loads(stability(*show, "-f", "json").stdout)["directory"])
    long = "x" * 300
    (folder / "stdout.log").write_bytes(f"\x1b[2J\x1b[31mred\x1b[0m\x07\n 1%|\r 2%|\n[bold]{long}\n".encode())
    lines = stability(*show).stdout.splitlines()
    assert lines[-5:-1] == ["--- the end of stdout.log", "red", " 2%|", f"[bold]{long}"]
    assert lines[-1] == "the operation where it broke: stability explain toy compare/1 --storage s.db"


def test_show_tells_all_about_a_trial(stability, finished):
    text = stability("show", "toy", "rough/seed-1", "--storage", "s.db").stdout
    assert (
        "verdict   DIVERGED: yardstick" in text
        and "lr=2.0" in text
        and "blow_up" in text
        and "loss/square" in text
    )
    assert "\nnot run   without weight norms: nonfinite_weight; without gradients of layers" in text
    record = json.loads(stability("show", "toy", "compare/1", "--storage", "s.db", "-f", "json").stdout)
    assert record["signals"] == {"square": "down"} and record["not_run"]["weight norms"] == ["nonfinite_weight"]
    assert record["key"] == "rough/seed-0" and record["events"][-1]["kind"] == "blow_up"
    steps = list(
        csv.DictReader(
            io.StringIO(stability("show", "toy", "compare/1", "--storage", "s.db", "-f", "csv").stdout)
        )
    )
    assert {"step", "quantity", "value"} <= set(steps[0])
    assert (
        "no trial 'rough/seed-9'; name it STAGE/NUMBER or by its key; did you mean 'rough/seed-2'?"
        in one_line(stability("show", "toy", "rough/seed-9", "--storage", "s.db"))
    )


def test_report_in_every_format_and_language(stability, finished, tmp_path):
    for format, lang, name in [
        ("md", "en", "report.md"),
        ("md", "fa", "report.fa.md"),
        ("html", "en", "report.html"),
    ]:
        done = stability("report", "toy", "--storage", "s.db", "--format", format, "--lang", lang)
        assert done.stdout.strip() == f"reports/toy/{name}", done.stderr
    done = stability("report", "toy", "--storage", "s.db", "--format", "json")
    twin = json.loads(Path(tmp_path, done.stdout.strip()).read_text(), parse_constant=pytest.fail)
    assert twin["arms"]["rough"]["diverged"] == 3 and twin["arms"]["gentle"]["rate"] == 0.0
    assert "no study 'other'" in one_line(stability("report", "other", "--storage", "s.db"))


def test_gate_and_recommend_end_with_a_status_that_a_job_can_use(stability, process, study_file):
    stage = "  - boundary: {param: lr, trials: 24}\n  - search:"
    path = study_file(("  - search:", stage))
    assert stability("run", str(path), "--storage", "s.db").returncode == 0
    passed = stability("gate", "toy", "gentle", "--max-risk", "0.1", "--storage", "s.db")
    assert passed.returncode == 0 and passed.stdout.splitlines()[-1].startswith("gate passed: ")
    failed = process("gate", str(path), "rough", "--storage", "s.db", "--format", "json")
    [facts] = json.loads(failed.stdout)
    assert failed.returncode == 1 and not facts["passed"] and facts["headroom"] < 0
    assert "unknown arm 'gentel'" in one_line(stability("gate", "toy", "gentel", "--storage", "s.db"))
    assert "max-risk 0.001" in one_line(
        stability("gate", "toy", "gentle", "--max-risk", "0.001", "--storage", "s.db")
    )
    advised = stability("recommend", "toy", "--max-risk", "0.1", "--storage", "s.db")
    assert advised.returncode == 0 and "rough" in yaml.safe_load(advised.stdout)["arms"]
    whole = json.loads(stability("recommend", "toy", "--storage", "s.db", "-f", "json").stdout)
    assert [own["arm"] for own in whole["arms"]][:2] == ["gentle", "rough"]


def test_export_keeps_nonfinite_numbers_and_missing_ones_apart(stability, finished, tmp_path):
    done = stability("export", "toy", "--storage", "s.db")
    assert done.stdout.split() == [
        f"export/toy/{table}.csv" for table in ("trials", "epochs", "steps", "events")
    ]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "export/toy/trials.csv").read_text())))
    assert len(rows) == 10 and json.loads(rows[0]["params"]) == {"lr": 0.1}
    done = stability("export", "toy", "--storage", "s.db", "--format", "json")
    assert len(json.loads((tmp_path / "export/toy/trials.json").read_text())) == 10
    assert "export writes csv or json" in one_line(
        stability("export", "toy", "--storage", "s.db", "-f", "table")
    )


def test_a_store_that_is_not_there(stability):
    assert one_line(stability("status", "--storage", "none.db")).endswith(
        "no such file; run a study first, or give --storage"
    )


def test_doctor_examines_the_machine(stability):
    done = stability("doctor", "--format", "json")
    assert done.returncode == 0, done.stdout
    results = {row["check"]: row["result"] for row in json.loads(done.stdout)}
    assert results["torch"] == results["child processes"] == results["embedded corpora"] == "ok"
    broken = stability("doctor", "--storage", "/no/such/folder/x.db", "--format", "json")
    assert broken.returncode == 1
    assert {row["check"] for row in json.loads(broken.stdout) if row["result"] == "failed"} == {"storage"}


def test_schema_is_json(stability):
    assert "params" in json.loads(stability("schema").stdout)["properties"]


def test_sparklines_mark_what_is_not_finite():
    from stability.terminal.rows import sparkline

    assert sparkline([1.0, 2.0, math.nan, 3.0, math.inf]) == "▁▅×█×"
    assert sparkline([1.0, 1.0]) == "▁▁" and sparkline([math.nan]) == "×" and sparkline([]) == ""
