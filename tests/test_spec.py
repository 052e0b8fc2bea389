"""Study files: what they mean, and one line with file, place and fix for each mistake."""

import json
from pathlib import Path

import pytest

from stability import spec as specs
from stability.records import Direction, UserError
from stability.spec import load_study

DEFAULT = Path(__file__).parents[1] / "studies" / "basic_vs_enhanced.yaml"


def broken(tmp_path, old: str, new: str, *overrides: str) -> str:
    """The error of the default study with `old` replaced, without the path."""
    text = DEFAULT.read_text()
    assert old in text
    path = tmp_path / "x.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(UserError) as error:
        load_study(path, overrides)
    return str(error.value).replace(str(path), "x.yaml")


def place(old: str) -> str:
    """Where `old` stands in the default study."""
    before = DEFAULT.read_text().partition(old)[0]
    return f"x.yaml:{before.count(chr(10)) + 1}:{len(before.rpartition(chr(10))[2]) + 1}"


def test_the_default_study_is_read():
    spec = load_study(DEFAULT)
    assert spec.budget.epochs == 4 and spec.budget.max_steps is None
    assert [(entry.name, type(entry.stage).__name__) for entry in spec.plan] == [
        ("liveness", "LivenessStage"),
        ("compare", "CompareStage"),
        ("attribute", "AttributeStage"),
        ("boundary", "BoundaryStage"),
        ("search", "SearchStage"),
    ]
    assert spec.params["lr"].log and spec.params["lr"].low == 1e-6
    assert spec.arm_params("basic")["lr"] == 1e-5
    assert spec.compare.treatment == "enhanced"


@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        ("epochs: 4", "epoch: 4", "epochs: 4",
         "unknown key 'epoch' in budget; did you mean 'epochs'? (epochs, batch_size, max_steps, timeout_s, memory_gb)"),
        ("epochs: 4", "epochs: 0", "4, batch", "budget.epochs: input should be greater than or equal to 1, got 0"),
        ("epochs: 4", "epochs: '4'", "4, batch", "budget.epochs: input should be a valid integer, got '4'"),
        ("epochs: 4", "epochs: true", "4, batch", "budget.epochs: input should be a valid integer, got True"),
        ("{min: 1e-6,", "{min: 2,", "{min: 1e-6,", "params.lr: min 2 must be below max 1.0"),
        ("baseline: basic", "baseline: basik", "basic, treatment",
         "unknown arm 'basik'; did you mean 'basic'? (basic, enhanced)"),
        ("treatment: enhanced", "treatment: basic", "{baseline", "baseline and treatment are the same arm; name two"),
        ("lr: 1e-5", "lr: 1e5", "1e-5", "arms.basic.lr: 100000.0 is outside 1e-06 to 1"),
        ("lr: 1e-5", "lr: fast", "1e-5", "arms.basic.lr: 'fast' is not a number"),
        ("lr: 1e-5, ", "", "basic:    {", "arm 'basic' does not set lr; every arm sets every parameter"),
        ("lr: 1e-5", "Lr: 1e-5", "lr: 1e-5",
         "unknown parameter 'Lr' in arm 'basic'; did you mean 'lr'? (lr, mel_weight, kl_weight, clip,"
         " adaptive, label_smoothing, huber)"),
        ("- compare", "- compar", "compare: {seeds", "unknown key 'compar' in plan; did you mean 'compare'?"
         " (liveness, compare, attribute, boundary, search)"),
        ("tpe, trials: 40", "tpe, trial: 40", "tpe, trials: 40",
         "unknown key 'trial' in plan.search; did you mean 'trials'? (sampler, trials, points)"),
        ("{param: lr, trials", "{param: lrr, trials", "lr, trials",
         "unknown parameter 'lrr'; did you mean 'lr'? (lr, mel_weight, kl_weight, clip, adaptive, label_smoothing,"
         " huber)"),
        ("{param: lr, trials", "{param: huber, trials", "lr, trials",
         "'huber' has no range to look in; give it min and max; ranges here: lr, mel_weight, kl_weight, clip"),
        ("{param: lr, trials: 40}", "{trials: 40}", "{param",
         "plan.3.boundary lacks 'param'; add it"),
        ("- search:  {sampler: tpe, trials: 40}", "- compare", "search:  {",
         "stage 'compare' is in the plan twice; keep one"),
        ("mel: 1.0, stop", "mel: .nan, stop", "1.0, stop", "yardstick.mel: input should be a finite number, got nan"),
        ("seed: 0", "seed: -1", "0\n", "seed: input should be greater than or equal to 0, got -1"),
        ("seed: 0", "sed: 0", "seed: 0",
         "unknown key 'sed' in the study file; did you mean 'seed'? (name, trainer, data, model, budget, limits,"
         " params, arms, compare, plan, yardstick, signals, seed)"),
    ],
)  # fmt: skip
def test_a_mistake_gets_its_place_and_the_fix(tmp_path, old, new, at, message):
    error = broken(tmp_path, old, new)
    assert error.partition(": error: ")[2] == message
    if at != "0\n":
        assert error.startswith(place(at).rpartition(":")[0])  # the line; columns shift with the replacement


def test_the_column_is_that_of_the_key_or_the_value(tmp_path):
    assert broken(tmp_path, "epochs: 4", "epoch: 4").startswith(place("epochs: 4") + ": error:")
    assert broken(tmp_path, "lr: 1e-5", "lr: 9e9").startswith(place("1e-5") + ": error:")


def test_a_missing_key_is_named(tmp_path):
    assert broken(tmp_path, "name: basic_vs_enhanced", "").endswith("the study file lacks 'name'; add it")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "x.yaml:1:1: error: a study file is a mapping of keys to values, got a list"),
        ("just text", "x.yaml:1:1: error: a study file is a mapping of keys to values, got a str"),
        ("# only a comment\n", "x.yaml: error: the file is empty; `name`, `params` and `plan` are needed"),
    ],
)
def test_files_that_are_no_study(tmp_path, text, message):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as error:
        load_study(path)
    assert str(error.value).replace(str(path), "x.yaml") == message


def test_overrides_reach_budget_stages_and_arms():
    spec = load_study(DEFAULT, ["budget.epochs=2", "plan.compare.seeds=5", "arms.basic.lr=1e-3", "seed=7"])
    assert (spec.budget.epochs, spec.plan[1].stage.seeds, spec.seed) == (2, 5, 7)
    assert spec.arms["basic"]["lr"] == 1e-3


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("epochs", "argument 'epochs': error: an override is key=value, such as budget.epochs=2"),
        (
            "budget.epoch=2",
            "argument 'budget.epoch=2': error: unknown key 'epoch' in budget; did you mean 'epochs'?",
        ),
        (
            "budget.epochs=many",
            "argument 'budget.epochs=many': error: budget.epochs: input should be a valid integer",
        ),
        (
            "plan.polish.x=1",
            "argument 'plan.polish.x=1': error: the study has no 'plan.polish' to go into",
        ),
        ("name.x=1", "argument 'name.x=1': error: 'name' has no keys to set"),
        ("a=[", "argument 'a=[':1:2: error: expected the node content"),
    ],
)
def test_a_bad_override_is_named_as_typed(override, message):
    with pytest.raises(UserError) as error:
        load_study(DEFAULT, [override])
    assert str(error.value).startswith(message)


def test_the_sweep_spelling_of_params(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(
        "name: x\nparameters:\n  lr: {distribution: log_uniform_values, min: 1e-5, max: 1}\n"
        "  size: {values: [1, 2]}\nplan: [search]\n"
    )
    spec = load_study(path)
    assert list(spec.params) == ["lr", "size"] and spec.params["lr"].log
    path.write_text(path.read_text().replace("max: 1}", "max: 1e-6}"))
    with pytest.raises(UserError, match=r"x.yaml:3:7: error: params.lr: min 1e-05 must be below max 1e-06"):
        load_study(path)


def test_identity_follows_the_meaning_and_not_the_layout(tmp_path):
    copy = tmp_path / "copy.yaml"
    copy.write_text(
        "# another comment\n" + DEFAULT.read_text().replace("{epochs: 4, batch", "{epochs:   4, batch")
    )
    original, same = load_study(DEFAULT), load_study(copy)
    longer = load_study(DEFAULT, ["budget.epochs=5"])
    more = load_study(DEFAULT, ["plan.compare.seeds=30"])
    assert same.sha256 == original.sha256 != longer.sha256
    assert more.sha256 != original.sha256 and more.trial_sha256 == original.trial_sha256
    assert longer.trial_sha256 != original.trial_sha256


def test_signals_declare_which_way_numbers_go(tmp_path):
    plain, told = (tmp_path / name for name in ("plain.yaml", "told.yaml"))
    plain.write_text(DEFAULT.read_text())
    told.write_text(DEFAULT.read_text() + "signals: {gen: {direction: none}, bleu: {direction: up}}\n")
    assert load_study(plain).directions == {}
    assert load_study(told).directions == {"gen": Direction.NONE, "bleu": Direction.UP}
    assert load_study(told).trial_sha256 != load_study(plain).trial_sha256  # verdicts may differ


def test_the_yardstick_is_a_loss(tmp_path):
    error = broken(tmp_path, "seed: 0", "seed: 0\nsignals: {mel: {direction: up}}")
    assert error.endswith(
        "error: signal 'mel' goes up, and the yardstick is a loss: leave it out of `yardstick`"
    )


def test_a_stored_document_reads_back_as_the_same_study():
    spec = load_study(DEFAULT)
    again = specs.from_document(json.loads(json.dumps(spec.document)))
    assert again.sha256 == spec.sha256 and again.params == spec.params


def test_the_schema_knows_sections_that_may_be_a_name_alone():
    found = specs.schema()["$defs"]
    assert found["PlanEntry"]["anyOf"][0] == {"enum": ["liveness", "compare", "attribute", "search"]}
    assert found["Early"]["anyOf"][0] == {"enum": ["obrien_fleming", "pocock"]}


def test_the_schema_knows_every_key():
    properties = specs.schema()["properties"]
    assert set(properties) >= {"name", "trainer", "budget", "params", "arms", "compare", "plan", "yardstick"}


def test_every_shipped_study_is_valid():
    studies = sorted(DEFAULT.parent.glob("*.yaml"))
    assert studies and all(load_study(path).name for path in studies)


@pytest.mark.parametrize("stage", ["compare", "boundary: {param: lr}"])
def test_a_stage_about_arms_needs_some(tmp_path, stage):
    path = tmp_path / "x.yaml"
    path.write_text(f"name: x\nparams: {{lr: {{min: 0.1, max: 1.0}}}}\nplan:\n  - {stage}\n")
    with pytest.raises(UserError, match=r"x.yaml:4:\d+: error: stage '\w+' needs `arms`; add at least one"):
        load_study(path)
