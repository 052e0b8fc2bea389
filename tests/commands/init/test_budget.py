"""How long a trial is, from what a first run took and how many losses it printed."""

from pathlib import Path

import pytest

from stability.commands.init import budget
from stability.commands.init.options import Option
from stability.commands.init.params import Roles
from stability.commands.init.trial_runs import Ran
from stability.records import Ending, Outcome, Records, Step


def first(wall_s, silent_s, losses, *, has_pace=False):
    steps = tuple(Step(step=i, losses={"loss": 1.0}) for i in range(losses))
    ending = Ending(Outcome.FINISHED, device="cpu")
    return Ran(ending, wall_s, silent_s, b"loss 1.0\n", Records(steps, (), (), ()), Path(), has_pace)


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
        (9000, first(24, 23, 4, has_pace=True), 3000),  # 1 s of 24 was the training, and a minute has 37 more
        (500, first(24, 4, 5), 500),  # 25 losses are worth two minutes
        (200, first(24, 4, 5), 200),  # 10 are few, and no minute gives the 32 that tell more
        (100, first(24, 4, 5), 160),  # 5 are too few, and a minute gives 8
    ],
)
def test_steps_of_a_trial(own, ran, most):
    assert planned(own, 100, ran) == most


@pytest.mark.parametrize(("grows", "steps"), [(True, 640), (None, 100), (False, 100)])
def test_a_trial_is_longer_than_its_own_only_where_that_was_shown_to_print_more(grows, steps):
    roles = Roles([], 0, of_trial={"max_steps": Option("--steps")}, values={"max_steps": 100})
    plan = budget.planned(roles, {"max_steps": 100}, first(1, 0.5, 5), 120.0, grows=grows)
    assert plan.budget["max_steps"] == steps


def test_a_training_that_prints_no_more_the_longer_it_is_prints_few():
    roles = Roles([], 0, of_trial={"max_steps": Option("--steps")}, values={"max_steps": 9000})
    plan = budget.planned(roles, {"max_steps": 100}, first(1, 0.5, 1), 120.0, grows=False)
    assert plan.lines == ["a trial prints few losses to judge by (about 1): let it print more often"]
