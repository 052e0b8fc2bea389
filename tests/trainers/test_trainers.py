"""What adapters accept, find and warn of, before any training."""

from pathlib import Path

import pytest

from stability import trainers
from stability.records import UserError
from stability.spec import load_study
from stability.trainers import function

DEFAULT = Path(__file__).parents[2] / "studies" / "basic_vs_enhanced.yaml"


def test_a_file_is_found_beside_the_study_and_imported_with_its_neighbours(tmp_path):
    (tmp_path / "neighbour_of_train.py").write_text("answer = 42\n")
    (tmp_path / "train_here.py").write_text(
        "import neighbour_of_train\ndef go(trial, recorder): return neighbour_of_train.answer\n"
    )
    function.check("train_here.py:go", tmp_path)
    target = function.absolute("train_here.py:go", tmp_path)
    assert function.load(target)(None, None) == 42


def test_a_module_is_named_by_its_dotted_path():
    assert function.load("stability.doctor:nothing").__name__ == "nothing"
    assert function.absolute("stability.doctor:nothing", Path("/anywhere")) == "stability.doctor:nothing"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("train.py:go", "no file .*train.py; paths start at the study file"),
        ("train.py", "names no function; write"),
        ("no_such_module_anywhere:go", "no module 'no_such_module_anywhere' is installed; write"),
    ],
)
def test_a_target_that_is_not_there(tmp_path, target, message):
    with pytest.raises(UserError, match=message):
        function.check(target, tmp_path)


def test_a_name_that_is_no_function():
    with pytest.raises(UserError, match="stability.records has no function 'nowhere'"):
        function.load("stability.records:nowhere")


@pytest.mark.parametrize(("steps", "warned"), [(6, False), (7, True)])
def test_a_budget_that_hardly_outlasts_the_warm_up_is_warned_of(steps, warned):
    spec = load_study(DEFAULT, [f"params.warmup_steps={{value: {steps}}}"])  # 4 epochs of 4 steps
    advice = trainers.advice(spec)
    assert bool(advice) is warned
    if warned:
        assert advice == [
            "warm-up takes up to 7 of a trial's 16 steps; give it 17 or more (budget.epochs), "
            "or its result says little about a longer training"
        ]


def test_a_corpus_folder_is_looked_for_beside_the_study_then_from_here(tmp_path, monkeypatch):
    study = tmp_path / "studies" / "x.yaml"
    study.parent.mkdir()
    study.write_text(DEFAULT.read_text().replace("corpus: en, utterances: 30", "corpus: mine"))
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=rf"x.yaml:5:16: error: {tmp_path}/mine/metadata.csv: no such file"):
        trainers.check(load_study(study))
    (study.parent / "mine").mkdir()
    with pytest.raises(UserError, match=rf"{study.parent}/mine/metadata.csv: no such file"):
        trainers.check(load_study(study))
