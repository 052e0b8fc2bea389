"""The recorded classifiers load as they were recorded."""

import math
from collections import Counter

import pytest
from autotrainer_runs import Bug, Outcome, load_autotrainer

from stability.records import BEFORE_TRAINING, Measure


@pytest.fixture(scope="module")
def runs():
    return load_autotrainer()


def test_there_are_enough_of_each(runs):
    built = Counter(run.bug for run in runs)
    assert built[Bug.NONE] >= 15 and sum(built.values()) - built[Bug.NONE] >= 30
    assert min(built[bug] for bug in Bug) >= 8
    assert sum(run.buggy for run in runs) >= 30
    assert sum(run.outcome is Outcome.FINE for run in runs) >= 15
    assert len({run.name for run in runs}) == len(runs)


def test_accuracy_and_finite_numbers_tell_the_outcome(runs):
    for run in runs:
        finite = all(math.isfinite(step.total) for step in run.steps)
        assert run.buggy == (run.outcome is Outcome.BAD)
        assert run.buggy or (finite and run.accuracy >= 0.6), run.name
        assert run.outcome is not Outcome.FINE or run.accuracy >= 0.8, run.name
        assert run.accuracy <= run.best_accuracy


def test_steps_and_evaluations_are_in_order(runs):
    for run in runs:
        assert [step.step for step in run.steps] == list(range(len(run.steps)))
        assert run.evaluations[0].epoch == BEFORE_TRAINING and run.evaluations[0].step == 0
        assert run.evaluations[-1].step == len(run.steps), run.name
        assert run.steps[-1].epoch == run.evaluations[-1].epoch


def test_gradients_are_measured_by_layer_at_every_step(runs):
    always = {Measure.GRAD_RMS, Measure.GRAD_RMS_FIRST, Measure.GRAD_RMS_LAST}
    for run in runs:
        assert all(always <= step.measures.keys() for step in run.steps), run.name
        sampled = {name for step in run.steps for name in step.measures}
        assert {Measure.UPDATE_RATIO, Measure.ZERO_GRAD_SHARE} <= sampled, run.name
