"""The catalogue itself, by plain torch: every fault breaks its step, every look-alike ends finite."""

from __future__ import annotations

import pytest
from catalogue import FAULTS, HEALTHY, label, on_devices
from planted import ends_finite, planted

# torch's own remarks on what is planted: a deviation of one frame, the old way of checkpointing
pytestmark = [
    pytest.mark.filterwarnings("ignore:std.*degrees of freedom is <= 0:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*requires_grad=True. Gradients will be None:UserWarning"),
]


def test_names_are_unique():
    names = [case.name for case in FAULTS + HEALTHY]
    assert len(set(names)) == len(names)


def test_one_line_is_marked_but_where_two_answers_are_right():
    assert {fault.name for fault in FAULTS if len(fault.lines) != 1} == {
        "function_of_ones_own",
        "stale_gradient",
    }


def test_marks_stand_where_an_expression_begins():
    for fault in FAULTS:
        source = fault.file.read_text().splitlines()
        assert not [line for line in fault.lines if source[line - 1].lstrip().startswith(")")], fault.name


def test_there_are_enough_of_each():
    assert len(FAULTS) >= 29
    assert len(HEALTHY) >= 15


@pytest.mark.parametrize(("fault", "device"), on_devices(FAULTS), ids=label)
def test_fault_breaks_its_step(fault, device):
    step = planted(fault, device)
    assert not ends_finite(step, step())


@pytest.mark.parametrize(("case", "device"), on_devices(HEALTHY), ids=label)
def test_look_alike_ends_finite(case, device):
    step = planted(case, device)
    assert ends_finite(step, step())
