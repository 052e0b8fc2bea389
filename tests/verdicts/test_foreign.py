"""Trials of a store as cases: labels by the written rule, on courses that a person can judge."""

import math

import pytest
from cases import Form, Label
from recording.foreign import Trial, case, cases_of, label, scale_of, weighed

from stability.records import Evaluation, Step
from stability.store import Store

START, BEST = 4.0, 2.0


def trial(course, losses=None, finished=True, rate=1e-3, name="study/compare/arm"):
    losses = losses or [START - 0.1 * step for step in range(20)]
    steps = [Step(number, {"loss": loss}, lr=rate) for number, loss in enumerate(losses)]
    evaluations = [(len(losses) * i // max(1, len(course) - 1), value) for i, value in enumerate(course)]
    return Trial(name, finished, steps, evaluations, losses, list(course), rate)


NORMAL = trial([START, 3.0, BEST], rate=1e-4)


def judged(*args, **kwargs):
    one = trial(*args, **kwargs)
    return label(one, scale_of([NORMAL, one]))


@pytest.mark.parametrize(
    ("course", "losses", "expected", "recovers"),
    [
        ([4.0, 3.0, 2.1], None, Label.FINE, False),
        ([4.0, 9.0, 2.1], None, Label.FINE, True),
        ([4.0, 2.5, 4.1], None, Label.LOST, False),
        ([4.0, 9.0, 8.0], None, Label.LOST, False),
        ([4.0, 3.99, 3.98], None, Label.SLOW, False),
        ([4.0, 3.99, 3.98], [4.0] + [50.0] * 19, Label.LOST, False),
        ([4.0, 3.5, 3.4], None, Label.GREY, False),
        ([4.0, math.nan, 2.0], None, Label.LOST, False),
        ([4.0, 3.0, 2.0], [4.0] * 19 + [math.inf], Label.LOST, False),
    ],
)
def test_a_finished_trial_is_labelled_by_its_yardstick(course, losses, expected, recovers):
    verdict, why, recovered = judged(course, losses)
    assert (verdict, recovered) == (expected, recovers), why


@pytest.mark.parametrize(
    ("course", "losses", "expected"),
    [
        ([4.0, 3.9], [4.0] * 10, Label.GREY),
        ([4.0, 40.0], [4.0] * 10, Label.LOST),
        ([4.0, 40.0, 9.0], [4.0] * 10, Label.GREY),
        ([4.0, 40.0], [4.0 - 0.1 * step for step in range(10)], Label.GREY),
        ([4.0], [4.0, 4.1] + [80.0] * 8, Label.LOST),
        ([4.0], [4.0, math.nan, 3.0], Label.LOST),
    ],
)
def test_a_trial_that_was_ended_early_is_grey_unless_it_was_plainly_lost(course, losses, expected):
    verdict, why, _ = judged(course, losses, finished=False)
    assert verdict is expected, why


def test_parts_that_a_trainer_leaves_out_of_its_nan_are_nan():
    steps = [Step(0, {"mel": 1.0}, total=1.0, lr=0.1), Step(1, {}, total=math.nan, lr=0.1)]
    one = Trial("s/a/b", False, steps, [], [1.0], [], 0.1)
    made = case(one, Label.LOST, "", False)
    assert made.components["mel"][0] == 1.0 and math.isnan(made.components["mel"][1])
    assert made.lr == [0.1, 0.1]


def test_a_yardstick_without_one_of_its_parts_is_an_error():
    assert math.isnan(weighed({"mel": math.nan}, {"mel": 1.0, "kl": 1.0}))
    with pytest.raises(ValueError, match="a yardstick without kl"):
        weighed({"mel": 1.0}, {"mel": 1.0, "kl": 1.0})


def test_every_trial_becomes_a_case_and_a_stopped_one_can_be_trained_to_its_end(run_study, study_file, capfd):
    spec, store, _ = run_study(study_file(function="diverges_slowly"), "plan=[{compare: {seeds: 1}}]")
    trials = store.trials(spec.name)
    stopped = trials["outcome"] == "STOPPED"
    assert stopped.any() and not stopped.all()
    cases = cases_of(Store(store.url, create=False), spec.name)
    assert [len(case.total) for case in cases] == list(trials["steps"])
    for one in cases:
        timeline = list(one.timeline(Form.EVALUATED))
        assert sum(isinstance(record, Step) for record in timeline) == len(one.total)
        assert sum(isinstance(record, Evaluation) for record in timeline) == len(one.evaluations)
    whole = cases_of(store, spec.name, to_the_end=True)
    assert {len(case.total) for case in whole} == {max(trials["steps"][~stopped])}
    assert "ended by itself" not in capfd.readouterr().out
