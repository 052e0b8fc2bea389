"""How far two logs agree: rounded numbers, bars that were drawn again, steps that nobody named."""

import math

import pandas as pd
import pytest

from stability.evidence.printed import agreement, is_printed, printed_numbers, together

COLUMNS = ["trial_id", "step", "epoch", "quantity", "value"]
NOTHING = pd.DataFrame(columns=["trial_id", "source", "epoch", "component", "value"])


def numbers(values, *, epoch=lambda step: math.nan, quantity="loss/mel", evaluated=NOTHING):
    """What a log of `{step: value}` holds."""
    rows = [(1, step, epoch(step), quantity, value) for step, value in values.items()]
    return printed_numbers(pd.DataFrame(rows, columns=COLUMNS), evaluated)[1]


FALLING = {step: round(0.9**step, 5) for step in range(50)}


def without(values, *steps):
    return {step: value for step, value in values.items() if step not in steps}


@pytest.mark.parametrize(
    ("trainer", "printed"),
    [
        ("tts", False),
        ({"call": "train.py:train"}, False),
        ({"command": ["python3", "train.py"]}, False),  # it writes its numbers itself
        ({"command": ["python3", "train.py"], "parse": {"stdout": [r"loss (?P<mel>\S+)"]}}, True),
        ({"imported": "logs"}, True),
    ],
)
def test_what_comes_from_a_log_is_printed(trainer, printed):
    assert is_printed(trainer) is printed


def test_a_bar_that_was_drawn_again_is_no_other_training():
    one, two = (numbers(without(FALLING, *steps)) for steps in ((3, 7, 8), (5, 7)))
    found = agreement(one, two, redrawn=True)
    assert found.equal is True and found.compared == 46
    assert agreement(one, two, redrawn=False).equal is False  # where equal trials leave the same lines


def test_one_other_number_at_a_common_step_is_another_training():
    one, two = numbers(without(FALLING, 3)), numbers(without(FALLING, 7) | {20: 0.1})
    assert agreement(one, two, redrawn=True).equal is False


def test_the_last_number_of_a_step_counts():
    rows = [
        (1, step, math.nan, "loss/mel", value)
        for step in range(3)
        for value in (9.0 + step, 0.5 / (1 + step))
    ]
    twice = printed_numbers(pd.DataFrame(rows, columns=COLUMNS), NOTHING)[1]
    assert agreement(twice, numbers({0: 0.5, 1: 0.25, 2: 0.5 / 3}), redrawn=False).equal is True


def test_steps_that_the_reader_counted_itself_are_not_set_beside_each_other():
    """The k-th line of one bar is not the k-th of another; the last of an epoch is."""
    lines = [list(FALLING.values()), list(without(FALLING, 10, 11).values())]
    bare = [numbers(dict(enumerate(own))) for own in lines]
    assert agreement(*bare, redrawn=True).equal is None
    ends = [
        numbers(dict(enumerate(own)), epoch=lambda step, own=own: int(step > len(own) / 2)) for own in lines
    ]
    assert agreement(*ends, redrawn=True).equal is False  # at the end of the first epoch
    whole = [numbers(dict(enumerate(own)), epoch=lambda step: 0) for own in lines]
    assert agreement(*whole, redrawn=True).equal is True


def test_evaluations_are_numbers_too():
    evaluated = pd.DataFrame(
        [
            (1, "yardstick", epoch, part, 0.5 / (epoch + 2))
            for epoch in (-1, 0, 1)
            for part in ("mel", "total")
        ],
        columns=NOTHING.columns,
    )
    one = numbers(FALLING, evaluated=evaluated)
    assert one.evaluated.keys() == {"mel"}  # the weighed sum was computed, not printed
    assert agreement(one, numbers(FALLING), redrawn=False).equal is False
    assert agreement(one, one, redrawn=False).compared == 53


@pytest.mark.parametrize(
    ("values", "telling"),
    [
        ([0.5, 0.5, 0.5], []),  # nothing moves
        ([0.53, 0.52, 0.51], []),  # two digits
        ([0.5312, 0.5, 0.4999], [4, 4]),  # 0.5000 was printed
        ([12.34, 11.2, 9.87], [4]),  # 12.34 is where it starts; 9.87 has three digits
        ([1.234e-5, 2.3e-1, 2.345e-1], [4, 4]),  # printed with exponents
        ([math.nan, math.nan, 0.1234], [4]),
        ([0.1234, math.nan, math.inf], []),
    ],
)
def test_only_digits_that_were_printed_and_move_tell(values, telling):
    own = numbers(dict(enumerate(values)))
    found = agreement(own, own, redrawn=False)
    assert found.equal is True and list(found.telling) == telling


def test_a_learning_rate_is_no_number_of_the_training():
    rows = [(1, step, 0, "lr", 0.1 / (step + 1)) for step in range(50)]
    rows += [(1, step, 0, "loss/mel", 0.5) for step in range(50)]
    own = printed_numbers(pd.DataFrame(rows, columns=COLUMNS), NOTHING)[1]
    assert agreement(own, own, redrawn=False).moving == ()


def test_sides_add_up_and_one_difference_is_enough():
    own = numbers(dict(list(FALLING.items())[:15]))
    alike, other = agreement(own, own, redrawn=False), agreement(own, numbers(FALLING), redrawn=False)
    assert not alike.enough and together([alike, alike]).enough
    assert together([alike, other]).equal is False and together([]).equal is None
