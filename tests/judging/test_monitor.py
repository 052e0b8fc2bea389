"""All rules together: order, ends, stored records against live ones, and no rule that NaN could upset."""

import math
import random

import pytest

from stability.judging.monitor import Monitor, scan
from stability.judging.policy import Policy
from stability.records import (
    BEFORE_TRAINING,
    Evaluation,
    EventKind,
    Measure,
    Records,
    Severity,
    Step,
    UserError,
)

NAN, INF = math.nan, math.inf
WEIGHTS = {"mel": 1.0, "kl": 0.5}


def course(*values):
    return [Step(i, {"mel": value}, lr=0.1) for i, value in enumerate(values)]


def test_a_scan_of_stored_records_equals_watching_them_live():
    steps = course(2.0, 1.0, NAN, NAN)
    monitor = Monitor(WEIGHTS, Policy())
    live = [event for step in steps for event in monitor.step(step)] + monitor.finish()
    stored = scan(Records(tuple(steps)), WEIGHTS, Policy(), finished=True)
    assert repr(live) == repr(stored) and [event.kind for event in live] == [EventKind.NAN_LOSS]


def test_rules_on_whole_runs_need_a_run_that_came_to_its_end():
    steps = tuple(Step(i, {"mel": 2.0 + i % 2 / 100}, measures={"clip_factor": 0.1}) for i in range(30))
    evaluations = (Evaluation(0, BEFORE_TRAINING, {"mel": 2.0}), Evaluation(30, 0, {"mel": 2.0}))
    records = Records(steps, evaluations)
    assert scan(records, {"mel": 1.0}, Policy(), finished=False) == []
    ended = scan(records, {"mel": 1.0}, Policy(), finished=True)
    assert [event.kind for event in ended] == [EventKind.STUCK, EventKind.CLIP_SATURATION]


def test_another_policy_judges_the_same_records_differently():
    evaluations = (Evaluation(0, BEFORE_TRAINING, {"mel": 1.0}), Evaluation(8, 0, {"mel": 1.6}))
    records = Records(evaluations=evaluations)
    strict = scan(records, {"mel": 1.0}, Policy(blow_up_severe=1.5), finished=False)
    assert [event.severity for event in strict] == [Severity.LOST]


def test_a_monitor_without_a_yardstick_watches_what_there_is():
    monitor = Monitor({}, Policy())
    found = [event for step in course(1.0, NAN) for event in monitor.step(step)]
    assert [event.kind for event in found] == [EventKind.NAN_LOSS]
    assert monitor.evaluation(Evaluation(2, 0, {"mel": 1.0})) == []


ODD = (NAN, INF, -INF, 0.0, -1.0, 1e-320, 1e308, 1.0)
MEASURES = [
    *[m.value for m in Measure if m not in (Measure.GRAD_SHARE, Measure.GRAD_COSINE)],
    *("grad_share/mel", "grad_share/kl", "grad_cosine/kl,mel"),
]


def odd_run(seed, n=120):
    """Any number anywhere, or none; a fifth of the runs is odd at single steps only."""
    dice = random.Random(seed)
    rate = dice.choice((0.05, 0.5, 1.0))

    def number():
        return dice.choice(ODD) if dice.random() < rate else math.exp(dice.gauss(0, 1))

    def maybe():
        return None if dice.random() < 0.2 else number()

    for i in range(n):
        measures = {name: number() for name in MEASURES if dice.random() < 0.8}
        losses = {name: number() for name in ("mel", "kl") if dice.random() < 0.9}
        yield Step(
            i, losses, total=maybe(), lr=maybe(), grad_norm=maybe(), weight_norm=maybe(),
            skipped=dice.random() < 0.1, measures=measures if dice.random() < 0.9 else None,
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_no_rule_stumbles_over_any_number_or_none(seed):
    steps = list(odd_run(seed))
    monitor = Monitor(WEIGHTS, Policy(skip_rate_steps=20, oscillation_window=10, stuck_steps=3))
    found = []
    for step in steps:
        found += monitor.step(step)
        if step.step % 10 == 0:
            losses = {"mel": ODD[step.step // 10 % len(ODD)], "kl": ODD[seed % len(ODD)]}
            found += monitor.evaluation(Evaluation(step.step, step.step // 10 - 1, losses))
    found += monitor.finish()
    lost = {event.where for event in found if event.severity is Severity.LOST}
    broken = {name for step in steps for name, value in step.losses.items() if not math.isfinite(value)}
    assert broken <= lost  # every component that broke is named
    seen = [(event.kind, event.severity, event.where, event.threshold) for event in found]
    repeated = [one for one in seen if one[0] not in (EventKind.NAN_LOSS, EventKind.INF_LOSS)]
    assert len(repeated) == len(set(repeated))


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("field", ["grad_norm", "total", "measures"])
def test_nan_in_a_healthy_run_adds_no_warning(field, value):
    def step(i):
        broken = i in (30, 31)
        number = value if broken else 1.0 + 0.01 * (i % 5)
        measures = {name: number for name in MEASURES if name != "attention_logit"}
        return Step(
            i,
            {"mel": 1.0 - i / 200},
            total=number if field == "total" else 1.0,
            grad_norm=number if field == "grad_norm" else 1.0,
            measures=measures | {"update_ratio": 1e-3, "zero_grad_share": 0.1}
            if field == "measures"
            else None,
        )

    found = scan(Records(tuple(step(i) for i in range(100))), {}, Policy(), finished=True)
    assert [event for event in found if event.severity is Severity.WARNING] == []
    assert {event.kind for event in found if event.severity is Severity.LOST} <= {
        EventKind.NAN_LOSS,
        EventKind.INF_LOSS,
        EventKind.NAN_GRAD,
    }


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"blow_up": -1.0}, "policy blow_up=-1.0: error: a positive number"),
        ({"spike_z": NAN}, "policy spike_z=nan: error: a positive number"),
        ({"spike_z": INF}, "policy spike_z=inf: error: a positive number"),
        ({"spike_z": "6"}, "policy spike_z='6': error: a positive number"),
        ({"masked_steps": 0}, "policy masked_steps=0: error: a positive integer"),
        ({"masked_steps": 2.5}, "policy masked_steps=2.5: error: a positive integer"),
        ({"masked_steps": True}, "policy masked_steps=True: error: a positive integer"),
        ({"skip_rate": 1.5}, "policy skip_rate=1.5: error: a number above 0, at most 1"),
        ({"blow_up_severe": 1.1}, "policy blow_up=1.25: error: at most blow_up_severe, which is 1.1"),
        ({"window": 10}, "policy spike_minimum=20: error: at most window, which is 10"),
    ],
)
def test_limits_that_no_rule_could_work_with_are_refused(limits, message):
    with pytest.raises(UserError) as error:
        Policy(**limits)
    assert str(error.value) == message
