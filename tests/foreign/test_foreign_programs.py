"""A study file that `init` writes gives the right verdict without an edit.

Programs that know nothing of it are run at a learning rate that trains, at one far too high, and at one that ends in
NaN. Some stand for all: `python tests/benchmarks/foreign_programs.py` runs every program.
"""

from __future__ import annotations

import pytest
from foreign_cases import CASES, prepare
from foreign_runs import missing, seen

BY_NAME = {case.name: case for case in CASES}
QUICK = [("subcommands", "sane")]
MORE = [("fire_cli", "nan"), ("word_language_model", "nan"), ("tacotron2", "nan"), ("nanogpt", "sane")]


def check(name: str, rate: str, folder) -> None:
    case = BY_NAME[name]
    if modules := missing(case):
        pytest.skip(f"{name} needs {', '.join(modules)}")
    found = seen(case, rate, folder)
    assert found.is_right(case, rate), f"{found.verdicts}\n{(folder / 'study.yaml').read_text()}"


@pytest.mark.parametrize(("name", "rate"), QUICK)
def test_a_quick_program_is_judged_rightly_without_an_edit(name, rate, tmp_path):
    check(name, rate, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rate"), MORE)
def test_a_program_is_judged_rightly_without_an_edit(name, rate, tmp_path):
    check(name, rate, tmp_path)


def test_a_command_holds_the_rate_that_is_asked_for(tmp_path):
    for case in CASES:
        argv = prepare(case, tmp_path / case.name, 0.375)
        text = (tmp_path / case.name / case.lr_file).read_text() if case.lr_file else " ".join(argv)
        assert text.count("0.375") == 1, case.name
