"""`trace` finds every planted fault where it was planted, and reports no healthy look-alike."""

from __future__ import annotations

import pytest
from answers import mistakes
from catalogue import FAULTS, HEALTHY, label, on_devices
from planted import planted

from stability.numerics.trace import trace

# torch's own remarks on what is planted: a deviation of one frame, the old way of checkpointing
pytestmark = [
    pytest.mark.filterwarnings("ignore:std.*degrees of freedom is <= 0:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*requires_grad=True. Gradients will be None:UserWarning"),
]


@pytest.mark.parametrize(("fault", "device"), on_devices(FAULTS), ids=label)
def test_fault_is_found(fault, device):
    assert mistakes(fault, trace(planted(fault, device)), device) == {}


@pytest.mark.parametrize(("case", "device"), on_devices(HEALTHY), ids=label)
def test_look_alike_is_not_reported(case, device):
    assert trace(planted(case, device)) is None
