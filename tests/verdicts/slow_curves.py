"""Families of trainings that were never broken and learned next to nothing, and those on which nobody agrees."""

from __future__ import annotations

import math

import numpy as np
from cases import Label
from drawing import LONG, QUIET, SHORT, Drawn, Family, Floats, Variant, fall, ones, since

Rng = np.random.Generator


def flat(t: Floats, _: Rng) -> Drawn:
    return Drawn(ones(t))


def flat_to_the_bit(t: Floats, _: Rng) -> Drawn:
    return Drawn(ones(t, math.log(10)), sigma=0.0)


def falls_half_a_percent(t: Floats, _: Rng) -> Drawn:
    return Drawn(1 - 0.005 * t)


def no_learning_rate(t: Floats, _: Rng) -> Drawn:
    return Drawn(ones(t, 2.3), lr=np.zeros(t.size))


def same_batches_again(t: Floats, rng: Rng) -> Drawn:
    """Nothing is learned, and every epoch sees the same ten batches in the same order."""
    batches = np.exp(0.1 * rng.standard_normal(10))
    return Drawn(batches[np.arange(t.size) % 10], evaluation=ones(t), sigma=0.0)


def flat_likelihood(t: Floats, _: Rng) -> Drawn:
    return Drawn(ones(t, -2.0))


def dead_units(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(t < 0.01, 1.03, 1.0), norm=np.where(t < 0.01, 1.0, 0.0))


def flat_rounded(t: Floats, _: Rng) -> Drawn:
    return Drawn(ones(t, 0.6931), sigma=0.002, recorded=lambda values: np.round(values, 2))


# --- people would not agree ---------------------------------------------------------------------------------------


def overfitted(t: Floats, _: Rng) -> Drawn:
    return Drawn(fall(t, 0.02, 6), evaluation=fall(t, 0.4, 10) + 0.4 * since(t, 0.3))


def one_nan_batch(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(np.arange(t.size) == t.size // 2, math.nan, fall(t)), evaluation=fall(t))


def gives_half_back(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(t < 0.6, fall(t, 0.2, 8), 0.6))


def spike_at_the_very_end(t: Floats, _: Rng) -> Drawn:
    return Drawn(np.where(np.arange(t.size) == t.size - 1, 20.0, fall(t)))


def drifts_up_a_little(t: Floats, _: Rng) -> Drawn:
    return Drawn(1 + 0.1 * t)


def adversaries(t: Floats, _: Rng) -> Drawn:
    return Drawn(0.7 + 0.2 * np.sin(20 * t) + 0.1 * np.sin(53 * t))


def learns_a_little(t: Floats, _: Rng) -> Drawn:
    return Drawn(1 - 0.04 * t)


def little_of_a_large_constant(t: Floats, _: Rng) -> Drawn:
    return Drawn(-1000 + 4 * fall(t))


_FLAT = (*LONG, Variant(1000, noise=0.3), Variant(50, noise=0.05))
_DISPUTED = (Variant(300), Variant(100, noise=0.05, norm=False))


def slow_families() -> tuple[Family, ...]:
    return (
        _slow("flat", "flat within its noise", flat, (*_FLAT, *SHORT)),
        _slow("flat-to-the-bit", "the same number in every step", flat_to_the_bit, (*QUIET[:5], *SHORT)),
        _slow("half-a-percent", "falls by half a percent", falls_half_a_percent, _FLAT),
        _slow("no-learning-rate", "a learning rate of 0", no_learning_rate, _FLAT),
        _slow("same-batches", "the same ten losses in every epoch", same_batches_again, QUIET),
        _slow("flat-nll", "a log-likelihood that is flat within its noise", flat_likelihood, QUIET),
        _slow("dead-units", "flat, with a gradient of exactly 0", dead_units, QUIET),
        _slow("flat-rounded", "prints as 0.69 or 0.70 all along", flat_rounded, QUIET[:2]),
        _disputed("overfitted", "overfitted, by half of what it had gained", overfitted),
        _disputed("one-nan-batch", "one batch is NaN, and the training goes on", one_nan_batch),
        _disputed("gives-half-back", "gives back half and stays", gives_half_back),
        _disputed("spike-at-the-end", "its last number is twentyfold", spike_at_the_very_end),
        _disputed("drifts-up", "rises by a tenth", drifts_up_a_little),
        _disputed("adversaries", "a generator's loss that swings around its start", adversaries),
        _disputed("learns-a-little", "falls by 4%", learns_a_little),
        _disputed("large-constant", "falls from -996 to -999", little_of_a_large_constant),
    )


def _slow(name, why, draw, variants) -> Family:
    return Family(name, Label.SLOW, why, draw, variants, least=20)


def _disputed(name, why, draw) -> Family:
    return Family(name, Label.GREY, f"people would not agree: {why}", draw, _DISPUTED)
