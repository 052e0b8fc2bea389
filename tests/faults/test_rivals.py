"""The rivals are run and judged as their rules say, on faults whose outcome is known."""

from __future__ import annotations

import pytest
from catalogue import FAULTS, HEALTHY
from planted import planted
from rivals import by_anomaly, by_hooks

KNOWN = {
    "where_with_both_branches": ("exact", "silent"),  # backward: no module ever sees it
    "layer_norm_without_eps": ("exact", "exact"),  # the module is the operation
    "every_key_masked": ("wrong", "module"),  # found below the softmax, and only as the whole attention
    "gradient_penalty_of_flat_critic": ("line", "silent"),  # pow and sqrt share the line
    "exponential_gate": ("wrong", "wrong"),  # a later frame's projection is the first module to end broken
    "adam_without_eps": ("silent", "silent"),  # neither looks at the optimizer
}


@pytest.mark.parametrize("name", KNOWN)
def test_rival_is_judged(name):
    fault = next(fault for fault in FAULTS if fault.name == name)
    found = (by_anomaly(planted(fault)), by_hooks(planted(fault)))
    assert tuple("silent" if answer is None else answer.judge(fault) for answer in found) == KNOWN[name]


def test_hooks_are_removed_again():
    case = next(case for case in HEALTHY if case.name == "skipped_batch")
    assert str(by_hooks(planted(case))) == "(outermost): Linear"
    watched = by_hooks(planted(next(case for case in HEALTHY if case.name == "doubled_where")))
    assert watched is None


def test_detect_anomaly_names_node_and_line():
    fault = next(fault for fault in FAULTS if fault.name == "where_with_both_branches")
    assert str(by_anomaly(planted(fault))) == f"LogBackward0 probability.py:{fault.lines[0]}"
