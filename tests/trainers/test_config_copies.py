"""`trainer.files`: config files of which each trial gets its own copy."""

import json

import pytest
from commanding import in_this_process

from stability import trainers
from stability.records import UserError
from stability.spec import load_study, schema

PROGRAM = """
import json, sys
c = json.load(open(sys.argv[1]))
for step in range(8):
    print("step", step, f"loss={c['train']['lr'] + (7 - step) / 10:.4f}", c["seed"], c["ema"], c["out"])
"""
STUDY = """\
name: study
trainer:
  command: ["{{python}}", train.py, "{{directory}}/c.json"]
  files:
    {target}: {copy}
  parse: {{stdout: ['step (?P<step>\\d+) loss=(?P<loss>\\S+)']}}
budget: {{epochs: 1}}
params:
  lr: {{min: 0.1, max: 1.0}}
  ema: {{values: [null, true, a]}}
arms:
  usual: {{lr: 0.25, ema: null}}
plan:
  - compare: {{seeds: 2}}
yardstick: {{loss: 1}}
"""
COPY = '{from: c.json, set: {train.lr: "{lr}", seed: "{seed}", ema: "{ema}", out: "{directory}/x"}}'
TARGET = '"{directory}/c.json"'


@pytest.fixture
def study(tmp_path):
    def make(copy=COPY, target=TARGET):
        (tmp_path / "train.py").write_text(PROGRAM)
        (tmp_path / "c.json").write_text(
            '{"train": {"lr": 1, "steps": [3]},\n "seed": 0, "ema": 0, "out": ""}\n'
        )
        (tmp_path / "study.yaml").write_text(STUDY.format(copy=copy, target=target))
        spec = load_study(tmp_path / "study.yaml")
        trainers.check(spec)
        return spec

    return make


def test_each_trial_reads_its_own(study, tmp_path):
    assert trainers.advice(study()) == []
    done = in_this_process(tmp_path, "run", "study.yaml", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    folders = sorted(path.parent for path in tmp_path.glob("stability.trials/*/*/*/c.json"))
    found = [json.loads((folder / "c.json").read_text()) for folder in folders]
    assert [one["train"] for one in found] == [{"lr": 0.25, "steps": [3]}] * 2
    assert len({one["seed"] for one in found}) == 2 and [one["ema"] for one in found] == [None, None]
    assert [one["out"] for one in found] == [f"{folder}/x" for folder in folders]
    assert '"steps": [3]},\n "seed"' in (folders[0] / "c.json").read_text()


def test_the_file_that_is_copied_is_part_of_what_a_trial_is(study, tmp_path):
    before = trainers.contents_sha256(trainers.resolved(study())[0], {})
    spec = study()
    (tmp_path / "c.json").write_text('{"train": {"lr": 2}, "seed": 0, "ema": 0, "out": ""}\n')
    assert trainers.contents_sha256(trainers.resolved(spec)[0], {}) != before


@pytest.mark.parametrize(
    ("copy", "target", "message"),
    [
        ("{from: c.json}", TARGET, r"5:5: error: files.*c.json lacks 'set'; add it"),
        (
            "{form: c.json, set: {seed: 1}}",
            TARGET,
            r"5:28: error: unknown key 'form' in .*; did you mean 'from'\?",
        ),
        (
            "c.json",
            TARGET,
            r"5:27: error: .*{from: config.yaml, set: {train.lr: \"{lr}\"}} belongs here, got 'c.json'",
        ),
        ("{from: c.json, set: {}}", TARGET, "error: .*at least 1 item"),
        (
            COPY,
            "c.json",
            r"5:5: error: trials at the same time would share 'c.json'; write {directory}/c.json",
        ),
        (
            COPY.replace("c.json", "c.ini"),
            TARGET,
            r"'c.ini' is none of .json, .yaml, .yml, .toml; let the program",
        ),
        (
            COPY.replace("c.json", "d.json"),
            TARGET,
            r"no file .*d.json: No such file.*; a config file starts at cwd",
        ),
        (
            COPY.replace("train.lr", "train.rate"),
            TARGET,
            r"error: c.json: it has no value 'train.rate'; did you mean 'train.lr'\? \(train.lr, ",
        ),
        (COPY.replace("{lr}", "{rate}"), TARGET, r"unknown placeholder {rate}; \(lr, ema, seed"),
        (COPY.replace("{lr}", "{lr"), TARGET, r"has a single brace"),
        (COPY.replace('"{ema}"', '"x{ema}"'), TARGET, r"ema may be null, which has no text"),
    ],
)
def test_every_mistake_has_its_place(study, copy, target, message):
    with pytest.raises(UserError, match=message):
        study(copy, target)


def test_the_schema_knows_them():
    assert "ConfigCopy" in json.dumps(schema())
