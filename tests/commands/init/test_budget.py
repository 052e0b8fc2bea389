"""How long a trial is, from what a first run took and how many losses it printed."""

from pathlib import Path

import pytest

from stability.commands.init import budget
from stability.commands.init.options import Option
from stability.commands.init.params import Roles
from stability.commands.init.trial_runs import Ran
from stability.records import Ending, Outcome, Records, Step


def first(wall_s, silent_s, losses):
    steps = tuple(Step(step=i, losses={"loss": 1.0}) for i in range(losses))
    ending = Ending(Outcome.FINISHED, device="cpu")
    return Ran(ending, wall_s, silent_s, b"loss 1.0\n", Records(steps, (), (), ()), Path())


def planned(own, tried, ran):
    roles = Roles([], 0, of_trial={"max_steps": Option("--steps")}, values={"max_steps": own})
    return budget.planned(roles, {"max_steps": tried}, ran, 120.0).budget["max_steps"]


@pytest.mark.parametrize(
    ("own", "ran", "most"),
    [
        (300, first(4, 2, 50), 300),  # its own length fits
        (90_000, first(12, 10, 50), 1000),  # 10 s of start-up are not spent again: 50 s at 50 steps a second
        (90_000, first(12, 0, 50), 500),
        (90_000, first(12, 12, 50), 1000),  # it prints at its end: a quarter of its time at least is training
        (90_000, first(60, 0, 2), 400),  # so few losses are worth more than a minute
        (90_000, first(290, 0, 2), 103),  # but not longer than half of what a trial may take
        (20, first(1, 0.5, 5), 640),  # its own length prints too few
        (500, first(24, 4, 5), 500),  # 25 losses are worth two minutes
        (200, first(24, 4, 5), 200),  # 10 are few, and no minute gives the 32 that tell more
        (100, first(24, 4, 5), 160),  # 5 are too few, and a minute gives 8
    ],
)
def test_steps_of_a_trial(own, ran, most):
    assert planned(own, 100, ran) == most
