"""Families of trainings that broke: they never learned, or gave back what they had learned."""

from __future__ import annotations

import math

import numpy as np
from cases import Label
from drawing import (
    EVALUATED_ONLY,
    GRADIENT_ONLY,
    LIKELIHOOD,
    LONG,
    MEDIUM,
    QUIET,
    SHORT,
    Drawn,
    Family,
    Floats,
    Variant,
    fall,
    ones,
    since,
)

Rng = np.random.Generator
NAN, INF = math.nan, math.inf


# --- not finite -------------------------------------------------------------------------------------------------


def nan_first(t: Floats, _: Rng) -> Drawn:
    return Drawn(ones(t, NAN), before=1.0)


def nan_middle(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(_at(t, 0.5), NAN, fall(t)))


def nan_last(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(np.arange(t.size) == t.size - 1, NAN, fall(t)))


def nan_without_a_sign(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(t > 0.7, NAN, 1 - 4 * (1 - np.exp(-4 * t))))


def inf_middle(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(_at(t, 0.4), INF, fall(t)))


def inf_then_flat(t: Floats, _: Rng) -> Drawn:
    loss = np.where(t < 0.4, fall(t), 0.95)
    return Drawn(np.where(np.arange(t.size) == int(0.4 * t.size), INF, loss))


def nan_now_and_then(t: Floats, _: Rng) -> Drawn:
    loss = np.where(t < 0.4, fall(t), 1.05)
    return Drawn(
        np.where((t >= 0.4) & (np.arange(t.size) % 3 == 0), NAN, loss),
        evaluation=np.where(t < 0.4, loss, NAN),
    )


def overflow(t: Floats, _: Rng) -> Drawn:
    loss = fall(t) * 10.0 ** (45 * since(t, 0.5))
    return Drawn(np.where(loss > 3.4e38, INF, loss))


def nan_in_one_part(t: Floats, _: Rng) -> Drawn:
    parts = {"mel": fall(t), "kl": np.where(_at(t, 0.5), NAN, 0.1 * fall(t))}
    return Drawn(parts["mel"] + parts["kl"], components=parts)


def nan_in_one_part_left_out(t: Floats, _: Rng) -> Drawn:
    parts = {"mel": fall(t, 0.4), "kl": np.where(_at(t, 0.5), NAN, 0.1 * fall(t))}
    total = parts["mel"] + np.where(_at(t, 0.5), 0.0, 0.1 * fall(t))
    return Drawn(total, evaluation=parts["mel"] + parts["kl"], components=parts)


def masked_to_zero(t: Floats, _: Rng) -> Drawn:
    gone = _at(t, 0.5)
    return Drawn(
        np.where(gone, 0.0, fall(t)),
        evaluation=np.where(gone, 2.3, fall(t)),
        norm=np.where(gone, NAN, 1.0),
    )


def masked_to_a_constant(t: Floats, _: Rng) -> Drawn:
    gone = _at(t, 0.5)
    loss = np.where(gone, 0.37, fall(t))
    return Drawn(
        loss, evaluation=np.where(gone, NAN, loss), norm=np.where(gone, NAN, 1.0), still=gone.astype(float)
    )


def scale_halves_for_ever(t: Floats, _: Rng) -> Drawn:
    """Every step is skipped, so that the weights never change; the batches do."""
    return Drawn(
        ones(t),
        norm=ones(t, INF),
        grad_scale=65536.0 * 0.5 ** np.minimum(1000, np.arange(t.size)),
        skipped=frozenset(range(t.size)),
    )


def nan_norm_ever_after(t: Floats, _: Rng) -> Drawn:
    gone = _at(t, 0.05)
    return Drawn(np.where(gone, 0.95, 1 - t), norm=np.where(gone, NAN, 1.0))


# --- explodes ---------------------------------------------------------------------------------------------------


def explodes(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t, 0.3, 4) * 10.0 ** (5 * since(t, 0.5)))


def explodes_from_the_start(t: Floats, _: Rng) -> Drawn:
    return Drawn(10.0 ** (6 * t))


def super_exponential(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t) * np.exp(np.exp(2.0 * since(t, 0.6)) - 1))


def super_exponential_far(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t) * np.exp(np.exp(3.8 * since(t, 0.5)) - 1))


def last_twentieth(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t) * 10.0 ** (3 * np.ceil(since(t, 0.95) * 5) / 5))


def one_line_an_epoch(t: Floats, _: Rng) -> Drawn:
    return Drawn(10.0 ** (9 + 9 * t))


def threefold_each_line(t: Floats, _: Rng) -> Drawn:
    return Drawn(3.0 ** np.arange(t.size))


def likelihood_explodes(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(t < 0.5, -1 - 4 * np.minimum(t, 0.5), -3 + 1000 * since(t, 0.5)))


def likelihood_gives_back(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(t < 0.5, 5 - 14 * t, 4.5))


def likelihood_above_its_start(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(t < 0.6, -1 - 3 * (1 - np.exp(-6 * t)), 3.0))


def adversary_wins(t: Floats, _: Rng) -> Drawn:
    return Drawn(0.7 + np.where(t < 0.3, -0.3 * t, 0.0) + 40 * since(t, 0.3) ** 2)


# --- gives back what it learned -----------------------------------------------------------------------------------


def slow_rise(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(t < 0.2, 1 - 3.5 * t, 0.3 + 1.1 * since(t, 0.2)))


def gives_all_back(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(_at(t, 0.5), 1.02, fall(t)))


def gives_all_back_slowly(t: Floats, _: Rng) -> Drawn:
    return Drawn(
        np.where(t < 0.4, fall(t), fall(np.array([0.4]))[0] + 0.75 * np.minimum(1, 2 * since(t, 0.4)))
    )


def half_then_all(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.select([t < 0.4, t < 0.7], [fall(t, 0.2, 10), 0.6], 1.05))


def above_its_start(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(_at(t, 0.5), 4.0, fall(t)))


def collapse_in_part(t: Floats, _: Rng) -> Drawn:
    """11 falls to 3 and jumps to 9."""
    return Drawn(np.where(_at(t, 0.5), 9.0, 11 - 8 * np.minimum(1, 3 * t)))


def spike_then_chance(t: Floats, _: Rng) -> Drawn:
    first = int(0.5 * t.size)
    spike = (np.arange(t.size) >= first) & (np.arange(t.size) < first + 3)
    return Drawn(_chance(t, np.where(spike, 2000.0, math.log(10)), _at(t, 0.5)), sigma=1e-4)


def chance_to_the_bit(t: Floats, _: Rng) -> Drawn:
    loss = _chance(t, ones(t, math.log(10)), _at(t, 0.4))
    return Drawn(loss, still=_at(t, 0.4).astype(float), norm=np.where(_at(t, 0.4), 0.0, 1.0))


def spike_then_far_above(t: Floats, _: Rng) -> Drawn:
    first = int(0.5 * t.size)
    settled = 12 + 500 * np.exp(-0.5 * np.maximum(0, np.arange(t.size) - first))
    return Drawn(np.where(np.arange(t.size) >= first, settled, fall(t)))


def repeated_spikes_ever_worse(t: Floats, _: Rng) -> Drawn:
    within, number = np.mod(5 * t, 1.0), np.minimum(4, np.floor(5 * t))
    return Drawn(fall(t, 0.3, 10) + 0.25 * number**2 + 20 * (number > 0) * np.exp(-15 * within))


def rises_from_the_first_step(t: Floats, _: Rng) -> Drawn:
    return Drawn(1 + 5 * t)


def jumps_at_once(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(t < 0.02, 2.3, 80.0))


# --- oscillates ---------------------------------------------------------------------------------------------------


def oscillation_grows(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t) * np.exp(7 * t * (0.3 + np.sin(24 * np.pi * t) ** 2)))


def bounces(t: Floats, _: Rng) -> Drawn:
    odd = np.arange(t.size) % 2
    return Drawn(fall(t, 0.3) + np.where(odd, 1.0, 0.2) * 0.01 * 10.0 ** (5 * t))


# --- the evaluation disagrees ---------------------------------------------------------------------------------------


def evaluation_explodes(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t), evaluation=fall(t) * 10.0 ** (4 * since(t, 0.4)))


def evaluation_not_finite(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t), evaluation=np.where(_at(t, 0.5), NAN, fall(t)))


def evaluation_never_better(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t), evaluation=1 + 3 * t, before=1.0)


def loss_explodes_alone(t: Floats, _: Rng) -> Drawn:
    """The evaluation reads averaged weights, which do not follow yet."""
    return Drawn(fall(t) * 10.0 ** (4 * since(t, 0.7)), evaluation=fall(t))


_NAN = (*(Variant(steps, evaluations=steps) for steps in (1, 2, 5)), Variant(20), *QUIET[:4])
_LATE = tuple(variant for variant in LONG if variant.steps >= 100)
_EVALUATED = tuple(variant for variant in LONG if variant.evaluations)
_EPOCHS = (
    Variant(10, evaluations=10),
    Variant(10, evaluations=0, norm=False),
    Variant(7, noise=0.0, evaluations=0),
)
_FOUR = (
    Variant(4, noise=0.0, evaluations=0),
    Variant(4, evaluations=4),
    Variant(5, evaluations=0),
    Variant(10, scale=1e-6),
)


def lost_families() -> tuple[Family, ...]:
    return (
        _lost("nan-first", "NaN from the first step", nan_first, _NAN, least=1),
        _lost("nan-middle", "NaN from the middle on", nan_middle, _NAN, least=1),
        _lost("nan-last", "NaN in the last step", nan_last, _NAN, least=1),
        _lost("nan-below-zero", "a log-likelihood of -2 becomes NaN", nan_without_a_sign, LIKELIHOOD),
        _lost("inf-middle", "infinite from two fifths on", inf_middle, QUIET),
        _lost("inf-then-flat", "one infinite step, then flat near its start", inf_then_flat, LONG),
        _lost(
            "nan-now-and-then",
            "every third loss is NaN, the rest flat above its start",
            nan_now_and_then,
            LONG,
        ),
        _lost("overflow", "rises by 45 powers of ten, to infinity", overflow, LONG),
        _lost("nan-in-one-part", "one part of the loss becomes NaN and so the total", nan_in_one_part, QUIET),
        _lost(
            "nan-part-left-out",
            f"{EVALUATED_ONLY} one part becomes NaN, and the total leaves it out",
            nan_in_one_part_left_out,
            QUIET,
        ),
        _lost(
            "masked-to-zero",
            f"{GRADIENT_ONLY} the loss is exactly 0 once the gradient is NaN",
            masked_to_zero,
            _with_norm(QUIET),
        ),
        _lost(
            "masked-constant",
            f"{GRADIENT_ONLY} the loss is the same to the bit once the gradient is NaN",
            masked_to_a_constant,
            _with_norm(QUIET),
        ),
        _lost(
            "scale-halves-for-ever",
            f"{GRADIENT_ONLY} no gradient is finite, every step is skipped",
            scale_halves_for_ever,
            _with_norm(QUIET),
        ),
        _lost(
            "nan-norm-ever-after",
            f"{GRADIENT_ONLY} the gradient is NaN after the first steps, and nothing is learned any more",
            nan_norm_ever_after,
            _with_norm(QUIET),
        ),
        _lost("explodes", "falls to a third, then rises by five powers of ten", explodes, (*MEDIUM, *SHORT)),
        _lost(
            "explodes-at-once",
            "rises by six powers of ten from its first step",
            explodes_from_the_start,
            (*LONG, *SHORT[2:]),
        ),
        _lost(
            "super-exponential", "rises ever faster, and the log ends a few hundredfold up", super_exponential
        ),
        _lost(
            "super-exponential-far", "rises ever faster, by twenty powers of ten", super_exponential_far, LONG
        ),
        _lost("last-twentieth", "rises a thousandfold in its last twentieth", last_twentieth, _LATE),
        _lost("epochs-1e9-1e18", "tenfold every epoch, from 1e9", one_line_an_epoch, _EPOCHS),
        _lost("1-3-9-27", "threefold every line", threefold_each_line, _FOUR),
        _lost(
            "nll-explodes",
            "a log-likelihood that falls from -1 to -3 and rises to 1000",
            likelihood_explodes,
            LIKELIHOOD,
        ),
        _lost(
            "nll-gives-back",
            "a log-likelihood that falls from 5 to -2 and jumps to 4.5",
            likelihood_gives_back,
            LIKELIHOOD,
        ),
        _lost(
            "nll-above-start",
            "a log-likelihood that falls from -1 to -4 and stays at 3",
            likelihood_above_its_start,
            LIKELIHOOD,
        ),
        _lost(
            "adversary-wins",
            "a generator's loss that falls a little and rises fiftyfold",
            adversary_wins,
            LONG,
        ),
        _lost("slow-rise", "falls to a third, then climbs evenly to 1.4 times its start", slow_rise, LONG),
        _lost("gives-all-back", "falls, then stays at its start", gives_all_back),
        _lost(
            "gives-all-back-slowly", "falls, climbs back to its start and stays", gives_all_back_slowly, LONG
        ),
        _lost("half-then-all", "gives back half, then all", half_then_all, LONG),
        _lost("above-its-start", "falls, then stays at four times its start", above_its_start),
        _lost(
            "most-of-it-back",
            "gives back three quarters of what it learned and stays",
            collapse_in_part,
            LONG,
        ),
        _lost(
            "spike-then-chance",
            "spikes a thousandfold, then sits at the loss of guessing",
            spike_then_chance,
            LONG,
        ),
        _lost(
            "chance-to-the-bit", "sits at the loss of guessing, the same to the bit", chance_to_the_bit, LONG
        ),
        _lost(
            "spike-then-far-above", "spikes and stays at twelve times its start", spike_then_far_above, LONG
        ),
        _lost(
            "ever-worse-spikes",
            "every spike ends higher than the one before",
            repeated_spikes_ever_worse,
            LONG,
        ),
        _lost(
            "rises-from-the-start",
            "rises sixfold and never learns",
            rises_from_the_first_step,
            (*LONG, *SHORT[4:]),
        ),
        _lost("jumps-at-once", "jumps 35-fold in the first steps and stays", jumps_at_once, LONG),
        _lost("oscillation-grows", "swings ever wider, in the end a hundredfold", oscillation_grows, LONG),
        _lost("bounces", "bounces up and down every step, ever wider, to a thousandfold", bounces, LONG),
        _lost(
            "evaluation-explodes",
            f"{EVALUATED_ONLY} it rises by three powers of ten",
            evaluation_explodes,
            _EVALUATED,
        ),
        _lost(
            "evaluation-nan",
            f"{EVALUATED_ONLY} it is NaN from the middle on",
            evaluation_not_finite,
            _EVALUATED,
        ),
        _lost(
            "evaluation-never-better", f"{EVALUATED_ONLY} it only rises", evaluation_never_better, _EVALUATED
        ),
        _lost(
            "loss-explodes-alone",
            "rises by four powers of ten, the evaluation does not",
            loss_explodes_alone,
            _EVALUATED,
        ),
    )


def _lost(name, why, draw, variants=MEDIUM, least=3) -> Family:
    return Family(name, Label.LOST, why, draw, variants, least=least)


def _with_norm(variants):
    return tuple(variant for variant in variants if variant.norm)


def _at(t: Floats, share: float):
    """The steps from `share` of the training on."""
    return np.arange(t.size) >= int(share * t.size)


def _chance(t: Floats, after: Floats, gone) -> Floats:
    return np.where(gone, after, 0.3 + 2.0 * np.exp(-8 * t))
