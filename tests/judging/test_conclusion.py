"""What the yardstick and the training loss show together: every cell that is told apart."""

import random

import pytest

from stability.judging.conclusion import conclude
from stability.judging.findings import Series
from stability.judging.policy import Policy
from stability.judging.shape import Course, shape
from stability.records import EventKind, Severity, VerdictLabel

STABLE, UNSTABLE, DIVERGED, STUCK, INCONCLUSIVE = (
    VerdictLabel.STABLE,
    VerdictLabel.UNSTABLE,
    VerdictLabel.DIVERGED,
    VerdictLabel.STUCK,
    VerdictLabel.INCONCLUSIVE,
)
LEARNED, SPIKED, PART, BACK, RETURNED, ABOVE, EXPLODED, ROSE, FLAT, SHORT = (
    Course.LEARNED,
    Course.SPIKED,
    Course.PART,
    Course.BACK,
    Course.RETURNED,
    Course.ABOVE,
    Course.EXPLODED,
    Course.ROSE,
    Course.FLAT,
    Course.SHORT,
)


def noisy(*stretches):
    """Stretches of (level, length), with the same little noise."""
    dice = random.Random(1)
    return [level + dice.gauss(0.0, 0.01) for level, length in stretches for _ in range(length)]


TRAINING = {
    LEARNED: noisy((3.0, 20), (2.0, 40), (1.0, 140)),
    SPIKED: noisy((3.0, 20), (2.0, 40), (90.0, 10), (1.0, 130)),
    PART: noisy((3.0, 20), (1.0, 80), (2.2, 100)),
    BACK: noisy((3.0, 20), (1.0, 80), (5.0, 100)),
    RETURNED: noisy((3.0, 2), (50.0, 10), (3.0, 188)),
    ABOVE: [*noisy((3.0, 4)), *(9.0 + i / 66 for i in range(196))],
    EXPLODED: noisy((3.0, 20), (1.0, 176), (400.0, 4)),
    ROSE: noisy((3.0, 60), (3.3, 60), (3.6, 80)),
    FLAT: noisy((3.0, 200)),
    SHORT: [3.0, 2.9, 2.8],
}
YARDSTICK = {
    LEARNED: [3.0, 2.0, 1.5, 1.2, 1.1, 1.0, 1.0, 1.0, 1.0, 1.0],
    SPIKED: [3.0, 40.0, 2.9, 2.5, 2.2, 2.0, 1.9, 1.8, 1.7, 1.6],
    PART: [3.0, 1.0, 1.0, 1.0, 1.0, 2.2, 2.2, 2.2, 2.2, 2.2],
    BACK: [3.0, 1.0, 1.0, 1.0, 1.0, 9.0, 9.0, 9.0, 9.0, 9.0],
    ABOVE: [3.0, 6.0, 6.5, 7.0, 7.5, 8.0, 9.0, 10.0, 11.0, 12.0],
    ROSE: [3.0, 3.0, 3.01, 3.02, 3.01, 3.03, 3.02, 3.04, 3.03, 3.04],
    FLAT: [3.0, 3.01, 2.99, 3.0, 3.02, 2.98, 3.01, 2.99, 3.0, 3.0],
    RETURNED: [3.0, 50.0, 40.0, 3.02, 2.98, 3.01, 2.99, 3.02, 2.99, 3.0],
}
EVALUATED = {**YARDSTICK, EXPLODED: [3.0] + [2.0 - i / 40 for i in range(36)] + [90.0, 90.0]}


def conclusion(training, evaluated=(), *, directed=True, before=True, policy=None):
    steps = [20 * i for i in range(len(evaluated))]
    return conclude(
        Series("total", range(len(training)), training, directed=directed),
        Series("yardstick", steps, evaluated),
        policy or Policy(),
        before=before,
    )


@pytest.mark.parametrize("course", TRAINING)
def test_the_training_losses_of_this_file_are_what_they_are_called(course):
    assert shape(TRAINING[course], Policy()).course is course


@pytest.mark.parametrize("course", EVALUATED)
def test_the_yardsticks_of_this_file_are_what_they_are_called(course):
    assert shape(EVALUATED[course], Policy(), exact_start=True).course is course


# One row a yardstick, one column a training loss: L S P B V (returned) A X (exploded) R F, and - for too short.
COLUMNS = (LEARNED, SPIKED, PART, BACK, RETURNED, ABOVE, EXPLODED, ROSE, FLAT, SHORT)
CELLS = {
    LEARNED: (STABLE, STABLE, STABLE, STABLE, UNSTABLE, STABLE, UNSTABLE, STABLE, STABLE, STABLE),
    SPIKED: (UNSTABLE, UNSTABLE, UNSTABLE, DIVERGED, UNSTABLE, DIVERGED, DIVERGED, *(UNSTABLE,) * 3),
    PART: (UNSTABLE,) * 10,
    BACK: (UNSTABLE, UNSTABLE, *(DIVERGED,) * 8),
    RETURNED: (UNSTABLE, UNSTABLE, *(DIVERGED,) * 8),
    ABOVE: (UNSTABLE, UNSTABLE, *(DIVERGED,) * 6, UNSTABLE, DIVERGED),
    EXPLODED: (UNSTABLE, UNSTABLE, *(DIVERGED,) * 8),
    ROSE: (UNSTABLE, UNSTABLE, INCONCLUSIVE, *(DIVERGED,) * 5, INCONCLUSIVE, INCONCLUSIVE),
    FLAT: (STUCK, DIVERGED, STUCK, *(DIVERGED,) * 4, STUCK, STUCK, STUCK),
}


@pytest.mark.parametrize(
    ("measured", "loss", "label"),
    [
        (row, column, label)
        for row, labels in CELLS.items()
        for column, label in zip(COLUMNS, labels, strict=True)
    ],
)
def test_a_yardstick_and_a_training_loss_that_should_fall(measured, loss, label):
    found = conclusion(TRAINING[loss], EVALUATED[measured])
    assert found.label is label
    assert (found.event is None) == (label in (STABLE, INCONCLUSIVE))
    if found.event is not None:
        assert found.event.severity is (Severity.LOST if label is DIVERGED else Severity.WARNING)


UNDIRECTED = {
    LEARNED: (*(STABLE,) * 6, UNSTABLE, STABLE, STABLE, STABLE),
    SPIKED: (UNSTABLE,) * 10,
    PART: (UNSTABLE,) * 10,
    BACK: (DIVERGED,) * 10,
    RETURNED: (DIVERGED,) * 10,
    ABOVE: (*(DIVERGED,) * 8, UNSTABLE, DIVERGED),
    EXPLODED: (DIVERGED,) * 10,
    ROSE: (INCONCLUSIVE,) * 10,
    FLAT: (STUCK,) * 10,
}


@pytest.mark.parametrize(
    ("measured", "loss", "label"),
    [
        (r, column, label)
        for r, labels in UNDIRECTED.items()
        for column, label in zip(COLUMNS, labels, strict=True)
    ],
)
def test_a_training_loss_without_direction_says_little(measured, loss, label):
    assert conclusion(TRAINING[loss], EVALUATED[measured], directed=False).label is label


@pytest.mark.parametrize(
    ("loss", "label"),
    [
        (LEARNED, STABLE),
        (SPIKED, UNSTABLE),
        (PART, UNSTABLE),
        (BACK, DIVERGED),
        (RETURNED, DIVERGED),
        (ABOVE, DIVERGED),
        (EXPLODED, DIVERGED),
        (ROSE, INCONCLUSIVE),
        (FLAT, STUCK),
        (SHORT, INCONCLUSIVE),
    ],
)
def test_without_evaluations_the_training_loss_decides_if_it_has_a_direction(loss, label):
    assert conclusion(TRAINING[loss]).label is label
    assert conclusion(TRAINING[loss], directed=False).label is INCONCLUSIVE


def test_no_numbers_at_all_are_inconclusive():
    found = conclusion([])
    assert (found.label, found.event) == (INCONCLUSIVE, None)
    assert found.evidence == "0 numbers of total: at least 4 are needed to tell how it goes"
    assert conclusion([2.0]).evidence == "1 number of total: at least 4 are needed to tell how it goes"


def test_a_loss_without_direction_that_ends_at_ten_thousand_times_its_start_is_lost():
    hopeless = [*noisy((3.0, 20)), *noisy((9e4, 180))]
    assert conclusion(hopeless, directed=False).label is DIVERGED
    assert (
        conclusion([value / 10 if value > 9.0 else value for value in hopeless], directed=False).label
        is INCONCLUSIVE
    )


def test_a_flat_loss_shows_nothing_where_it_scatters_about_0():
    dice = random.Random(2)
    policy_loss = [0.1, *(dice.gauss(0.0, 0.1) for _ in range(198)), -0.1]
    found = conclusion(policy_loss)
    assert (found.label, found.event) == (INCONCLUSIVE, None)
    assert found.evidence.startswith("total 0.1 to -0.1; healthy trainings may do that, too: evaluate")
    assert conclusion([3.0 + value for value in policy_loss]).label is STUCK
    assert conclusion([0.0] * 200).label is STUCK  # it scatters not at all


@pytest.mark.parametrize("evaluated", [[3.0, 2.0], [3.0, 3.5, 2.0]])
def test_two_or_three_evaluations_that_fell_agree_with_a_loss_that_did(evaluated):
    found = conclusion(TRAINING[LEARNED], evaluated)
    assert (found.label, found.evidence) == (STABLE, "yardstick 3 to 2")


@pytest.mark.parametrize("evaluated", [[3.0, 3.0], [3.0, 3.1], [3.0, 1.0, 3.2]])
def test_two_or_three_evaluations_that_did_not_fall_disagree(evaluated):
    found = conclusion(TRAINING[LEARNED], evaluated)
    assert (found.label, found.event.where) == (UNSTABLE, "yardstick")


def test_two_evaluations_that_fell_contradict_a_loss_that_stood_still():
    found = conclusion(TRAINING[FLAT], [3.0, 2.0])
    assert (found.label, found.evidence) == (
        INCONCLUSIVE,
        "2 numbers of yardstick: at least 4 are needed to tell how it goes",
    )
    assert conclusion(TRAINING[FLAT], [3.0, 2.98]).label is STUCK  # less than a hundredth
    assert conclusion(TRAINING[FLAT], [3.0, 2.98], policy=Policy(stuck_drop=1e-3)).label is INCONCLUSIVE


@pytest.mark.parametrize(("loss", "label"), [(BACK, DIVERGED), (PART, UNSTABLE), (ROSE, INCONCLUSIVE)])
def test_two_evaluations_leave_a_bad_loss_as_it_is(loss, label):
    assert conclusion(TRAINING[loss], [3.0, 2.0]).label is label


def test_two_evaluations_a_million_times_apart_say_that_it_is_lost():
    found = conclusion(TRAINING[FLAT], [1.0, 1e9])
    assert (found.label, found.event.kind) == (UNSTABLE, EventKind.BLOW_UP)
    assert conclusion(TRAINING[BACK], [1.0, 1e9]).label is DIVERGED


def test_without_one_before_training_three_evaluations_say_nothing_and_four_do():
    assert conclusion(TRAINING[FLAT], [3.0, 2.0, 1.0], before=False).label is STUCK
    assert conclusion(TRAINING[LEARNED], [1.0, 1.0, 1.1], before=False).label is STABLE
    assert conclusion(TRAINING[FLAT], [4.0, 3.0, 2.0, 1.0], before=False).label is INCONCLUSIVE


def test_one_evaluation_says_nothing():
    assert conclusion(TRAINING[LEARNED], [3.0]).evidence.startswith("total ")


def test_a_loss_that_ends_far_above_its_start_outweighs_a_yardstick_that_fell():
    far = noisy((3.0, 20), (1.0, 80), (400.0, 100))
    assert conclusion(far, YARDSTICK[LEARNED]).label is UNSTABLE
    assert conclusion(far, YARDSTICK[LEARNED], directed=False).label is UNSTABLE


def test_a_spike_ten_thousand_times_what_was_learned_outweighs_a_yardstick_that_fell():
    dwarfed = noisy((3.0, 20), (2.0, 40), (1e5, 10), (1.0, 130))
    assert conclusion(dwarfed, YARDSTICK[LEARNED]).label is UNSTABLE
    assert conclusion(dwarfed, YARDSTICK[LEARNED], directed=False).label is STABLE


def test_a_flat_yardstick_that_swings_up_says_nothing_of_a_loss_that_rose():
    swings = [3.0, 3.05, 2.95, 3.01, 3.3, 2.96, 3.04, 2.95, 3.02, 3.0]
    assert shape(swings, Policy(), exact_start=True).course is FLAT
    assert conclusion(TRAINING[ROSE], swings).label is INCONCLUSIVE
    assert conclusion(TRAINING[FLAT], swings).label is STUCK


@pytest.mark.parametrize(
    ("values", "kind", "value", "threshold"),
    [
        (TRAINING[BACK], EventKind.GAVE_BACK, 2.0, None),
        (TRAINING[PART], EventKind.GAVE_BACK, 0.6, None),
        (TRAINING[RETURNED], EventKind.RETURNED, 50.0, 3.0),
        (TRAINING[SPIKED], EventKind.EXCURSION, 90.0, 3.0),
        (TRAINING[EXPLODED], EventKind.BLOW_UP, 400.0, 3.0),
        (TRAINING[ABOVE], EventKind.BLOW_UP, 11.8, 3.0),
        (TRAINING[FLAT], EventKind.STUCK, 3.0, 3.0),
    ],
)
def test_the_event_tells_what_happened_with_its_levels(values, kind, value, threshold):
    event = conclusion(values).event
    assert (event.kind, event.where) == (kind, "total")
    assert event.value == pytest.approx(value, abs=0.1)
    assert event.threshold == (None if threshold is None else pytest.approx(threshold, abs=0.1))


def test_the_step_is_that_of_the_number_where_it_began():
    values = TRAINING[BACK]
    series = Series("total", [10 * i for i in range(len(values))], values)
    found = conclude(series, Series("yardstick", [], []), Policy(), before=False)
    assert found.event.step == 1000


@pytest.mark.parametrize("evaluated", [[3.0, 3000.0, 3.0, 3.01, 3.0, 3.0, 3.01, 3.0], [3.0, 300.0, 3.03, 3.01]])
def test_one_evaluation_at_a_thousandfold_is_no_accident_though_no_logged_step_shows_it(evaluated):
    found = conclusion(TRAINING[FLAT], evaluated)
    assert (found.label, found.event.kind) == (DIVERGED, EventKind.RETURNED)
    coarse = conclusion(TRAINING[FLAT], [3.0 if value < 100.0 else 4.0 for value in evaluated])
    assert coarse.label is STUCK


WOBBLY = [3.6, 45.0, 49.0, 37.0, 21.5]
SPEECH = {LEARNED: [3.63, 4.33, 2.71, 1.93, 1.95], ROSE: [5.2, 72.3, 388.0, 1910.0, 588.0]}


def test_few_evaluations_that_end_at_twice_the_first_are_lost_though_they_come_down():
    assert conclusion(TRAINING[SHORT], WOBBLY).label is DIVERGED
    assert conclusion(TRAINING[LEARNED], WOBBLY).label is UNSTABLE


def test_few_evaluations_that_all_end_far_below_the_first_show_that_it_learned():
    noise = [3.9, 10.8, 20.8, 24.8, 14.4, 24.7, 25.5, 14.5, 19.3, 19.9, 10.9, 15.1, 13.4, 14.0, 8.96, 9.96]
    assert conclusion(noise, SPEECH[LEARNED]).label is STABLE
    assert conclusion(noise, [3.63, 3.62, 3.63, 3.61, 3.62]).label is STUCK


def test_a_few_losses_that_are_declared_to_fall_and_stay_at_twice_the_first_are_lost():
    values = [4.85, 17.0, 692.0, 38.0, 28.4, 20.6, 31.0, 28.4, 16.4, 22.7, 16.3, 13.1]
    steps, nothing = range(len(values)), Series("yardstick", [], [])
    assert conclude(Series("total", steps, values), nothing, Policy(), before=False).label is INCONCLUSIVE
    assert conclude(Series("total", steps, values, declared=True), nothing, Policy(), before=False).label is DIVERGED


SWINGS = [3.76, 1.91, 2.6, 2.53, 2.11, 1.74, 1.66, 6.37, 61.3, 162.0, 6.61, 2.76, 3.54, 2.41, 2.04]


@pytest.mark.parametrize(
    ("evaluated", "label", "kind"),
    [
        ([3.94, 1.8, 6.14, 1.67], UNSTABLE, EventKind.EXCURSION),
        ([4.33, 1.66, 5.77, 3.45], UNSTABLE, EventKind.GAVE_BACK),
        ([1.87, 2.76, 1.46, 1.68, 1.17], UNSTABLE, EventKind.EXCURSION),
        ([3.94, 3.96, 3.93, 3.95], STUCK, EventKind.STUCK),
    ],
)
def test_a_yardstick_that_went_far_up_and_down_is_not_called_stuck(evaluated, label, kind):
    found = conclusion(SWINGS[:7] + SWINGS[10:], evaluated)
    assert (found.label, found.event.kind) == (label, kind)


def test_a_yardstick_that_swings_below_its_start_leaves_it_open():
    assert conclusion(SWINGS, [4.0, 2.4, 3.1, 2.0, 2.9, 2.1, 3.2, 2.3]).label is INCONCLUSIVE


def test_a_yardstick_that_went_far_up_and_ends_at_half_its_start_recovered():
    measured = [5.24, 31.1, 15.3, 9.76, 2.58]
    assert conclusion([5.49, 5.43, 7.59, 24.4, 33.7, 6.69, 35.0, 23.9, 14.6, 9.87], measured).label is UNSTABLE
    assert conclusion(TRAINING[RETURNED], measured).label is UNSTABLE
    assert conclusion(TRAINING[SHORT], [*measured[:-1], 5.1]).label is DIVERGED
    assert conclusion(TRAINING[RETURNED], [1.77, 8.96, 1.75, 1.64, 1.12]).label is UNSTABLE
    assert conclusion(TRAINING[RETURNED], [1.8, 3.63, 2.49, 2.39, 1.99, 1.95, 1.64]).label is DIVERGED


@pytest.mark.parametrize("steps", [5, 50])
@pytest.mark.parametrize("evaluated", [[0.69, 0.69, 0.70, 0.69, 0.69], [0.6931, 0.6932, 0.70, 0.6930, 0.6931]])
def test_a_few_hundredths_up_and_back_are_no_excursion_of_few_evaluations(steps, evaluated):
    assert conclusion([0.69] * steps, evaluated).label is STUCK
    large = [500.0 if value == 0.70 else value for value in evaluated]
    assert conclusion([0.69] * steps, large).label is DIVERGED


def test_few_evaluations_that_rise_to_their_end_are_not_called_stuck():
    rises = [3.0, 1.37, 1.36, 2.47, 4.06, 5.99]
    assert conclusion(TRAINING[ROSE], rises).label is INCONCLUSIVE
    assert conclusion(TRAINING[ROSE], [*rises[:-1], 6.1]).label is DIVERGED  # more than twice the first
    assert conclusion(TRAINING[FLAT], rises).label is INCONCLUSIVE
    assert conclusion(TRAINING[FLAT], [3.0, 3.01, 2.99, 3.0, 2.98, 3.02]).label is STUCK


def test_a_yardstick_and_a_loss_that_both_gave_nearly_all_back_at_the_end_are_lost():
    evaluated = [9.0, 7.5, 6.1, 5.0, 4.2, 3.6, 3.2, 2.9, 2.7, 2.5, 2.3, 2.2, 2.1, 2.1, 2.0, 2.0, 2.0, 2.0, 2.0, 200.0]
    assert conclusion(TRAINING[BACK], evaluated).label is DIVERGED
    assert conclusion(TRAINING[FLAT], evaluated).label is UNSTABLE


@pytest.mark.parametrize(("evaluated", "label"), [([3.0, 1.0, 2.9], DIVERGED), ([3.0, 1.0, 2.2], UNSTABLE)])
def test_two_or_three_evaluations_do_not_soften_a_loss_that_broke(evaluated, label):
    assert conclusion(TRAINING[BACK], evaluated).label is label
    assert conclusion(TRAINING[BACK], [3.0, 3.1]).label is DIVERGED


LATE = [4.0, 3.0, 2.0, 1.5, 1.4]


@pytest.mark.parametrize(
    ("loss", "evaluated", "label"),
    [
        (LEARNED, LATE, STABLE),
        (RETURNED, LATE, UNSTABLE),
        (ABOVE, LATE, UNSTABLE),
        (ROSE, LATE, INCONCLUSIVE),
        (FLAT, LATE, INCONCLUSIVE),
        (LEARNED, [1.0, 1.01, 0.99, 1.0, 1.0], STABLE),
        (FLAT, [3.0, 3.01, 2.99, 3.0, 3.0], INCONCLUSIVE),
        (FLAT, [3.0, 2.999, 2.998, 2.997, 2.996], STUCK),
    ],
)
def test_evaluations_that_begin_late_do_not_hide_what_the_training_did_before(loss, evaluated, label):
    found = conclusion(TRAINING[loss], evaluated, before=False)
    assert found.label is label
    assert (label is INCONCLUSIVE) == ("evaluate once before training" in found.evidence)
