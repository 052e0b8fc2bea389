"""The trial directory: what is written is read back, NaN and kills included."""

import json
import math
from pathlib import Path

import pytest

from stability import trialdir
from stability.records import (
    BEFORE_TRAINING,
    Ending,
    Evaluation,
    Event,
    EventKind,
    Link,
    Outcome,
    Phase,
    Provenance,
    Step,
    TrialSpec,
)

LINK = Link(Phase.FORWARD, "aten.exp.default", "losses.py", 88, "decoder", "inf")
ORIGIN = Provenance(
    Phase.FORWARD, "aten.exp.default", "losses.py", 88, "decoder", "kl", 3, "inf", 312.5, chain=(LINK, LINK)
)


@pytest.fixture
def spec(tmp_path):
    made = TrialSpec(
        study="s", stage="compare", number=3, key="a/seed-1", arm="a", params={"lr": 1e-4, "clip": None, "on": True},
        seed=1, epochs=2, batch_size=8, max_steps=None, timeout_s=5.0, device="cpu", trainer={"call": "x:y"},
        data={}, model={"size": "tiny"}, yardstick={"mel": 1.0}, directory=tmp_path / "t", cache=tmp_path / "c",
    )  # fmt: skip
    trialdir.create(made)
    return made


def test_the_spec_is_read_back(spec):
    assert trialdir.read_spec(spec.directory) == spec


def test_creating_a_trial_again_removes_what_an_earlier_try_left(spec):
    trialdir.write_ending(spec.directory, Ending(Outcome.FINISHED))
    (spec.directory / "artifacts" / "x").write_text("old")
    trialdir.create(spec)
    assert trialdir.read_ending(spec.directory) is None
    assert list((spec.directory / "artifacts").iterdir()) == []


def test_records_are_read_back_with_their_nonfinite_numbers(spec):
    steps = (
        Step(0, {"mel": 1.5, "kl": math.inf}, total=math.nan, epoch=0, lr=1e-3, loss_weights={"mel": 2.0}),
        Step(
            1,
            {"mel": math.nan, "kl": -math.inf},
            grad_norm=0.0,
            weight_norm=3.0,
            grad_scale=65536.0,
            skipped=True,
            measures={"grad_share/kl": 0.5, "update_ratio": math.inf},
            batch=("LJ001-0001", "LJ001-0002"),
        ),
    )
    evaluation = Evaluation(0, BEFORE_TRAINING, {"mel": math.nan})
    event = Event(1, EventKind.NAN_LOSS, "mel", math.nan, provenance=ORIGIN)
    writer = trialdir.Writer(spec.directory)
    writer.definitions({"mel": "L1"})
    writer.evaluation(evaluation)
    for step in steps:
        writer.step(step)
    writer.event(event)
    writer.close()
    found = trialdir.read_records(spec.directory)
    assert repr(found.steps) == repr(steps)  # by text: NaN equals nothing
    assert repr(found.evaluations) == repr((evaluation,))
    assert repr(found.events) == repr((event,))
    assert found.definitions == {"mel": "L1"}


def test_every_line_is_strict_json(spec):
    writer = trialdir.Writer(spec.directory)
    writer.step(Step(0, {"mel": math.nan}))
    writer.close()
    [line] = (spec.directory / "steps.jsonl").read_text().splitlines()
    assert json.loads(line, parse_constant=pytest.fail) == {"step": 0, "losses": {"mel": "NaN"}}


def test_a_trainer_in_another_language_may_leave_out_what_it_does_not_know(spec):
    lines = '{"losses": {"mel": 1}}\n{"losses": {"mel": NaN}, "total": "-Infinity"}\n{"evaluate": {"mel": 2}, "epoch": 0}\n'
    (spec.directory / "steps.jsonl").write_text(lines)
    found = trialdir.read_records(spec.directory)
    assert [step.step for step in found.steps] == [0, 1]
    assert math.isnan(found.steps[1].losses["mel"]) and found.steps[1].total == -math.inf
    assert found.evaluations == (Evaluation(2, 0, {"mel": 2.0}),)


def test_any_cut_through_a_file_leaves_its_whole_lines(spec):
    writer = trialdir.Writer(spec.directory)
    for i in range(4):
        writer.step(Step(i, {"mel": 1.0 / (i + 1)}))
    writer.close()
    path = spec.directory / "steps.jsonl"
    whole = path.read_bytes()
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        assert len(trialdir.read_records(spec.directory).steps) == whole[:cut].count(b"\n")


def test_a_bad_line_within_the_file_is_named(spec):
    (spec.directory / "steps.jsonl").write_text('{"losses": {}}\nnot json\n')
    with pytest.raises(ValueError, match=r"steps.jsonl:2: not a JSON line"):
        trialdir.read_records(spec.directory)


def test_an_ending_is_whole_or_absent(spec):
    assert trialdir.read_ending(spec.directory) is None
    (spec.directory / "outcome.tmp").write_text('{"outcome": "FINI')  # a kill while it was written
    assert trialdir.read_ending(spec.directory) is None
    ending = Ending(Outcome.CRASHED, "ValueError: x", "Traceback", 1.0, 0.5, 1000, "cpu")
    trialdir.write_ending(spec.directory, ending)
    assert trialdir.read_ending(spec.directory) == ending


def test_output_is_captured_from_its_end(spec):
    assert trialdir.captured(spec.directory) == ""
    Path(spec.directory, trialdir.STDOUT).write_bytes(b"start" + b"x" * 10_000 + b"\xff end")
    assert trialdir.captured(spec.directory, 10).endswith("� end")
