"""Which printed losses compare: definitions, then loss weights."""

from __future__ import annotations

import pandas as pd
import pytest

from stability.evidence.comparability import Reason, comparability

SAME = {"mel": "L1", "total": "mel"}


def judge(one: dict, two: dict, weights: tuple[float, float] = (1.0, 1.0)) -> dict[str, Reason]:
    trials = pd.DataFrame(
        {"trial_id": [1, 2], "arm": ["a", "b"], "verdict": ["STABLE", "STABLE"], "definitions": [one, two]}
    )
    rows = [(i, 0, "train", name, 1.0) for i in (1, 2) for name in ("total", "mel")]
    epochs = pd.DataFrame(rows, columns=["trial_id", "epoch", "source", "component", "value"])
    steps = pd.DataFrame({"trial_id": [1, 2], "step": 0, "quantity": "loss/mel", "loss_weight": weights})
    return {part.component: part.reason for part in comparability(trials, epochs, steps, ("a", "b"))}


def test_equal_definitions_and_weights_compare():
    assert judge(SAME, dict(SAME)) == {"mel": Reason.SAME, "total": Reason.SAME}


def test_a_component_defined_differently_takes_the_total_with_it():
    assert judge(SAME, SAME | {"mel": "Huber"}) == dict.fromkeys(["mel", "total"], Reason.DEFINITIONS_DIFFER)


def test_other_weights_leave_components_comparable_but_not_the_total():
    assert judge(SAME, SAME, (1.0, 2.5)) == {"mel": Reason.SAME, "total": Reason.LOSS_WEIGHTS_DIFFER}


def test_weights_that_nobody_recorded_do_not_differ():
    assert judge(SAME, SAME, (None, None))["total"] is Reason.SAME


@pytest.mark.parametrize("definitions", [{}, {"total": "mel"}])
def test_what_was_not_recorded_is_not_comparable(definitions):
    found = judge(SAME, definitions)
    assert found["mel"] is Reason.NOT_RECORDED
    assert found["total"] is Reason.NOT_RECORDED
