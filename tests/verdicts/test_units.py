"""A verdict is the same in another unit, and nearly always the same whatever constant is in the loss."""

from __future__ import annotations

import functools
import random
from pathlib import Path

import pytest
from cases import Case, Form, Label, load
from curves import curves
from judging import judge_case
from units import every, scaled, shifted

from stability.records import VerdictLabel

FORMS = pytest.mark.parametrize("form", Form)
SHARE_SHIFTED = {Form.TOTAL: 0.975, Form.GRADIENT: 0.98, Form.EVALUATED: 0.99}
"""What a constant hides, of about 1000 cases: a loss that scatters about 0, and growth to many times a small start."""
SHARE_EVERY = {(Form.TOTAL, 2): 0.9, (Form.TOTAL, 5): 0.86, (Form.EVALUATED, 2): 0.96, (Form.EVALUATED, 5): 0.94}
"""With fewer numbers more is left open, and a change as small as noise is seen or not."""
CONTRADICTED = 0.012
"""The share that is lost by one log, and STABLE or STUCK by the other."""
SAMPLE = 60


@functools.cache
def cases() -> list[Case]:
    known = [*load(Path(__file__).with_name("recorded.jsonl.gz")), *curves()]
    return [case for case in known if case.label is not Label.GREY]


def sample(form: Form) -> list[Case]:
    return random.Random(form.value).sample(cases(), SAMPLE)


def label(case: Case, form: Form) -> VerdictLabel:
    return judge_case(case, form)[0].label


def differing(some: list[Case], form: Form, factor: float) -> list[str]:
    return [case.name for case in some if label(scaled(case, factor), form) is not label(case, form)]


def share_kept(some: list[Case], form: Form, constant: float) -> float:
    single = [case for case in some if len(case.components) < 2]
    return sum(label(shifted(case, constant), form) is label(case, form) for case in single) / len(single)


@FORMS
@pytest.mark.parametrize("factor", [1e3, 1e-3])
def test_another_unit_gives_the_same_verdict(form, factor):
    assert differing(sample(form), form, factor) == []


@FORMS
def test_a_constant_hardly_changes_a_verdict(form):
    assert share_kept(sample(form), form, -1000.0) >= SHARE_SHIFTED[form] - 0.04


@pytest.mark.slow
@FORMS
@pytest.mark.parametrize("factor", [1e3, 1e-3])
def test_another_unit_gives_the_same_verdict_in_every_case(form, factor):
    assert differing(cases(), form, factor) == []


@pytest.mark.slow
@FORMS
def test_a_constant_hardly_changes_a_verdict_of_all_cases(form):
    assert share_kept(cases(), form, -1000.0) >= SHARE_SHIFTED[form]


@pytest.mark.slow
@pytest.mark.parametrize(("form", "n"), SHARE_EVERY)
def test_a_log_of_every_nth_step_hardly_changes_a_verdict(form, n):
    recorded = [case for case in load(Path(__file__).with_name("recorded.jsonl.gz")) if case.label is not Label.GREY]
    pairs = [(label(case, form), label(every(case, n), form)) for case in recorded]
    lost, unbroken = VerdictLabel.DIVERGED, {VerdictLabel.STABLE, VerdictLabel.STUCK}
    contradicted = sum(a is lost and b in unbroken or b is lost and a in unbroken for a, b in pairs)
    assert contradicted <= CONTRADICTED * len(pairs)
    assert sum(a is b for a, b in pairs) >= SHARE_EVERY[form, n] * len(pairs)


def test_a_unit_reaches_every_loss_and_the_gradient_and_a_constant_every_loss():
    case = Case("a", Label.FINE, "", [2.0, 1.0], [4.0, 3.0], {"mel": [2.0, 1.0]}, evaluations=[(0, 2.0), (2, 1.0)])
    large, moved = scaled(case, 10.0), shifted(case, -1.0)
    assert (large.total, large.grad_norm, large.components) == ([20.0, 10.0], [40.0, 30.0], {"mel": [20.0, 10.0]})
    assert (moved.total, moved.grad_norm, moved.components) == ([1.0, 0.0], [4.0, 3.0], {"mel": [1.0, 0.0]})
    assert (large.evaluations, moved.evaluations) == ([(0, 20.0), (2, 10.0)], [(0, 1.0), (2, 0.0)])


def test_a_constant_of_several_components_is_an_error():
    case = Case("a", Label.FINE, "", [2.0], components={"mel": [1.0], "kl": [1.0]})
    with pytest.raises(ValueError, match="a: 2 components, and one constant"):
        shifted(case, 1.0)
