"""What part of a difference between printed totals is only a change of coefficients."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from stability.evidence.comparability import Reason
from stability.evidence.yardstick_change import Printed, split, yardstick_change

SAME = {"mel": Reason.SAME, "kl": Reason.SAME}
TEXTS = {"mel": "L1", "kl": "KL", "total": "sum"}


def printed(total=0.0, weights=None, **losses):
    return Printed(total, losses, weights or {})


def frames(weights, losses, definitions=(TEXTS, TEXTS), verdicts=None, totals=None):
    """Arms a and b; `losses[arm]` is a list over seeds of {component: loss}; totals as the weights make them."""
    trials, epochs, steps = [], [], []
    for arm, name in enumerate("ab"):
        for seed, own in enumerate(losses[arm]):
            trial = 10 * arm + seed
            verdict = (verdicts or {}).get((name, seed), "STABLE")
            trials.append((trial, name, seed, verdict, definitions[arm]))
            total = sum((weights[arm][c] or 0) * own[c] for c in own)
            total = (totals or {}).get((name, seed), total)
            told = {**own, "total": total}.items()
            epochs += [(trial, 0, "train", c, v, weights[arm].get(c), 2) for c, v in told]
            steps += [(trial, s, f"loss/{c}", weights[arm][c]) for c in own for s in (0, 1)]
    return (
        pd.DataFrame(trials, columns=["trial_id", "arm", "seed", "verdict", "definitions"]),
        pd.DataFrame(
            epochs, columns=["trial_id", "epoch", "source", "component", "value", "loss_weight", "n"]
        ),
        pd.DataFrame(steps, columns=["trial_id", "step", "quantity", "loss_weight"]),
    )


def test_only_the_weight_changed():
    (part,) = split(printed(mel=2.0, weights={"mel": 1.0}), printed(mel=2.0, weights={"mel": 45.0}), SAME)
    assert (part.by_weight, part.by_loss, part.untold) == (88.0, 0.0, 0.0)


def test_only_the_loss_changed():
    (part,) = split(printed(mel=2.0, weights={"mel": 3.0}), printed(mel=1.5, weights={"mel": 3.0}), SAME)
    assert (part.by_weight, part.by_loss) == (0.0, -1.5)


def test_parts_add_up_exactly_and_turn_their_sign_when_the_arms_are_swapped():
    rng = np.random.default_rng(0)
    for w1, w2, l1, l2 in rng.lognormal(0, 2, (200, 4)):
        one, two = printed(mel=l1, weights={"mel": w1}), printed(mel=l2, weights={"mel": w2})
        (there,), (back,) = split(one, two, SAME), split(two, one, SAME)
        assert there.by_weight + there.by_loss == pytest.approx(w2 * l2 - w1 * l1, rel=1e-9, abs=1e-9)
        assert there.by_weight == pytest.approx(-back.by_weight)
        orders = [(w2 - w1) * l1, (w2 - w1) * l2]  # weights first, weights last
        assert there.by_weight == pytest.approx(np.mean(orders))


def test_a_component_with_another_definition_is_not_split():
    reasons = {"mel": Reason.DEFINITIONS_DIFFER}
    (part,) = split(printed(mel=2.0, weights={"mel": 1.0}), printed(mel=3.0, weights={"mel": 2.0}), reasons)
    assert (part.by_weight, part.by_loss, part.untold) == (0.0, 0.0, 4.0)
    assert part.reason is Reason.DEFINITIONS_DIFFER


def test_a_component_that_one_arm_does_not_have_is_not_split():
    one = printed(mel=2.0, weights={"mel": 1.0})
    two = printed(mel=2.0, kl=5.0, weights={"mel": 1.0, "kl": 0.5})
    parts = {part.component: part for part in split(one, two, SAME)}
    assert parts["kl"].untold == 2.5 and parts["kl"].reason is Reason.DEFINITIONS_DIFFER
    assert parts["mel"].untold == 0.0


def test_a_coefficient_that_nobody_recorded_is_not_made_up():
    (part,) = split(printed(mel=2.0), printed(mel=3.0, weights={"mel": 1.0}), SAME)
    assert part.reason is Reason.NOT_RECORDED
    assert (part.by_weight, part.by_loss, part.untold) == (0.0, 0.0, 3.0)


def test_over_pairs_of_a_seed():
    weights = ({"mel": 1.0, "kl": 0.1}, {"mel": 45.0, "kl": 0.1})
    losses = (
        [{"mel": 2.0, "kl": 1.0}, {"mel": 2.2, "kl": 1.1}, {"mel": 1.8, "kl": 1.0}],
        [{"mel": 1.9, "kl": 1.3}, {"mel": 2.0, "kl": 1.2}, {"mel": 1.8, "kl": 1.4}],
    )
    found = yardstick_change(*frames(weights, losses), ("a", "b"))
    assert (found.n, found.dropped) == (3, 0)
    together = found.by_weights.mean + found.by_losses.mean + found.untold.mean + found.rest.mean
    assert together == pytest.approx(found.difference.mean)
    mel = next(part for part in found.components if part.component == "mel")
    assert mel.by_weight == pytest.approx(44 * np.mean([1.95, 2.1, 1.8]))
    assert found.by_losses.mean == pytest.approx(
        23 * np.mean([-0.1, -0.2, 0.0]) + 0.1 * np.mean([0.3, 0.1, 0.4])
    )
    assert found.rest.mean == pytest.approx(0.0, abs=1e-9) and found.untold.mean == 0.0
    assert found.by_weights.ci[0] < found.by_weights.mean < found.by_weights.ci[1]


def test_what_components_do_not_add_up_to_is_the_rest():
    totals = {("a", 0): 5.0}
    found = yardstick_change(
        *frames(({"mel": 1.0}, {"mel": 2.0}), ([{"mel": 2.0}], [{"mel": 2.0}]), totals=totals), ("a", "b")
    )
    assert found.by_weights.mean == 2.0 and found.rest.mean == -3.0
    assert found.rest.ci is None and found.n == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_pair_with_a_total_that_is_not_finite_is_counted_and_left_out(bad):
    two = [{"mel": 2.0}, {"mel": 3.0}]
    weights = ({"mel": 1.0}, {"mel": 1.0})
    found = yardstick_change(*frames(weights, (two, two), totals={("b", 1): bad}), ("a", "b"))
    assert (found.n, found.dropped, found.difference.mean) == (1, 1, 0.0)


def test_a_seed_without_evidence_is_counted_and_left_out():
    two = [{"mel": 2.0}, {"mel": 3.0}]
    lost = {("a", 0): "INCONCLUSIVE"}
    found = yardstick_change(*frames(({"mel": 1.0}, {"mel": 1.0}), (two, two), verdicts=lost), ("a", "b"))
    assert (found.n, found.dropped) == (1, 1)


def test_trials_that_stopped_within_the_epoch_print_another_quantity():
    trials, epochs, steps = frames(({"mel": 1.0}, {"mel": 1.0}), ([{"mel": 2.0}] * 2, [{"mel": 2.0}] * 2))
    epochs.loc[epochs["trial_id"] == 10, "n"] = 1
    assert yardstick_change(trials, epochs, steps, ("a", "b")).n == 1


def test_every_trial_has_its_own_coefficient_where_the_training_learns_it():
    trials, epochs, steps = frames(({"mel": 1.0}, {"mel": 1.0}), ([{"mel": 2.0}] * 2, [{"mel": 2.0}] * 2))
    mine = (epochs["trial_id"] == 10) & (epochs["component"] == "mel")
    epochs.loc[mine, "loss_weight"] = 3.0
    epochs.loc[(epochs["trial_id"] == 10) & (epochs["component"] == "total"), "value"] = 6.0
    found = yardstick_change(trials, epochs, steps, ("a", "b"))
    assert (found.by_weights.mean, found.by_losses.mean, found.rest.mean) == (2.0, 0.0, 0.0)


def test_nothing_to_pair():
    weights = ({"mel": 1.0}, {"mel": 1.0})
    everything_lost = {("a", 0): "INCONCLUSIVE"}
    lost = frames(weights, ([{"mel": 2.0}], [{"mel": 2.0}]), verdicts=everything_lost)
    assert yardstick_change(*lost, ("a", "b")) is None
