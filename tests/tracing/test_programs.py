"""Programs as their authors wrote them, after public reports of NaN: where each first broke is named exactly."""

from __future__ import annotations

import pytest
from truth import PROGRAMS, differs, truth_of

QUICK = {"log_of_zero", "masked_row", "pow_gradient", "guarded_log_healthy"}
EVERY = sorted(PROGRAMS.glob("*.py"))


@pytest.mark.parametrize(
    "program",
    [pytest.param(path, marks=() if path.stem in QUICK else pytest.mark.slow, id=path.stem) for path in EVERY],
)
def test_a_program_is_answered_truly(warm, program):
    found = warm.trace(program)
    assert found["status"] in (0, 1), found["printed"]
    assert (wrong := differs(truth_of(program), program, found)) is None, wrong
