"""What counts as one training iteration."""

from __future__ import annotations

from stability.observing.iterations import Iterations
from stability.observing.recording import joined


def run(*events: float | str, optimizers: str = "") -> list[tuple[int, tuple[tuple[float, ...], ...]]]:
    """Numbers are losses that are differentiated, letters optimizers that step."""
    iterations, ended = Iterations(), []
    for event in events:
        if isinstance(event, str):
            ended += iterations.stepped(ord(event), map(ord, optimizers or event))
        else:
            iterations.differentiated(event)
    return [(each.number, each.losses) for each in ended]


def test_an_iteration_ends_with_its_optimizer_step():
    assert run(1.0, "a", 2.0, "a") == [(0, ((1.0,),)), (1, ((2.0,),))]


def test_micro_batches_share_an_iteration():
    assert run(1.0, 3.0, "a", 5.0, "a") == [(0, ((1.0, 3.0),)), (1, ((5.0,),))]


def test_two_optimizers_share_an_iteration():
    assert run(1.0, "d", 2.0, "g", 3.0, "d", 4.0, "g", optimizers="dg") == [
        (0, ((1.0,), (2.0,))),
        (1, ((3.0,), (4.0,))),
    ]


def test_an_optimizer_that_never_steps_is_not_waited_for_twice():
    assert [number for number, _ in run(1.0, "d", 2.0, "d", 3.0, "d", optimizers="dg")] == [0, 1, 2]


def test_an_optimizer_that_steps_again_begins_the_next_iteration_with_its_own_loss():
    assert run(1.0, "d", 2.0, "d", optimizers="dg") == [(0, ((1.0,),)), (1, ((2.0,),))]


def test_one_loss_that_several_optimizers_step_on_counts_once():
    assert run(1.0, "a", "b", optimizers="ab") == [(0, ((1.0,), ()))]
    assert joined([(1.0,), ()]) == ({"loss": 1.0}, 1.0)


def test_micro_batches_are_averaged_and_optimizers_have_losses_of_their_own():
    assert joined([(1.0, 3.0), (5.0,)]) == ({"loss_0": 2.0, "loss_1": 5.0}, 7.0)
    assert joined([]) == ({}, None)


def test_an_iteration_without_a_step_ends_when_it_is_said():
    iterations = Iterations()
    iterations.differentiated(4.0)
    assert iterations.ended_without_step().losses == ((4.0,),)
    assert iterations.number == 1
