"""Update sizes and attention logits."""

import pytest
from courses import INF, NAN, events, measured

from stability.judging.policy import Policy
from stability.records import Severity, Step


def updates(ratios, **options):
    found = events(measured(update_ratio=ratios), kind="update_ratio", **options)
    assert all(event.severity is Severity.WARNING for event in found)
    return [(event.threshold, event.step) for event in found]


def test_large_updates_that_last_have_an_event_a_level():
    assert updates([0.2] * 5) == [(0.15, 2)]
    assert updates([0.2] * 3 + [0.5] * 3) == [(0.15, 2), (0.3, 5)]
    assert updates([0.5] * 3 + [0.2] * 9) == [(0.3, 2)]  # the lower level adds nothing to the higher
    assert updates([0.2, 0.2, 0.01] * 5) == []
    assert updates([1e-3] * 20) == [] and updates([0.1] * 20) == []


def test_only_a_whole_run_without_movement_is_still():
    assert updates([1e-8] * 20) == []
    assert updates([1e-8] * 20, finished=True) == [(1e-6, 19)]
    assert (
        updates([1e-8] * 10 + [1e-4] + [1e-9] * 10, finished=True) == []
    )  # warm-up, and the end of a schedule
    assert updates([1e-8] * 2, finished=True) == []
    assert updates([0.0] * 5, finished=True) == [(1e-6, 4)]


@pytest.mark.parametrize("value", [NAN, INF])
def test_ratios_that_are_not_finite_decide_nothing(value):
    assert updates([value] * 9, finished=True) == []
    assert updates([1e-8] * 9 + [value], finished=True) == []
    assert updates([0.2, 0.2, value] * 5) == []


def test_skipped_steps_moved_nothing_by_intention():
    steps = [Step(i, {"mel": 2.0 - i}, skipped=True, measures={"update_ratio": 0.0}) for i in range(5)]
    assert events(steps, kind="update_ratio", finished=True) == []


def logits(values, **options):
    found = events(measured(attention_logit=values), kind="attention_logits", **options)
    severities = {50.0: Severity.FACT, 1e4: Severity.WARNING}
    assert all(event.severity is severities[event.threshold] for event in found)
    return [(event.threshold, event.step) for event in found]


def test_logits_that_are_large_and_rise():
    assert logits([10.0, 40.0, 48.0, 55.0]) == [(50.0, 3)]
    assert logits([60.0] * 9) == [] and logits([60.0, 61.0, 62.0]) == []  # large, and steady
    assert logits([60.0, 80.0, 55.0, 75.0]) == []  # large, up and down
    assert logits([10.0, 20.0, 30.0, 40.0]) == []  # rising, and small
    assert logits([30.0, 60.0]) == []  # two samples are no rise


def test_logits_near_the_end_of_fp16_need_one_sample():
    assert logits([5.0, 2e4, 5.0]) == [(1e4, 1)] and logits([INF]) == [(1e4, 0)]
    assert logits([2e4] * 5, policy=Policy(attention_overflow=1e5)) == []


def test_samples_may_be_far_apart_and_nan():
    assert logits([20.0] + [None] * 60 + [40.0] + [None] * 60 + [55.0]) == [(50.0, 122)]
    assert logits([NAN] * 5) == [] and logits([40.0, NAN, 55.0, 60.0]) == []
