"""Simulated stages: bounds and intervals hold the truth when the trials were chosen by looking at earlier ones.

`STABILITY_REPLICATIONS=500 python -m pytest tests/evidence/test_boundary_coverage.py` simulates 500 stages of
each kind, half an hour for each. Without it there are few, which find only what is badly wrong.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from scipy import special

from stability.evidence.boundary import Space, locate
from stability.evidence.boundary.model import GAMMA, SPAN
from stability.evidence.boundary.quantiles import offsets
from stability.params import Param
from stability.plan.v_optimal import STARTING, next_setting, starting_setting

REPLICATIONS = int(os.environ.get("STABILITY_REPLICATIONS", "8"))
SPACE = Space(
    Param("lr", "float", 1e-6, 1.0, log=True),
    (Param("weight", "float", 0.1, 10.0, log=True), Param("switch", "choice", choices=(False, True))),
)
ARMS = ({"weight": 0.5, "switch": False}, {"weight": 3.0, "switch": True})
SINE = {"plain": 0.0, "sine": 0.15}
TRIALS = 40


def stage(kind, seed):
    """One stage of 40 trials: for each arm whether p05_lower and the interval of p50 hold; and of the price."""
    rng = np.random.default_rng([seed, len(kind)])
    slope, weights = np.exp(rng.uniform(np.log(4), np.log(40))), rng.normal(0, [1.0, 0.4, 0.4, 0.2])
    phase = rng.uniform(2.5, 4, 2)

    def place(contexts):
        one, switch = contexts.T
        features = np.column_stack([np.ones(len(one)), one, switch, one * switch])
        return features @ weights + SINE[kind] * np.sin(contexts @ phase)

    settings, diverged = [], []
    while len(settings) < TRIALS:
        if len(settings) < STARTING:
            settings.append(starting_setting(SPACE, len(settings), seed))
        else:
            settings.append(next_setting(SPACE, settings, diverged, [], ARMS, rng))
        u, contexts = SPACE.coordinates(settings[-1:])
        p = GAMMA + SPAN * special.expit(slope * (u - place(contexts)))
        diverged.append(bool(rng.random() < p[0]))
    found = locate(SPACE, settings, diverged)
    if not found.monotone:
        return None
    rows = []
    for arm in ARMS:
        middle = place(SPACE.contexts([arm]))[0]
        rare = middle + offsets(0.05, np.array([slope]))[0]
        reading = found.at(arm)
        low = -np.inf if reading.p50.low is None else SPACE.u_of(reading.p50.low)
        high = np.inf if reading.p50.high is None else SPACE.u_of(reading.p50.high)
        bound = reading.p05_lower is None or SPACE.u_of(reading.p05_lower) <= rare
        rows.append((bound, low <= middle <= high))
    return np.mean(rows, axis=0)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", SINE)
def test_bounds_and_intervals_of_arms_hold(kind):
    found = [stage(kind, seed) for seed in range(REPLICATIONS)]
    stated = np.array([one for one in found if one is not None])
    bounds, intervals = stated.mean(axis=0)
    print(f"\n{kind}: {len(stated)} of {REPLICATIONS} state a bound; holds {bounds:.3f}, p50 {intervals:.3f}")
    margin = 3 * np.sqrt(0.95 * 0.05 / REPLICATIONS)
    assert bounds >= 0.95 - margin and intervals >= 0.95 - margin
    assert len(stated) >= (0.95 - margin) * REPLICATIONS
