"""Where the next trial goes: inside the ranges, near the boundary, in the arms; and the staircase by hand."""

from __future__ import annotations

import numpy as np
import pytest

from stability.evidence.boundary import Space
from stability.params import Param
from stability.plan.staircase import Staircase, staircase
from stability.plan.v_optimal import next_setting, starting_setting

LR = Param("lr", "float", 1e-6, 1.0, log=True)
OTHERS = (
    Param("depth", "int", 2, 8),
    Param("rate", "float", 0.0, 1.0, step=0.25),
    Param("switch", "choice", choices=(False, True)),
)
SPACE = Space(LR, OTHERS)


def known(n, space=SPACE, edge=-2.0, seed=0):
    rng = np.random.default_rng(seed)
    settings = [
        {"lr": float(10 ** rng.uniform(-6, 0)), **{p.name: p.at(rng.random()) for p in space.others}}
        for _ in range(n)
    ]
    return settings, [own["lr"] > 10**edge for own in settings]


def test_the_first_trials_fill_the_space():
    settings = [starting_setting(SPACE, i, 0) for i in range(4)]
    u = sorted(SPACE.u_of(own["lr"]) for own in settings)
    assert [int((at + 3) // 1.5) for at in u] == [0, 1, 2, 3]  # one in each quarter of the range
    assert settings == [starting_setting(SPACE, i, 0) for i in range(4)]
    assert settings != [starting_setting(SPACE, i, 1) for i in range(4)]


def test_a_proposal_keeps_to_ranges_steps_and_choices():
    settings, diverged = known(12)
    for seed in range(10):
        own = next_setting(SPACE, settings, diverged, settings[:2], [], np.random.default_rng(seed))
        assert 1e-6 <= own["lr"] <= 1.0 and isinstance(own["depth"], int) and 2 <= own["depth"] <= 8
        assert own["rate"] in (0.0, 0.25, 0.5, 0.75, 1.0) and own["switch"] in (False, True)
    again = next_setting(SPACE, settings, diverged, settings[:2], [], np.random.default_rng(9))
    assert own == again


def test_proposals_gather_around_the_boundary():
    settings, diverged = known(30)
    rng, near = np.random.default_rng(1), []
    for _ in range(10):
        own = next_setting(SPACE, settings, diverged, [], [], rng)
        near.append(abs(np.log10(own["lr"]) + 2))
        settings, diverged = [*settings, own], [*diverged, own["lr"] > 1e-2]
    assert np.median(near) < 0.4


def test_arms_draw_trials_into_their_contexts():
    space = Space(LR, (Param("weight", "float", 0.1, 10.0, log=True), OTHERS[2]))
    settings, diverged = known(30, space)
    arm = {"lr": 1e-4, "weight": 0.37, "switch": True}
    rng = np.random.default_rng(2)
    with_arm = [next_setting(space, settings, diverged, [], [arm], rng) for _ in range(10)]
    assert sum(own["weight"] == 0.37 for own in with_arm) >= 3  # any other setting would be drawn by chance


def test_running_trials_send_the_next_one_elsewhere():
    space = Space(LR)
    settings, diverged = known(10, space)
    first = next_setting(space, settings, diverged, [], [], np.random.default_rng(3))
    busy = [first] * 6
    other = next_setting(space, settings, diverged, busy, [], np.random.default_rng(3))
    assert abs(np.log10(other["lr"] / first["lr"])) > 0.05


def test_failed_trials_send_the_next_ones_away_from_where_nothing_can_be_learnt():
    space = Space(LR)
    settings, diverged = [{"lr": 1e-5}, {"lr": 1e-3}], [False, False]
    rng, failed = np.random.default_rng(4), []
    for _ in range(12):  # every trial above 0.05 crashes, and nothing below diverges
        own = next_setting(space, settings, diverged, [], [], rng, failed)
        if own["lr"] > 0.05:
            failed.append(own)
        else:
            settings, diverged = [*settings, own], [*diverged, False]
    lows = [own["lr"] < 0.05 for own in [*settings[2:], *failed]]
    assert any(lows)
    without = next_setting(space, settings, diverged, [], [], np.random.default_rng(4))
    assert without["lr"] > 0.05  # where nothing is learnt, again and again


@pytest.mark.parametrize("n", [0, 5, 60])
def test_any_outcomes_have_a_next_trial(n):
    settings, _ = known(n)
    for outcomes in ([False] * n, [True] * n):
        assert next_setting(SPACE, settings, outcomes, [], [], np.random.default_rng(0)).keys() == {
            "lr", "depth", "rate", "switch",
        }  # fmt: skip


def test_a_staircase_by_hand():
    stairs = Staircase(Space(LR), ({},))
    places, seen = [], []
    for diverged in (False, True, True, False):
        places.append(np.log10(stairs.setting(len(seen), seen)["lr"]))
        seen.append(diverged)
    places.append(np.log10(stairs.setting(len(seen), seen)["lr"]))
    # From the middle up by a quarter of six decades; halved at each reversal.
    assert places == pytest.approx([-3.0, -1.5, -2.25, -3.0, -2.625])


def test_contexts_of_a_staircase_take_turns():
    stairs = staircase(SPACE)
    assert stairs.context(0) == stairs.context(8) != stairs.context(1)
    assert all(own.keys() >= {"depth", "rate", "switch"} for own in stairs.contexts)
