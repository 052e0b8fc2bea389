"""Blow-up and stuck: where a loss goes over a whole run."""

import math
import random

import pytest
from courses import INF, NAN, course, evaluations, events, noisy

from stability.judging.policy import Policy
from stability.records import BEFORE_TRAINING, Evaluation, EventKind, Severity, Step


def test_without_a_yardstick_the_training_losses_are_watched():
    found = events(course(1.0, 1.1, 0.9, 5.0, 50.0, 500.0, 5e3, 5e4, 5e5), kind="blow_up")
    assert {event.where for event in found} == {"sum of losses"} and found[-1].severity is Severity.LOST
    annealed = [Step(i, {"mel": 2.0 - i / 10, "kl": 1.0}, total=2.0 + i, lr=0.1) for i in range(12)]
    assert [e for e in events(annealed) if e.kind is EventKind.BLOW_UP] == []


@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_an_easy_first_batch_makes_no_blow_up(sigma):
    lost = 0
    for seed in range(20):
        rng = random.Random(seed)
        found = events(course(*(math.exp(rng.gauss(0.0, sigma)) for _ in range(300))), kind="blow_up")
        lost += any(event.severity is Severity.LOST for event in found)
    assert lost == 0


def test_a_noisy_loss_that_really_rises_is_a_blow_up():
    rng = random.Random(0)
    rising = (math.exp(rng.gauss(0.2 * i, 0.3)) for i in range(60))
    assert events(course(*rising), kind="blow_up")[-1].severity is Severity.LOST


def test_blow_up_warns_then_is_lost():
    found = events(evaluations=evaluations(1.0, 1.2, 1.3, 1.4, 2.1, 5.0))
    assert [(event.severity, event.step) for event in found] == [(Severity.WARNING, 23), (Severity.LOST, 31)]
    assert found[0].value == pytest.approx(1.4) and found[0].threshold == 1.25
    assert found[1].value == pytest.approx(2.1) and found[1].threshold == 2.0


def test_one_evaluation_that_comes_back_is_no_blow_up():
    assert events(evaluations=evaluations(1.0, 1.8, 0.9, 1.3, 0.8), kind="blow_up", finished=True) == []
    [event] = events(evaluations=evaluations(1.0, 0.9, 1.3), kind="blow_up", finished=True)  # it did not
    assert (event.severity, event.step, event.threshold) == (Severity.WARNING, 15, 1.25)
    assert events(evaluations=evaluations(1.0, 0.9, 1.3), kind="blow_up") == []
    [event] = events(evaluations=evaluations(1.0, 1.3, 1.4), kind="blow_up", finished=True)  # once
    assert event.step == 15
    [event] = events(evaluations=evaluations(1.0, 1.3), kind="blow_up", policy=Policy(blow_up_evaluations=1))
    assert event.step == 7


def test_blow_up_waits_five_steps():
    assert events(evaluations=evaluations(1.0, 9.0, 0.9, every=4)) == []


def test_the_yardstick_weighs_its_components():
    early = Evaluation(0, BEFORE_TRAINING, {"mel": 1.0, "kl": 0.0})
    late = Evaluation(8, 0, {"mel": 1.0, "kl": 3.0})
    [event] = events(evaluations=[early, late])
    assert event.kind is EventKind.BLOW_UP and event.value == pytest.approx(2.5)


def test_without_weights_a_yardstick_is_not_judged():
    assert events(course(1.0, 1.0, 1.0), evaluations(1.0, 9.0, 9.0), kind="blow_up", weights={}) == []


def stuck(values, found=(), **extra):
    return events(course(*values, **extra), found, kind="stuck", finished=True)


FALLING = [2.0 - i / 20 for i in range(24)]


@pytest.mark.parametrize(
    ("yardsticks", "drop"),
    [
        ((2.0, 2.0, 2.0, 2.0), 0.0),  # learning rate 0: not a bit
        ((2.0, 1.999, 1.995, 1.99), 0.005),
        ((2.0, 2.3, 2.2, 2.1), -0.05),  # a model that died and is no better than before
    ],
)
def test_a_yardstick_that_does_not_fall_is_stuck(yardsticks, drop):
    [event] = stuck(FALLING, evaluations(*yardsticks))
    assert (event.where, event.step, event.threshold) == ("yardstick", 23, 0.01)
    assert event.value == pytest.approx(drop) and event.severity is Severity.WARNING


@pytest.mark.parametrize(
    "yardsticks",
    [
        (2.0, 1.5, 1.2, 1.1),
        (2.0, 1.0, 1.0, 1.0),  # converged in the first third
        (2.0, 2.0, 2.0, 1.9),  # learned after a warm-up
        (2.0, 1.9, 1.0, 2.1),  # learned, and lost it again
        (0.0, 0.0, 0.0, 0.0),  # no relative drop from 0
        (2.0, NAN, 2.0, 2.0),
        (NAN, 2.0, 2.0, 2.0),
        (INF, 2.0, 2.0, 2.0),
    ],
)
def test_a_yardstick_that_falls_sometime_is_not(yardsticks):
    assert stuck(FALLING, evaluations(*yardsticks)) == []


def test_what_was_learned_in_the_first_third_and_lost_again_is_nothing_to_show():
    [event] = stuck(FALLING, evaluations(2.0, 1.2, 2.0, 2.0, every=6))
    assert event.kind is EventKind.STUCK


def test_only_a_run_that_came_to_its_end_is_stuck_and_only_after_ten_steps():
    flat = evaluations(2.0, 2.0, 2.0, every=4)
    assert events(course(*[2.0] * 24), flat, kind="stuck") == []
    assert stuck([1.0 + i / 10 for i in range(9)], flat) == []
    assert len(stuck([1.0 + i / 10 for i in range(10)], flat)) == 1


@pytest.mark.parametrize("n", [16, 60, 300])
def test_training_losses_at_learning_rate_0_are_found_and_learning_is_not(n):
    flat = [stuck(noisy(n, seed=seed)) for seed in range(40)]
    assert sum(map(bool, flat)) >= 34  # 95% of many
    assert {event.where for found in flat for event in found} == {"sum of losses"}
    for learns in (
        lambda t: 0.5 + 0.5 * 2 ** (-t * 40),
        lambda t: 1.0 if t < 0.6 else 0.5,
        lambda t: 1 - t / 2,
    ):
        assert sum(bool(stuck(noisy(n, learns, seed=seed))) for seed in range(40)) <= 2


def test_a_constant_training_loss_is_stuck_and_noise_that_hides_everything_is_not():
    assert [event.value for event in stuck([2.0] * 12)] == [0.0]
    assert [stuck(noisy(16, sigma=1.0, seed=seed)) for seed in range(10)] == [[]] * 10
    assert stuck([-1.0] * 12) == [] and stuck([0.0] * 12) == [] and stuck([2.0] * 11 + [NAN]) == []


def test_how_much_is_progress_is_a_limit_of_the_policy():
    found = evaluations(2.0, 1.9, 1.9)
    assert stuck(FALLING, found) == []
    [event] = events(course(*FALLING), found, kind="stuck", finished=True, policy=Policy(stuck_drop=0.1))
    assert event.value == pytest.approx(0.05) and event.threshold == 0.1


def test_a_training_sum_of_several_components_is_what_counts():
    steps = [Step(i, {"mel": 2.0 - i / 40, "kl": i / 40}, total=5.0 - i / 10) for i in range(24)]
    [event] = events(steps, kind="stuck", finished=True)  # the total fell, its weights were annealed
    assert event.where == "sum of losses"


@pytest.mark.parametrize("bad", [INF, NAN])
def test_losses_that_are_not_finite_are_no_blow_up_besides(bad):
    found = events(course(*([1.0] * 5), *([bad] * 8)))
    assert found and not [event for event in found if event.kind is EventKind.BLOW_UP]


def test_an_infinite_yardstick_alone_is_lost_but_no_blow_up():
    found = events(evaluations=evaluations(1.0, 1.0, INF))
    assert [(event.kind, event.severity) for event in found] == [(EventKind.INF_LOSS, Severity.LOST)]
