"""Which setting to try next to find a boundary: past trials in, one setting out. No Optuna."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import qmc

from stability.evidence.boundary.acquisition import LEVELS, gain, with_running
from stability.evidence.boundary.features import features
from stability.evidence.boundary.located import reference_settings
from stability.evidence.boundary.model import Posterior, fit
from stability.evidence.boundary.quantiles import offsets
from stability.evidence.boundary.space import Space
from stability.params import Scalar

STARTING = 4
CANDIDATES = 800
PLACES = 65
"""Along the bounded parameter, when a place is looked for beside one that failed."""
FAILURE_WIDTH = 0.1
"""How far a trial that failed speaks for its surroundings: a standard deviation, as a share of the range."""
NEAR = 0.8
"""The share of candidates drawn where the boundary is thought to be; the rest anywhere, against surprises."""

Setting = dict[str, Scalar]


def starting_setting(space: Space, index: int, seed: int) -> Setting:
    """Setting number `index` of a scrambled Sobol sequence over the whole space."""
    sequence = qmc.Sobol(1 + len(space.others), rng=seed)
    size = 2 ** math.ceil(math.log2(index + 1)) if index else 1
    row = sequence.random(size)[index]
    return setting_at(space, row[1:], (row[0] - 0.5) * space.range_u)


def next_setting(
    space: Space,
    settings: Sequence[Mapping[str, Any]],
    diverged: Sequence[bool],
    running: Sequence[Mapping[str, Any]],
    arms: Sequence[Mapping[str, Any]],
    rng: np.random.Generator,
    failed: Sequence[Mapping[str, Any]] = (),
) -> Setting:
    """The candidate from which most is expected, given ended trials, their outcomes, and running ones.

    `arms`, contexts of interest, count as much as the contexts that stand for the whole space. Of `failed`
    trials, which crashed or hung, only that is known, and that others there may do so too.
    """
    known = features(space)
    posterior = _posterior(space, settings, diverged, running)
    candidates = _candidates(space, posterior, arms, rng)
    u, contexts = space.coordinates(candidates)
    references = reference_settings(space)
    gains = gain(posterior, known.expand(contexts), u, known.expand(space.contexts(references)))
    if arms:
        gains = gains + gain(posterior, known.expand(contexts), u, known.expand(space.contexts(arms)))
    return candidates[int(np.argmax(gains * _chance_of_evidence(space, u, settings, failed)))]


def elsewhere(
    space: Space,
    setting: Mapping[str, Any],
    settings: Sequence[Mapping[str, Any]],
    failed: Sequence[Mapping[str, Any]],
) -> Setting:
    """`setting` with the bounded parameter moved to the nearest place where a trial likely says something.

    Unchanged where the trials failed everywhere in its context.
    """
    name, half = space.bounded.name, space.range_u / 2
    places = np.linspace(-half, half, PLACES)
    candidates = [{**setting, name: value_at(space, float(u))} for u in places]
    free = np.array([candidate not in failed for candidate in candidates])
    if not free.any():
        return dict(setting)
    chance = _chance_of_evidence(space, places, settings, failed)
    wanted = free & (chance >= min(0.5, chance[free].max()))
    distance = np.abs(places - space.coordinates([setting])[0][0])
    return candidates[int(np.argmin(np.where(wanted, distance, np.inf)))]


def _chance_of_evidence(space: Space, u: np.ndarray, settings, failed) -> np.ndarray:
    """[n] for places u [n]: of the trials around, the share that said something; one that did is assumed."""
    if not failed:
        return np.ones(len(u))
    told, lacking = (_weight_of(space, u, near) for near in (settings, failed))
    return (1 + told) / (1 + told + lacking)


def _weight_of(space: Space, u: np.ndarray, settings) -> np.ndarray:
    """[n] how many of the trials lie around each place u [n]; those right there count 1."""
    distance = (u[:, None] - space.coordinates(settings)[0]) / (FAILURE_WIDTH * space.range_u)
    return np.exp(-(distance**2) / 2).sum(axis=1)


def _posterior(space: Space, settings, diverged, running) -> Posterior:
    known = features(space)
    u, contexts = space.coordinates(settings)
    posterior = fit(known.expand(contexts), u, np.array(diverged, dtype=float), known.prior_sds)
    if not running:
        return posterior
    u, contexts = space.coordinates(running)
    return with_running(posterior, known.expand(contexts), u)


def _candidates(
    space: Space, posterior: Posterior, arms: Sequence[Mapping[str, Any]], rng: np.random.Generator
) -> list[Setting]:
    """Contexts at random, every other one an arm's; u near a place drawn from the posterior for most."""
    quantiles = rng.random((CANDIDATES, len(space.others)))
    half = space.range_u / 2
    settings = [setting_at(space, row, 0.0) for row in quantiles]
    if arms and all(param.step is None for param in space.others):  # an arm may lie between steps
        own = [{param.name: arm[param.name] for param in space.others} for arm in arms]
        settings[::2] = itertools.islice(itertools.cycle(own), len(settings[::2]))
    u = np.clip(_near(space, posterior, settings, rng), -half, half)
    anywhere = int((1 - NEAR) * CANDIDATES)
    u[:anywhere] = rng.uniform(-half, half, anywhere)
    bounded = space.bounded.name
    return [{**setting, bounded: value_at(space, float(at))} for setting, at in zip(settings, u, strict=True)]


def _near(space: Space, posterior: Posterior, settings, rng: np.random.Generator) -> np.ndarray:
    """u [n] of places drawn from the posterior at one of the levels, with the slope's width around them."""
    means, variances = posterior.boundary(features(space).expand(space.contexts(settings)))
    count = len(settings)
    which = rng.choice(len(posterior.betas), count, p=posterior.weights), np.arange(count)
    betas = posterior.betas[which[0]]
    shifts = np.array([offsets(level, posterior.betas) for level in LEVELS])[
        rng.integers(len(LEVELS), size=count), which[0]
    ]
    spread = np.sqrt(variances[which]) + 1 / betas
    return means[which] + shifts + spread * rng.standard_normal(count)


def setting_at(space: Space, quantiles: np.ndarray, u: float) -> Setting:
    drawn = {p.name: p.at(float(q)) for p, q in zip(space.others, quantiles, strict=True)}
    return {**drawn, space.bounded.name: value_at(space, u)}


def value_at(space: Space, u: float) -> Scalar:
    """The allowed value of the bounded parameter at `u`: on its steps, within its range."""
    share = 0.5 + float(u if space.rising else -u) / space.range_u
    return space.bounded.at(min(max(share, 0.0), math.nextafter(1.0, 0.0)))
