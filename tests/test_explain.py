"""Replaying a stored trial: the operation is named, weights and batch are told apart, and a replay that
differs is never passed off as the trial."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stability import diagnosis, trialdir
from stability.cli import app
from stability.explain import explain, first_of_each_kind
from stability.records import Blame, Phase, Step, UserError
from stability.replay import first_difference
from stability.terminal import find_trial

TOYS = Path(__file__).parent / "toys.py"
LINE = next(i for i, line in enumerate(TOYS.read_text().splitlines(), 1) if line.endswith("# born here"))

LOGARITHM = """\
name: logs
trainer: {{call: "{toys}:logarithm"}}
budget: {{epochs: 2, batch_size: 4, timeout_s: 60}}
params:
  lr: {{min: 1e-3, max: 10.0, log: true}}
  batch: {{values: [-1, 12]}}
arms:
  gentle: {{lr: 0.001, batch: -1}}
  steep: {{lr: 0.1, batch: -1}}
  outlier: {{lr: 0.001, batch: 12}}
compare: {{baseline: gentle, treatment: steep}}
plan: [compare: {{seeds: 2}}]
yardstick: {{log: 1.0}}
"""


@pytest.fixture
def logs(tmp_path, run_study):
    path = tmp_path / "logs.yaml"
    path.write_text(LOGARITHM.format(toys=TOYS))
    _, store, _ = run_study(path)
    return store


def row(store, name):
    [study] = store.studies()
    return find_trial(store.frames(study).trials, name)


def test_weights_that_went_too_far(logs):
    trial = row(logs, "steep/seed-0")
    assert trial["verdict"] == "DIVERGED" and trial["event_where"] == "log"
    found = explain(logs, trial)
    born = found.provenance
    assert found.reproduced and found.difference is None and found.traced_step == found.step
    assert (born.phase, born.op, Path(born.file), born.line) == (
        Phase.FORWARD,
        "aten.log.default",
        TOYS,
        LINE,
    )
    assert born.component == "log" and born.value == "nan" and born.batch_index in range(4)
    assert found.blame.fails_with_earlier_weights is False
    assert sum(found.blame.other_batches.values()) >= 2
    assert diagnosis.conclusion(found.blame).startswith(
        "the weights: its batch is fine with the weights of step "
    )


def test_a_batch_that_no_weights_survive(logs):
    found = explain(logs, row(logs, "outlier/seed-1"))
    assert found.step == 12 and found.provenance.batch_index == 2
    assert found.blame == Blame(12, 2, True, {9: False, 10: False, 11: False})
    assert diagnosis.conclusion(found.blame) == (
        "the batch: it fails with the weights of step 2 too, and with the weights of step 12, 0 of 3 other "
        "batches fail too"
    )


def test_what_was_found_is_stored_beside_the_trial_and_with_its_event(logs, monkeypatch):
    monkeypatch.chdir(TOYS.parents[1])
    trial = row(logs, "outlier/seed-0")
    found = explain(logs, trial)
    assert trialdir.read_explanation(Path(trial["directory"])) == found
    events = logs.frames("logs").events
    [stored] = events[(events.trial_id == trial["trial_id"]) & (events.kind == "nan_loss")].head(1).provenance
    assert trialdir.provenance_from(json.loads(stored)) == found.provenance
    shown = CliRunner().invoke(app, ["show", "logs", "outlier/seed-0", "--storage", logs.url])
    assert f"forward aten.log.default, tests/toys.py:{LINE}" in shown.output


def test_the_element_of_the_batch_is_called_by_its_name(logs, tmp_path, capsys):
    shown = CliRunner().invoke(
        app, ["explain", "logs", "outlier/seed-0", "--storage", str(tmp_path / "s.db")]
    )
    assert shown.exit_code == 0, shown.output
    assert "element 2 of the batch (12-2)" in shown.output
    assert "> return (self.w + x).log()  # born here" in shown.output
    assert "reproduced: 13 steps, every recorded number equal" in shown.output
    assert shown.output.rstrip().splitlines()[-1].split()[:2] == ["0", "12"]
    whole = CliRunner().invoke(
        app, ["explain", "logs", "outlier/seed-0", "--storage", str(tmp_path / "s.db"), "--format", "json"]
    )
    values = json.loads(whole.output)
    assert values["provenance"]["op"] == "aten.log.default" and len(values["last_steps"]) == 13


def test_one_of_each_kind_is_explained_by_a_run(tmp_path):
    path = tmp_path / "logs.yaml"
    path.write_text(LOGARITHM.format(toys=TOYS))
    where = ["--storage", str(tmp_path / "r.db"), "--out", str(tmp_path / "reports")]
    shown = CliRunner().invoke(app, ["run", str(path), *where, "--explain", "--device", "cpu"])
    assert shown.exit_code == 0, shown.output
    assert shown.output.count("replay      reproduced") == 1  # four trials diverged, all by a NaN of `log`


def test_first_of_each_kind(logs):
    kept = [trial["key"] for trial in first_of_each_kind(logs.frames("logs").trials)]
    assert kept == ["steep/seed-0"]


def test_a_trainer_that_is_never_the_same_twice(tmp_path, study_file, run_study):
    _, store, _ = run_study(study_file(function="unseeded"), "plan.compare.seeds=1", "plan.search.trials=1")
    trial = store.frames("toy").trials.to_dict("records")[0]
    found = explain(store, trial)
    assert not found.reproduced and found.difference.startswith("square loss at step 0 was ")
    assert found.blame is None
    text = "\n".join(diagnosis.lines(trial, found, trialdir.read_records(Path(trial["directory"]))))
    assert "not reproduced: square loss at step 0 was" in text
    assert store.frames("toy").events.provenance.isna().all()


def test_a_masked_nan_is_traced_where_the_masking_began(study_file, run_study):
    path = study_file(("{lr: 2.0}", "{lr: 0.05}"), function="masked")
    _, store, _ = run_study(path, "plan.compare.seeds=1", "plan.search.trials=1")
    trial = row(store, "rough/seed-0")
    assert (trial["verdict"], trial["event_kind"]) == ("UNSTABLE", "masked_nonfinite"), trial["evidence"]
    found = explain(store, trial)
    assert found.reproduced and found.traced_step <= found.step
    assert (found.provenance.op, found.provenance.line) == ("aten.log.default", LINE)


def test_a_norm_that_overflows_is_told_from_a_broken_gradient(study_file, run_study):
    _, store, _ = run_study(
        study_file(function="overflowing_norm"), "plan.compare.seeds=1", "plan.search.trials=1"
    )
    trial = store.frames("toy").trials.to_dict("records")[0]
    assert (trial["verdict"], trial["event_kind"]) == ("DIVERGED", "nan_grad")
    found = explain(store, trial)
    assert found.provenance.op == "aten._foreach_norm.Scalar"
    source = Path(found.provenance.file).read_text().splitlines()[found.provenance.line - 1]
    assert ".step(" in source and "optimizer" not in source  # where the gradients are measured
    text = "\n".join(diagnosis.lines(trial, found, trialdir.read_records(Path(trial["directory"]))))
    assert "the gradient norm is too large for its type: what it is the norm of is finite" in text


def test_a_trial_without_a_bad_step_has_nothing_to_explain(logs):
    with pytest.raises(UserError) as error:
        explain(logs, row(logs, "gentle/seed-0"))
    assert str(error.value).startswith("compare/gentle/seed-0 is INCONCLUSIVE: ")
    assert str(error.value).endswith("; there is no bad step to explain")


def test_a_trial_whose_directory_is_gone(logs):
    trial = row(logs, "steep/seed-0")
    (Path(trial["directory"]) / "trial.json").unlink()
    with pytest.raises(
        UserError, match=r"steep/seed-0 cannot be replayed: .* is gone, and with it what the trial ran"
    ):
        explain(logs, trial)


@pytest.mark.parametrize(
    ("blame", "words"),
    [
        (Blame(5, 0, False, {4: False, 3: False}), "this batch together with these weights"),
        (Blame(5, 0, True, {4: True, 3: True}), "neither alone"),
        (Blame(0, None, None, {1: True}), "the weights or the settings, not this batch alone"),
        (Blame(0, None, None, {1: False}), "this batch"),
        (Blame(0, None, None, {}), "nothing to compare with"),
        (Blame(1, 0, False, {}), "undecided"),
    ],
)
def test_conclusions(blame, words):
    assert diagnosis.conclusion(blame).startswith(words + ":")


def test_a_difference_is_named_by_step_and_quantity():
    nan = float("nan")
    before = [Step(0, {"a": 1.0}, total=1.0), Step(1, {"a": nan}, total=nan)]
    assert first_difference(before, before, last=1) is None
    after = [before[0], Step(1, {"a": 2.0}, total=nan)]
    assert first_difference(before, after, last=1) == "a loss at step 1 was nan, in the replay 2"
    assert first_difference(before, after, last=0) is None
    assert first_difference(before, before[:1], last=1) == "the replay ended before step 1"


def test_a_difference_names_only_the_losses_that_differ():
    before = [Step(0, {"mel": 1.367312, "kl": 0.5, "stop": 0.1})]
    after = [Step(0, {"mel": 1.367321, "kl": 0.5, "stop": 0.1000000001})]
    said = "mel loss at step 0 was 1.36731, in the replay 1.36732; "
    said += "stop loss at step 0 was 0.1, in the replay 0.1000000001"
    assert first_difference(before, after, last=0) == said


def test_an_unknown_trial_unlike_any_is_answered_with_their_names(logs):
    with pytest.raises(UserError) as error:
        row(logs, "77")
    assert str(error.value).startswith(
        "no trial '77'; name it STAGE/NUMBER or by its key (gentle/seed-0, steep/seed-0, outlier/seed-0"
    )


LOADED = """\
import torch, stability
from torch import nn


class Items(torch.utils.data.Dataset):
    def __init__(self):
        self.together = torch.rand(16, 6, 5) + 0.1

    def __len__(self):
        return 16

    def __getitem__(self, i):
        item = self.together[i].clone()
        if i == 7:
            item[2, 1] = 0.0
        return i, item


def train(trial, recorder):
    torch.manual_seed(trial.seed)
    model = nn.Linear(5, 5)
    optimizer = torch.optim.SGD(model.parameters(), lr=float(trial.params["lr"]))
    watch = stability.watch(model, optimizer, recorder=recorder)
    recorder.evaluate({"mel": 1.0}, epoch=-1)
    for ids, x in torch.utils.data.DataLoader(Items(), batch_size=4):
        optimizer.zero_grad()
        y = model(x)
        mel, kl = y.square().mean(), (y * 0 + torch.log(x)).abs().mean()
        total = mel + 0.5 * kl
        total.backward()
        watch.step({"mel": mel, "kl": kl}, total=total, batch=[f"u{i}" for i in ids.tolist()])
        optimizer.step()
    watch.close()
    recorder.evaluate({"mel": 0.9}, epoch=0)
"""


def test_the_utterance_of_a_batch_that_a_loader_puts_together(tmp_path, run_study):
    """And its loss component, for a trainer that only calls `Watch.step`."""
    (tmp_path / "loaded.py").write_text(LOADED)
    path = tmp_path / "loaded.yaml"
    study = (
        LOGARITHM.format(toys=tmp_path / "loaded.py")
        .replace(":logarithm", ":train")
        .replace("log: 1", "mel: 1")
    )
    path.write_text(study.replace("seeds: 2", "seeds: 1"))
    _, store, _ = run_study(path)
    trial = store.frames("logs").trials.to_dict("records")[0]
    found = explain(store, trial)
    assert (found.provenance.op, found.provenance.component) == ("aten.log.default", "kl")
    assert found.provenance.batch_index == 3
    text = "\n".join(diagnosis.lines(trial, found, trialdir.read_records(Path(trial["directory"]))))
    assert "kl component, element 3 of the batch (u7)" in text
