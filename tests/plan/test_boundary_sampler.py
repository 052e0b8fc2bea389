"""Optuna's published contract of a sampler, and what ours adds: it finds a boundary in a study."""

from __future__ import annotations

import pytest
from optuna.testing.pytest_samplers import BasicSamplerTestCase, RelativeSamplerTestCase

from stability.plan.boundary_sampler import BoundarySampler, StaircaseSampler


class TestPublishedContract(BasicSamplerTestCase, RelativeSamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: BoundarySampler("x", seed=0)


class TestStaircaseContract(BasicSamplerTestCase, RelativeSamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: StaircaseSampler("x", seed=0)
