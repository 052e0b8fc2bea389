"""Observations of several sources -> steps and evaluations in the order of the training."""

import math

import pytest

from stability.logs.observation import Observation
from stability.logs.timeline import Kind, Timeline
from stability.records import BEFORE_TRAINING


class Tape:
    """Keeps what is recorded."""

    def __init__(self) -> None:
        self.steps, self.evaluations, self.measures = [], [], []

    def step(self, losses, *, epoch, step, measures, **scalars):
        self.steps.append((step, epoch, {**losses, **scalars}))
        self.measures.append(measures)

    def evaluate(self, losses, epoch):
        self.evaluations.append((epoch, losses))


def timeline(weighed=("mel",), **kinds: Kind):
    tape = Tape()
    return tape, Timeline(tape, kinds or {"log": Kind()}, weighed)


def says(values, step=None, epoch=None, *, evaluation=False):
    return Observation(values, step, epoch, evaluation)


def test_the_last_number_of_a_step_wins_and_steps_come_once():
    tape, line = timeline()
    for mel in (0.9, 0.8, 0.7):
        line.add("log", says({"mel": mel}, 0))
    line.add("log", says({"mel": 0.6}, 1))
    assert tape.steps == [(0, None, {"mel": 0.7})]
    line.finish()
    assert tape.steps[1:] == [(1, None, {"mel": 0.6})]


def test_a_loss_that_is_not_finite_is_recorded_at_once():
    tape, line = timeline()
    line.add("log", says({"mel": math.nan}, 3))
    assert tape.steps[0][0] == 3


def test_steps_that_start_again_with_each_epoch_are_counted_on():
    tape, line = timeline()
    for epoch in (1, 2):
        for step in (1, 2, 3):
            line.add("log", says({"mel": 1.0}, step, epoch))
    line.finish()
    assert [(step, epoch) for step, epoch, _ in tape.steps] == [
        (1, 0),
        (2, 0),
        (3, 0),
        (4, 1),
        (5, 1),
        (6, 1),
    ]


def test_steps_that_start_again_without_an_epoch_begin_one():
    tape, line = timeline()
    for _ in range(2):
        for step in (0, 100, 200):
            line.add("log", says({"mel": 1.0}, step))
    line.finish()
    assert [(step, epoch) for step, epoch, _ in tape.steps] == [
        (0, None), (100, None), (200, None), (201, 1), (301, 1), (401, 1)
    ]  # fmt: skip


def test_a_log_without_steps_counts_by_itself():
    tape, line = timeline(log=Kind(names_steps=False))
    for epoch in (1, 2):
        line.add("log", says({"mel": 1.0}, epoch=epoch))
        line.add("log", says({"kl": 2.0}, epoch=epoch))
    line.finish()
    assert tape.steps == [(0, 0, {"mel": 1.0, "kl": 2.0}), (1, 1, {"mel": 1.0, "kl": 2.0})]


def test_two_sources_meet_at_their_steps():
    tape, line = timeline(csv=Kind(), log=Kind())
    for step in range(3):
        line.add("log", says({"lr": 0.1}, step))
    assert tape.steps == []
    for step in range(3):
        line.add("csv", says({"mel": float(step)}, step))
    line.finish()
    assert [values for _, _, values in tape.steps] == [{"lr": 0.1, "mel": float(step)} for step in range(3)]


def test_a_source_without_steps_speaks_of_the_newest_one():
    tape, line = timeline(stdout=Kind(), stderr=Kind(names_steps=False))
    line.add("stdout", says({"mel": 1.0}, 5))
    line.add("stdout", says({"mel": 1.0}, 6))
    line.add("stderr", says({"total": math.nan}))
    assert [step for step, _, _ in tape.steps] == [5, 6]
    assert math.isnan(tape.steps[1][2]["total"])


def test_a_silent_stream_is_not_waited_for():
    tape, line = timeline(stdout=Kind(is_stream=True), stderr=Kind(is_stream=True))
    for step in range(3):
        line.add("stderr", says({"mel": 1.0}, step))
    assert [step for step, _, _ in tape.steps] == [0, 1]


def test_of_two_sources_without_steps_the_first_to_speak_counts_them():
    tape, line = timeline(stdout=Kind(names_steps=False), stderr=Kind(names_steps=False))
    for _ in range(3):
        line.add("stderr", says({"mel": 1.0}))
    line.add("stdout", says({"kl": 1.0}))
    line.finish()
    assert [values for _, _, values in tape.steps] == [{"mel": 1.0}, {"mel": 1.0}, {"mel": 1.0, "kl": 1.0}]


@pytest.mark.parametrize("names_steps", [True, None, False])
def test_the_source_that_says_little_does_not_lead(names_steps):
    kind = Kind(names_steps=names_steps, is_stream=True)
    tape, line = timeline(stdout=kind, stderr=kind)
    line.add("stdout", says({"total": 9.0}))
    for i in range(40):
        line.add("stderr", says({"total": 8.0 - i / 10}))
    assert len(tape.steps) == 39  # recorded as they come
    line.add("stdout", says({"total": 5.0}))
    line.add("stdout", says({"total": 4.0}, evaluation=True))
    line.finish()
    assert [step for step, _, _ in tape.steps] == list(range(40))
    assert line.replaced == 2
    assert tape.evaluations == []  # it lacks mel
    assert line.incomplete == 1


def test_a_source_that_counts_follows_one_that_names_steps_later():
    kind = Kind(is_stream=True)
    tape, line = timeline(stdout=kind, stderr=kind)
    line.add("stdout", says({"mel": 9.0}))
    for step in range(1, 5):
        line.add("stderr", says({"mel": 1.0}, step))
    line.add("stdout", says({"kl": 2.0}))
    line.finish()
    assert [(step, values) for step, _, values in tape.steps] == [
        (0, {"mel": 9.0}), (1, {"mel": 1.0}), (2, {"mel": 1.0}), (3, {"mel": 1.0}), (4, {"mel": 1.0, "kl": 2.0})
    ]  # fmt: skip


def test_numbers_before_the_first_step_that_is_named_keep_places_of_their_own():
    tape, line = timeline()
    for mel in (9.0, 8.0):
        line.add("log", says({"mel": mel}))
    line.add("log", says({"mel": 7.0}, 0))
    line.add("log", says({"mel": 6.0}, 1))
    line.finish()
    assert [(step, values["mel"]) for step, _, values in tape.steps] == [
        (0, 9.0),
        (1, 8.0),
        (2, 7.0),
        (3, 6.0),
    ]


def test_two_sources_that_count_and_are_at_the_same_pace_meet():
    kind = Kind(names_steps=False, is_stream=True)
    tape, line = timeline(stdout=kind, stderr=kind)
    for i in range(5):
        line.add("stdout", says({"mel": float(i)}))
        line.add("stderr", says({"kl": float(i)}))
    line.finish()
    assert [values for _, _, values in tape.steps] == [{"mel": float(i), "kl": float(i)} for i in range(5)]


def test_nan_without_a_step_does_not_replace_a_finite_number():
    tape, line = timeline(stdout=Kind(), stderr=Kind(names_steps=False))
    line.add("stdout", says({"mel": 1.0, "total": 2.0}, 5))
    line.add("stderr", says({"total": math.nan}))
    line.finish()
    assert tape.steps[0] == (5, None, {"mel": 1.0, "total": 2.0})
    assert tape.steps[1][0] == 6
    assert math.isnan(tape.steps[1][2]["total"])


def test_numbers_for_a_step_that_was_recorded_are_counted_as_late():
    tape, line = timeline()
    line.add("log", says({"mel": math.nan}, 3))
    line.add("log", says({"kl": 1.0}, 3))
    line.finish()
    assert line.late == 1
    assert len(tape.steps) == 1


def test_evaluations_come_after_their_step_and_before_training_without_any():
    tape, line = timeline()
    line.add("log", says({"mel": 2.0}, evaluation=True))
    line.add("log", says({"mel": 1.0}, 0, 1))
    line.add("log", says({"mel": 0.9}, epoch=1, evaluation=True))
    line.add("log", says({"mel": 0.8}, 1, 2))
    line.add("log", says({"mel": 0.7}, epoch=2, evaluation=True))
    line.finish()
    assert tape.evaluations == [(BEFORE_TRAINING, {"mel": 2.0}), (0, {"mel": 0.9}), (1, {"mel": 0.7})]


def test_evaluations_count_epochs_where_none_is_named():
    tape, line = timeline()
    line.add("log", says({"mel": 2.0}, evaluation=True))
    for step in range(4):
        line.add("log", says({"mel": 1.0}, step))
        if step % 2:
            line.add("log", says({"mel": 0.9}, evaluation=True))
    line.add("log", says({"mel": 1.0}, 4))
    line.finish()
    assert [epoch for epoch, _ in tape.evaluations] == [BEFORE_TRAINING, 0, 1]
    assert [epoch or 0 for _, epoch, _ in tape.steps] == [0, 0, 1, 1, 2]


def test_an_epoch_that_stands_alone_counts_for_evaluations_too():
    tape, line = timeline()
    for epoch in (1, 2):
        line.add("log", says({}, epoch=epoch))
        line.add("log", says({}, epoch=epoch, evaluation=True))
        line.add("log", says({"mel": 1.0}))
        line.add("log", says({"mel": 0.9}))
        line.add("log", says({"mel": 0.9}, evaluation=True))
    line.finish()
    assert [epoch for _, epoch, _ in tape.steps] == [0, 0, 1, 1]
    assert [epoch for epoch, _ in tape.evaluations] == [0, 1]
    assert line.incomplete == 0


def test_a_step_that_says_no_epoch_is_in_that_of_the_step_before_it():
    tape, line = timeline(stdout=Kind(is_stream=True), stderr=Kind(is_stream=True))
    line.add("stdout", says({"mel": 1.0}, 1, 1))
    line.add("stdout", says({"mel": 1.0}, 3, 2))
    line.add("stderr", says({"mel": 1.0}, 4))
    line.finish()
    assert [epoch for _, epoch, _ in tape.steps] == [0, 1, 1]


def test_an_evaluation_without_all_that_is_weighed_is_counted_not_recorded():
    tape, line = timeline(weighed=("mel", "kl"))
    line.add("log", says({"mel": 1.0, "kl": 1.0}, 0))
    line.add("log", says({"mel": 1.0}, evaluation=True))
    line.finish()
    assert (tape.evaluations, line.incomplete) == ([], 1)


def test_an_evaluation_that_lacks_a_part_is_recorded_if_another_is_not_finite():
    tape, line = timeline(weighed=("mel", "kl"))
    line.add("log", says({"mel": 1.0, "kl": 1.0}, 0))
    line.add("log", says({"mel": math.inf}, evaluation=True))
    line.finish()
    assert tape.evaluations == [(0, {"mel": math.inf})]


def test_a_learning_rate_that_stands_alone_goes_to_the_next_step_with_a_loss():
    tape, line = timeline()
    line.add("log", says({"lr": 0.1}, 0))
    line.add("log", says({"mel": 1.0}, 1))
    line.finish()
    assert tape.steps == [(1, None, {"lr": 0.1, "mel": 1.0})]


@pytest.mark.parametrize(
    ("losses", "digits"), [((0.69, 0.7), 2.0), ((7.597, 0.70), 4.0), ((0.6912345, 0.1), None)]
)
def test_losses_printed_with_few_digits_are_marked(losses, digits):
    tape, line = timeline()
    for step, mel in enumerate(losses):
        line.add("log", says({"mel": mel}, step))
    line.finish()
    assert tape.measures[-1] == (digits and {"printed_digits": digits})


def test_memory_stays_bounded_when_one_source_is_silent():
    tape, line = timeline(csv=Kind(), log=Kind())
    for step in range(25_000):
        line.add("log", says({"mel": 1.0}, step))
    assert len(tape.steps) == 15_000
