"""Families of trainings that learned and kept it, among them those that look broken for a while."""

from __future__ import annotations

import numpy as np
from cases import Label
from drawing import (
    EVALUATED_ONLY,
    LIKELIHOOD,
    LONG,
    MEDIUM,
    QUIET,
    SHORT,
    Drawn,
    Family,
    Floats,
    Variant,
    bump,
    fall,
    ones,
    since,
)

Rng = np.random.Generator


# --- falls and stays -------------------------------------------------------------------------------------------


def exponential(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t))


def deep(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t, 1e-5, 12))


def power_law(t: Floats, _: Rng) -> Drawn:
    return Drawn((1 + 300 * t) ** -0.4)


def language_model(t: Floats, _: Rng) -> Drawn:
    return Drawn(2.9 + 8.0 * (1 + 500 * t) ** -0.7)


def batch_noise(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t), sigma=0.5)


def plateau(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t, 0.5, 25))


def linear(t: Floats, _: Rng) -> Drawn:
    return Drawn(1 - 0.8 * t)


def steps_of_the_learning_rate(t: Floats, _: Rng) -> Drawn:
    drops = (t > 0.4).astype(float) + (t > 0.7)
    return Drawn(fall(t, 0.5, 20) * 0.5**drops, lr=0.1 * 0.1**drops)


def late_start(t: Floats, _: Rng) -> Drawn:
    return Drawn(1 / (1 + np.exp(30 * (t - 0.6))) * 0.9 + 0.1)


def warm_up_hump(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t) + 0.3 * bump(t, 0.03, 0.02), lr=1e-3 * np.minimum(1, (t + 0.001) / 0.05))


def cyclic(t: Floats, _: Rng) -> Drawn:
    wave = 0.5 - 0.5 * np.cos(10 * np.pi * t)
    return Drawn(fall(t, 0.3, 8) * (1 + 0.25 * wave), lr=1e-4 + 1e-3 * wave)


def slow_rise_at_the_end(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t, 0.2, 8) + 0.03 * since(t, 0.7))


def overfitted_a_little(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t, 0.1, 6), evaluation=fall(t, 0.3, 8) + 0.04 * since(t, 0.5))


def fine_tuned(t: Floats, rng: Rng) -> Drawn:
    level = 0.3 - 0.02 * np.minimum(1, 4 * t)
    return Drawn(level * np.exp(0.02 * rng.standard_normal(t.size)), evaluation=level)


def likelihood_to_negative(t: Floats, _: Rng) -> Drawn:
    return Drawn(5 - 8 * (1 - np.exp(-4 * t)))


def likelihood_always_negative(t: Floats, _: Rng) -> Drawn:
    return Drawn(-1 - 3 * (1 - np.exp(-4 * t)))


def hinge_to_zero(t: Floats, _: Rng) -> Drawn:
    loss = np.maximum(0.0, 1 - 2 * t)
    return Drawn(loss, norm=(loss > 0).astype(float))


def triplets_mostly_zero(t: Floats, rng: Rng) -> Drawn:
    hard = (rng.random(t.size) < fall(t, 0.15, 4)).astype(float)
    hard[:3] = 1
    return Drawn(fall(t, 0.2, 4) * hard, evaluation=fall(t, 0.05, 4), norm=hard)


# --- what the log makes of it --------------------------------------------------------------------------------------


def two_decimals(t: Floats, _: Rng) -> Drawn:
    return Drawn(0.85 - 0.2 * t, sigma=0.004, recorded=lambda values: np.round(values, 2))


def two_decimals_near_zero(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t, 0.003, 8), recorded=lambda values: np.round(values, 2))


def half_precision(t: Floats, _: Rng) -> Drawn:
    return Drawn(8 * fall(t), recorded=lambda values: np.float64(np.float16(values)))


def micro_batches(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t), recorded=lambda values: np.repeat(values[::4], 4)[: values.size])


def logged_now_and_then(t: Floats, _: Rng) -> Drawn:
    return Drawn(0.4 * (0.05 + t) ** -0.25, before=1.9)


def mean_since_the_epoch_began(t: Floats, _: Rng) -> Drawn:
    length = max(2, t.size // 10)

    def means(values: Floats) -> Floats:
        epochs = [values[start : start + length] for start in range(0, values.size, length)]
        return np.concatenate([np.cumsum(epoch) / np.arange(1, epoch.size + 1) for epoch in epochs])

    return Drawn(fall(t), recorded=means)


def mean_since_the_start(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t, 0.1, 10), recorded=lambda values: np.cumsum(values) / np.arange(1, values.size + 1))


def printed_as_a_sum(t: Floats, _: Rng) -> Drawn:
    return Drawn(60000 * 2.3 * fall(t, 0.1), recorded=np.rint, evaluation=2.3 * fall(t, 0.12))


def last_batch_smaller(t: Floats, _: Rng) -> Drawn:
    small = np.where(np.arange(t.size) % 30 == 29, 0.1, 1.0)
    return Drawn(100 * fall(t) * small, evaluation=fall(t))


# --- looks broken for a while, and learns again --------------------------------------------------------------------


def warm_restarts(t: Floats, _: Rng) -> Drawn:
    within = np.mod(3.99 * t, 1.0)
    return Drawn(
        fall(t, 0.2, 6) + 0.5 * (t > 0.25) * np.exp(-12 * within), lr=1e-3 * (1 + np.cos(np.pi * within)) / 2
    )


def one_spike(t: Floats, _: Rng) -> Drawn:
    return Drawn(_spiked(t, 0.6, 1, 30.0), evaluation=fall(t))


def one_step_a_thousandfold(t: Floats, _: Rng) -> Drawn:
    return Drawn(_spiked(t, 0.6, 1, 1000.0), evaluation=fall(t))


def ten_steps(t: Floats, _: Rng) -> Drawn:
    return Drawn(_spiked(t, 0.5, 10, 8.0), evaluation=fall(t))


def thousandfold(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t) * np.exp(np.log(1000) * np.exp(-60 * np.abs(t - 0.5))))


def early_spike(t: Floats, _: Rng) -> Drawn:
    step = np.arange(t.size)
    return Drawn(fall(t) * (1 + 40 * np.exp(-(((step - 8) / 4) ** 2))))


def back_to_the_start_and_down_again(t: Floats, _: Rng) -> Drawn:
    again = np.where(t < 0.5, fall(t, 0.2, 12), fall(since(t, 0.5), 0.15, 6))
    return Drawn(again)


def bad_batches(t: Floats, rng: Rng) -> Drawn:
    bad = np.where(rng.random(t.size) < 0.02, 12.0, 1.0)
    bad[:5] = 1
    return Drawn(fall(t) * bad, evaluation=fall(t))


def double_descent(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t, 0.15, 8) + 0.5 * bump(t, 0.45, 0.1) - 0.1 * t)


def first_evaluation_worse(t: Floats, _: Rng) -> Drawn:
    loss = np.where(t < 0.1, 2.1, np.maximum(0.2, 2.1 - 5 * (t - 0.1)))
    loss[0] = 1.0
    return Drawn(loss)


def evaluations_worse_at_first(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t), evaluation=fall(t) + 5 * bump(t, 0.15, 0.12), before=1.0)


def new_task_added(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(t < 0.5, fall(t, 0.2, 10), 0.2 + 0.7 * np.exp(-12 * (t - 0.5))))


def grokking(t: Floats, _: Rng) -> Drawn:
    return Drawn(
        fall(t, 1e-3, 12),
        evaluation=np.where(t < 0.8, 5 * (1 + 0.4 * np.minimum(1, 3 * t)), 7 * np.exp(-(t - 0.8) / 0.03)),
        before=5.0,
    )


def curriculum_below_its_start(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t, 0.35, 5) * 0.6 + 0.4 * fall(np.mod(4.99 * t, 1.0), 0.3, 4), evaluation=fall(t))


def curriculum_in_stairs(t: Floats, _: Rng) -> Drawn:
    stair = np.minimum(4, np.floor(5 * t))
    return Drawn((1 + 0.5 * stair) * fall(5 * t - stair, 0.8, 4), evaluation=3 * fall(t), norm=ones(t))


# --- starts near nothing --------------------------------------------------------------------------------------------


def near_zero(t: Floats, _: Rng) -> Drawn:
    return Drawn(0.001 + 0.5 * (1 - np.exp(-6 * t)), evaluation=fall(t), norm=ones(t))


def near_zero_hump(t: Floats, _: Rng) -> Drawn:
    return Drawn(0.002 + 30 * t * np.exp(-8 * t), evaluation=fall(t), norm=ones(t))


def annealed(t: Floats, _: Rng) -> Drawn:
    weight, divergence = 0.02 * np.minimum(1, 2 * t), 0.01 + 8 * (1 - np.exp(-8 * t))
    mel = fall(t, 0.4, 6)
    return Drawn(
        mel + weight * divergence,
        evaluation=mel,
        components={"mel": mel, "kl": divergence},
        loss_weights={"mel": ones(t), "kl": weight},
    )


def one_part_rises(t: Floats, _: Rng) -> Drawn:
    parts = {"reconstruction": fall(t, 0.1, 6), "commitment": 0.05 + 0.15 * (1 - np.exp(-5 * t))}
    return Drawn(sum(parts.values(), np.zeros(t.size)), evaluation=parts["reconstruction"], components=parts)


# --- the gradient ---------------------------------------------------------------------------------------------------


def scaler_skips(t: Floats, rng: Rng) -> Drawn:
    skipped = np.arange(t.size) % 60 == 0
    scale = 65536.0 * 0.5 ** (np.cumsum(skipped) % 4)
    return Drawn(
        fall(t),
        norm=np.where(skipped, np.inf, 1.0),
        grad_scale=scale,
        skipped=frozenset(np.flatnonzero(skipped).tolist()),
    )


def norms_in_the_thousands(t: Floats, _: Rng) -> Drawn:
    return Drawn(4096 * fall(t), norm=ones(t, 8000.0), evaluation=fall(t))


def norms_fall_a_decade(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t), norm=10.0 ** (-t))


def norms_fall_a_thousandfold(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t, 1e-4, 9), norm=10.0 ** (-3 * t))


def norms_rise_slowly(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t, 0.3, 8), norm=1 + 3 * t)


def norms_with_heavy_tails(t: Floats, rng: Rng) -> Drawn:
    return Drawn(fall(t), norm=np.exp(1.0 * rng.standard_normal(t.size)))


_PRINTED = (Variant(300), Variant(1000), Variant(100), Variant(300, norm=False, evaluations=0), Variant(40))
_LATE = tuple(variant for variant in QUIET if variant.steps >= 100)


def fine_families() -> tuple[Family, ...]:
    return (
        _fine("healthy-exponential", "falls to a fifth and stays", exponential, (*MEDIUM, *SHORT)),
        _fine("healthy-deep", "falls a hundred thousandfold", deep, (*LONG, *SHORT[3:])),
        _fine("healthy-power-law", "falls as a power of the steps", power_law),
        _fine("healthy-language-model", "falls from 10.9 to 3 as language models do", language_model),
        _fine(
            "healthy-batch-noise", "falls to a fifth under log-normal batch noise of 50%", batch_noise, LONG
        ),
        _fine("healthy-plateau", "halves soon and stays there", plateau, QUIET),
        _fine("healthy-linear", "falls evenly to a fifth", linear, (*MEDIUM, *SHORT[4:])),
        _fine(
            "lr-drops", "falls in steps, each after a drop of the learning rate", steps_of_the_learning_rate
        ),
        _fine("late-start", "nothing for half of the time, then falls to a tenth", late_start, LONG),
        _fine("warm-up-hump", "rises by a quarter in the warm-up, then falls to a fifth", warm_up_hump, LONG),
        _fine("cyclic-lr", "waves with the learning rate around a falling level", cyclic, LONG),
        _fine(
            "slow-rise-at-the-end", "gives back a thirtieth of what it learned", slow_rise_at_the_end, QUIET
        ),
        _fine("overfitted-a-little", "its evaluation rises a little at the end", overfitted_a_little, LONG),
        _fine(
            "fine-tuned",
            f"{EVALUATED_ONLY} starts at its best level, gains a little and stays",
            fine_tuned,
            QUIET,
        ),
        _fine(
            "nll-to-negative",
            "a log-likelihood that falls from 5 below 0",
            likelihood_to_negative,
            LIKELIHOOD,
        ),
        _fine(
            "nll-negative",
            "a log-likelihood that falls from -1 to -4",
            likelihood_always_negative,
            LIKELIHOOD,
        ),
        _fine("hinge-to-zero", "a hinge loss that reaches 0 and stays", hinge_to_zero),
        _fine("triplets-mostly-zero", "ever fewer triplets have a loss", triplets_mostly_zero, LONG),
        _fine("two-decimals", "falls by a quarter, printed with two decimals", two_decimals, _PRINTED),
        _fine("two-decimals-near-zero", "falls until it prints as 0.00", two_decimals_near_zero, _PRINTED),
        _fine("half-precision", "falls to a fifth, kept in half precision", half_precision, _PRINTED),
        _fine("micro-batches", "each mean is logged four times", micro_batches, LONG),
        _fine("logged-now-and-then", "the steep part lies before the first line", logged_now_and_then, QUIET),
        _fine("epoch-means", "the log has the mean since the epoch began", mean_since_the_epoch_began, LONG),
        _fine("mean-since-start", "the log has the mean since the first step", mean_since_the_start, LONG),
        _fine("printed-as-a-sum", "the loss is a sum over 60,000 examples", printed_as_a_sum, _PRINTED),
        _fine("last-batch-smaller", "a sum, and every 30th batch has a tenth", last_batch_smaller, QUIET),
        _bent("warm-restarts", "each restart costs half, and is won back", warm_restarts, LONG),
        _bent("one-spike", "one step at thirtyfold", one_spike, LONG),
        _bent("one-spike-1000x", "one step at a thousandfold", one_step_a_thousandfold, LONG),
        _bent("ten-step-spike", "ten steps at eightfold", ten_steps, LONG),
        _bent(
            "spike-1000x",
            "rises a thousandfold and comes back within a fifth of the time",
            thousandfold,
            LONG,
        ),
        _bent("early-spike", "rises fortyfold in the first 20 steps and comes back", early_spike, LONG),
        _bent(
            "relearned", "forgets all at once and learns all again", back_to_the_start_and_down_again, LONG
        ),
        _bent("bad-batches", "every fiftieth batch is twelve times as hard", bad_batches, LONG),
        _fine("double-descent", "a bump of half its fall, then lower than before", double_descent, LONG),
        _bent(
            "first-evaluation-worse", "doubles at once, then falls to a fifth", first_evaluation_worse, LONG
        ),
        _bent(
            "evaluations-worse-at-first",
            "worse in evaluations only, then better",
            evaluations_worse_at_first,
            _LATE,
        ),
        _bent("new-task-added", "jumps to nine tenths of its start and is back soon", new_task_added, LONG),
        _bent("grokking", "learns the examples first and the rule at four fifths", grokking, LONG),
        _fine("curriculum", "harder every fifth, always below its start", curriculum_below_its_start, LONG),
        _fine(
            "curriculum-in-stairs",
            f"{EVALUATED_ONLY} its tasks get harder, and its evaluation falls",
            curriculum_in_stairs,
            QUIET,
        ),
        _fine("near-zero", "starts near 0 and rises to its working level", near_zero, LONG),
        _fine(
            "near-zero-hump",
            "starts near 0, rises and falls, as temporal differences do",
            near_zero_hump,
            LONG,
        ),
        _fine("annealed", "a divergence rises while its weight is small; the rest falls", annealed, QUIET),
        _fine("one-part-rises", "a small part rises, the total falls", one_part_rises, QUIET),
        _fine("scaler-skips", "the scaler skips a step now and then", scaler_skips, LONG),
        _fine("norms-in-the-thousands", "a sum has large gradients", norms_in_the_thousands, QUIET),
        _fine("norms-fall-a-decade", "the gradient gets smaller with the loss", norms_fall_a_decade, QUIET),
        _fine("norms-fall-1000x", "the gradient vanishes as the loss does", norms_fall_a_thousandfold, QUIET),
        _fine("norms-rise-slowly", "the norm quadruples while the loss falls", norms_rise_slowly, QUIET),
        _fine(
            "norms-heavy-tailed", "the norm varies threefold from step to step", norms_with_heavy_tails, QUIET
        ),
    )


def _fine(name, why, draw, variants=MEDIUM) -> Family:
    return Family(name, Label.FINE, why, draw, variants)


def _bent(name, why, draw, variants) -> Family:
    return Family(name, Label.FINE, why, draw, variants, recovers=True)


def _spiked(t: Floats, at: float, steps: int, times: float) -> Floats:
    first = int(at * t.size)
    loss = fall(t)
    loss[first : first + steps] *= times
    return loss
