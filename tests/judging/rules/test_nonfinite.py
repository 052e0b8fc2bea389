"""Non-finite numbers: at once an event, the end where nothing undoes them, and what remains of them."""

import pytest
from courses import INF, NAN, course, events, kinds

from stability.judging.policy import Policy
from stability.judging.rules.nonfinite import lost_update, remains_nonfinite
from stability.judging.rules.rule import Context
from stability.records import BEFORE_TRAINING, Evaluation, EventKind, Records, Severity, Step

LOST, WARNING = Severity.LOST, Severity.WARNING


def told(found):
    return [(event.kind.value, event.where, event.step, event.severity) for event in found]


def test_each_component_has_its_own_first_event_in_order():
    steps = [
        Step(0, {"mel": 1.0, "kl": 1.0}, total=2.0),
        Step(1, {"mel": 1.0, "kl": INF}, total=INF),
        Step(2, {"mel": NAN, "kl": NAN}, total=NAN),
    ]
    assert kinds(events(steps)) == [("inf_loss", "kl", 1), ("inf_loss", "total", 1), ("nan_loss", "mel", 2)]


def test_three_broken_steps_in_a_row_end_a_training_at_the_first_of_them():
    assert told(events(course(3.0, 2.0, NAN, INF, NAN, NAN))) == [
        ("nan_loss", "mel", 2, WARNING),
        ("nan_loss", "mel", 2, LOST),
    ]
    assert told(events(course(3.0, NAN, NAN, 2.0, NAN, NAN, 1.0))) == [("nan_loss", "mel", 1, WARNING)]
    assert told(events(course(3.0, NAN, 2.0), policy=Policy(nonfinite_steps=1)))[-1] == ("nan_loss", "mel", 1, LOST)


def test_the_row_may_be_of_different_components():
    losses = [{"mel": 1.0, "kl": 1.0}, {"mel": 1.0, "kl": INF}, {"mel": NAN, "kl": 1.0}, {"mel": 1.0, "kl": NAN}]
    found = events([Step(i, values) for i, values in enumerate(losses)])
    assert told(found) == [
        ("inf_loss", "kl", 1, WARNING),
        ("nan_loss", "mel", 2, WARNING),
        ("inf_loss", "kl", 1, LOST),
    ]


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_the_total_is_a_loss_too(value):
    kind = "nan_loss" if value != value else "inf_loss"
    assert kinds(events([Step(0, {"mel": 1.0}, total=value)])) == [(kind, "total", 0)]


def test_a_step_that_a_scaler_skipped_may_have_any_loss():
    steps = [Step(i, {"mel": NAN}, grad_norm=INF, skipped=True) for i in range(10)]
    assert events(steps) == []


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_gradient_that_is_not_finite_is_told_once_and_weights_are_the_end(value):
    steps = [Step(i, {"mel": 1.0}, grad_norm=value) for i in range(5)]
    assert told(events(steps, kind="nan_grad")) == [("nan_grad", "grad_norm", 0, WARNING)]
    steps = [Step(i, {"mel": 1.0}, weight_norm=1.0 if i < 3 else value) for i in range(5)]
    assert told(events(steps)) == [("nonfinite_weight", "weight_norm", 3, LOST)]


def skipping(pattern, norm=INF):
    """A step a letter: `s` was skipped, with that norm; `n` has a NaN gradient and is not marked."""
    norms = {"s": norm, "n": NAN}
    return [
        Step(i, {"mel": 2.0 / (i + 1)}, grad_norm=norms.get(letter, 1.0), skipped=letter == "s")
        for i, letter in enumerate(pattern)
    ]


def test_a_scaler_that_skips_is_at_work_until_it_never_stops():
    assert events(skipping("s" * 39 + "." + "s" * 39 + ".")) == []
    [event] = events(skipping("." + "s" * 60))
    assert told([event]) == [("nan_grad", "skipped steps", 40, LOST)] and event.value == INF
    assert told(events(skipping("s" * 20 + "n" * 20))) == [
        ("nan_grad", "grad_norm", 20, WARNING),
        ("nan_grad", "grad_norm", 39, LOST),
    ]
    assert told(events(skipping("sss"), policy=Policy(skipped_steps=3))) == [("nan_grad", "skipped steps", 2, LOST)]


def test_a_step_skipped_with_a_finite_gradient_is_somebodys_choice():
    assert events(skipping("s" * 60, norm=1.0)) == []
    assert not lost_update(Step(0, {}, grad_norm=1.0, skipped=True))
    assert lost_update(Step(0, {}, grad_norm=INF)) and lost_update(Step(0, {}, skipped=True))
    assert not lost_update(Step(0, {}))


def test_skipped_steps_without_a_norm_are_an_infinite_gradient():
    [event] = events([Step(i, {"mel": 1.0}, skipped=True) for i in range(40)])
    assert (event.where, event.value, event.severity) == ("skipped steps", INF, LOST)


def evaluated(*values):
    return [Evaluation(8 * i, i - 1, {"mel": value, "kl": 0.0}) for i, value in enumerate(values)]


@pytest.mark.parametrize("value", [NAN, INF])
def test_two_nonfinite_evaluations_in_a_row_are_the_end(value):
    found = told(events(evaluations=evaluated(2.0, value, value)))
    assert [one[1:] for one in found] == [("yardstick/mel", 7, WARNING), ("yardstick/mel", 15, LOST)]
    found = told(events(evaluations=evaluated(2.0, value, 1.0, value)))
    assert [one[3] for one in found] == [WARNING, WARNING]


def test_an_evaluation_before_training_counts_as_step_0():
    [event] = events(evaluations=[Evaluation(0, BEFORE_TRAINING, {"mel": NAN, "kl": 0.0})])
    assert (event.where, event.step, event.severity) == ("yardstick/mel", 0, WARNING)


def remains(steps=(), evaluations=()):
    event = remains_nonfinite(Records(tuple(steps), tuple(evaluations)), Context(Policy()))
    return None if event is None else (event.kind.value, event.where, event.step)


def broken_at(n, *places):
    return course(*(NAN if i in places else 3.0 - i / n for i in range(n)))


def test_what_came_back_does_not_remain():
    assert remains() is None and remains(course(3.0, 2.0)) is None
    assert remains(broken_at(100, 10, 11, 12, 60, 80)) is None


def test_one_of_the_last_twentieth_remains():
    assert remains(broken_at(100, 95)) == ("nan_loss", "mel", 95)
    assert remains(broken_at(100, 94)) is None
    assert remains(broken_at(3, 2)) == ("nan_loss", "mel", 2)
    assert remains(broken_at(3, 1)) is None


def test_a_fifth_of_the_last_third_remains():
    assert remains(broken_at(150, *range(100, 140, 4))) is None  # 10 of 50
    assert remains(broken_at(150, *range(100, 144, 4))) == ("nan_loss", "mel", 100)  # 11


def test_it_began_where_no_more_than_ten_finite_numbers_follow():
    assert remains(broken_at(100, 20, 40, 50, 60, 70, 80, 90, 99)) == ("nan_loss", "mel", 40)
    assert remains(broken_at(100, 20, 88, 99)) == ("nan_loss", "mel", 99)


def test_one_component_is_enough():
    steps = [Step(i, {"mel": 1.0, "kl": INF if i > 90 else 1.0}) for i in range(100)]
    assert remains(steps) == ("inf_loss", "kl", 91)
    steps = [Step(i, {"mel": 1.0}, total=NAN if i > 90 else 1.0) for i in range(100)]
    assert remains(steps) == ("nan_loss", "total", 91)


def test_skipped_steps_are_no_losses():
    steps = [Step(i, {"mel": NAN if i > 97 else 1.0}, skipped=i > 97) for i in range(100)]
    assert remains(steps) is None


def test_the_last_evaluation_remains():
    assert remains(course(3.0, 2.0), evaluated(3.0, NAN)) == ("nan_loss", "yardstick/mel", 7)
    assert remains(course(3.0, 2.0), evaluated(3.0, NAN, 2.0)) is None


def test_more_than_half_of_the_last_updates_lost_remain():
    assert remains(skipping("." * 60 + "s." * 15)) is None
    assert remains(skipping("." * 60 + "s." * 14 + "ss")) == ("nan_grad", "skipped steps", 60)
    assert remains(skipping("." * 60 + "n" * 16 + "." * 14)) == ("nan_grad", "grad_norm", 60)
    assert remains(skipping("." * 18 + "s" * 9)) is None  # 9 of 9: too few
    assert remains(skipping("." * 60 + "s" * 30, norm=1.0)) is None  # somebody's choice


def test_few_steps_that_all_lost_their_update_remain_if_the_loss_is_broken_too():
    def short(last):
        return [Step(i, {"mel": 1.0 if i < 6 else last}, grad_norm=NAN, skipped=True) for i in range(9)]

    assert remains(short(NAN)) == ("nan_loss", "mel", 8)
    assert remains(short(1.0)) is None


def test_nan_among_finite_numbers_is_found_whatever_rounding_does():
    for n in range(1, 60):
        assert remains(broken_at(n, n - 1))[2] == n - 1
        assert remains(broken_at(n, *range(n)))[2] == 0


def test_a_kind_is_told_from_its_number():
    assert {event.kind for event in events(course(INF, NAN, -INF), kind=None)} == {EventKind.INF_LOSS}
