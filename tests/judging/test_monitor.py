"""All rules together: order, ends, stored records against live ones, and no rule that NaN could upset."""

import math
import random

import pytest

from stability.judging.monitor import RULES, Monitor, not_run, scan
from stability.judging.policy import Policy
from stability.judging.verdict import describe, judge
from stability.records import (
    BEFORE_TRAINING,
    Direction,
    Ending,
    Evaluation,
    EventKind,
    Measure,
    Outcome,
    Records,
    Severity,
    Step,
    UserError,
    VerdictLabel,
)

NAN, INF = math.nan, math.inf
WEIGHTS = {"mel": 1.0, "kl": 0.5}


def course(*values):
    return [Step(i, {"mel": value}, lr=0.1) for i, value in enumerate(values)]


def test_a_scan_of_stored_records_equals_watching_them_live():
    steps = [Step(i, {"mel": 3.0 - i / 20, "kl": NAN if i > 40 else 1.0}, grad_norm=INF if i == 39 else 1.0) for i in range(45)]
    evaluations = [Evaluation(0, BEFORE_TRAINING, {"mel": 3.0, "kl": 1.0}), Evaluation(20, 0, {"mel": 2.0, "kl": INF})]
    monitor = Monitor(WEIGHTS, Policy())
    live = monitor.evaluation(evaluations[0])
    for step in steps:
        live += monitor.step(step)
        if step.step == 19:
            live += monitor.evaluation(evaluations[1])
    live += monitor.finish()
    stored = scan(Records(tuple(steps), tuple(evaluations)), WEIGHTS, Policy(), finished=True)
    assert repr(live) == repr(stored)
    assert [(event.where, event.step) for event in live] == [
        ("yardstick/kl", 19),
        ("grad_norm", 39),
        ("kl", 41),
        ("kl", 41),
    ]


def test_of_one_step_losses_are_told_first_then_the_gradient_then_the_weights():
    step = Step(0, {"mel": NAN}, grad_norm=NAN, weight_norm=NAN, measures={"attention_logit": 2e4})
    told = [event.kind for event in Monitor(WEIGHTS, Policy()).step(step)]
    assert told == [
        EventKind.NAN_LOSS,
        EventKind.NAN_GRAD,
        EventKind.NONFINITE_WEIGHT,
        EventKind.ATTENTION_LOGITS,
    ]


def test_an_evaluation_comes_after_the_step_that_it_follows():
    steps = tuple(Step(i, {"mel": NAN if i == 1 else 1.0}) for i in range(3))
    found = scan(Records(steps, (Evaluation(2, 0, {"mel": NAN, "kl": 0.0}),)), WEIGHTS, Policy(), finished=False)
    assert [event.where for event in found] == ["mel", "yardstick/mel"]


def test_rules_on_whole_runs_need_a_run_that_came_to_its_end():
    steps = tuple(Step(i, {"mel": 2.0 + i % 2 / 100}, measures={"clip_factor": 0.1}) for i in range(30))
    records = Records(steps)
    assert scan(records, {}, Policy(), finished=False) == []
    ended = scan(records, {}, Policy(), finished=True)
    assert [event.kind for event in ended] == [EventKind.CLIP_SATURATION, EventKind.STUCK]


def test_another_policy_judges_the_same_records_differently():
    records = Records(tuple(course(3.0, NAN, 2.0)))
    strict = scan(records, {}, Policy(nonfinite_steps=1), finished=False)
    assert [event.severity for event in strict] == [Severity.WARNING, Severity.LOST]
    assert [event.severity for event in scan(records, {}, Policy(), finished=False)] == [Severity.WARNING]


def test_declared_directions_reach_the_rules():
    values = [3.0] * 10 + [1e9] * 20
    records = Records(tuple(Step(i, {"mel": 1.0, "disc": v}) for i, v in enumerate(values)))
    assert scan(records, {}, Policy(), finished=False) == []
    found = scan(records, {}, Policy(), {"disc": Direction.DOWN}, finished=False)
    assert [event.kind for event in found] == [EventKind.BLOW_UP]


def test_a_monitor_without_a_yardstick_watches_what_there_is():
    monitor = Monitor({}, Policy())
    found = [event for step in course(1.0, NAN) for event in monitor.step(step)]
    assert [event.kind for event in found] == [EventKind.NAN_LOSS]
    assert monitor.evaluation(Evaluation(2, 0, {"mel": 1.0})) == []


ODD = (NAN, INF, -INF, 0.0, -1.0, 1e-320, 1e308, -1e308, 1.0)
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
    steps, evaluations, found = list(odd_run(seed, n=seed * 4 % 201)), [], []
    monitor = Monitor(WEIGHTS, Policy(oscillation_window=10, skipped_steps=3))
    for step in steps:
        found += monitor.step(step)
        if step.step % 10 == 0:
            losses = {"mel": ODD[step.step // 10 % len(ODD)], "kl": ODD[seed % len(ODD)]}
            evaluations.append(Evaluation(step.step, step.step // 10 - 1, losses))
            found += monitor.evaluation(evaluations[-1])
    found += monitor.finish()
    told = {event.where for event in found}
    broken = {n for s in steps if not s.skipped for n, value in s.losses.items() if not math.isfinite(value)}
    assert broken <= told  # every component that broke is named
    for event in found:
        assert describe(event)
    records = Records(tuple(steps), tuple(evaluations), tuple(found))
    for outcome in Outcome:
        for kept in (records, Records(records.steps, records.evaluations), Records(records.steps)):
            assert judge(kept, Ending(outcome), WEIGHTS).evidence


@pytest.mark.parametrize("seed", range(200))
def test_a_series_of_odd_numbers_has_a_verdict_and_with_nan_at_its_end_it_is_not_stable(seed):
    dice = random.Random(seed)
    usual = dice.choice([ODD, [value for value in ODD if math.isfinite(value)], [1.0, 1e-320, 0.0]])
    values = [dice.choice(usual) for _ in range(seed)]
    assert verdict_of(values).label in VerdictLabel
    assert verdict_of([*values, NAN]).label is VerdictLabel.DIVERGED
    falling = [3.0 * 0.98**i for i in range(seed)]
    for broken in (NAN, INF, -INF):
        assert verdict_of([*falling, broken]).label is VerdictLabel.DIVERGED


def verdict_of(values):
    steps = tuple(course(*values))
    found = scan(Records(steps), {}, Policy(), finished=True)
    return judge(Records(steps, events=tuple(found)), Ending(Outcome.FINISHED), {})


def missing(steps=(), evaluations=(), weights=WEIGHTS):
    return dict(not_run(Records(tuple(steps), tuple(evaluations)), weights))


def test_what_could_not_be_looked_for_is_told_with_what_is_missing():
    assert missing().keys() == {rule.kind.value for rule in RULES}
    bare = missing(course(3.0, 2.0))
    assert bare == {
        "nan_loss": "evaluations",
        "nan_grad": "gradient norms",
        "nonfinite_weight": "weight norms",
        "spike": "gradient norms",
        "grad_explosion": "gradient norms",
        "vanishing": "gradients of layers (stability.watch)",
        "update_ratio": "sizes of updates (stability.watch)",
        "attention_logits": "attention logits (stability.watch)",
        "dominance": "gradients of components (watch.components)",
        "clip_saturation": "clip factors (stability.watch)",
    }
    everything = [Step(0, {"mel": 1.0}, grad_norm=1.0, weight_norm=1.0, measures=dict.fromkeys(MEASURES, 1.0))]
    evaluation = [Evaluation(0, BEFORE_TRAINING, {"mel": 1.0})]
    assert missing(everything, evaluation) == {}
    assert missing(everything, evaluation, weights={}) == {"nan_loss": "evaluations"}
    assert "nan_grad" not in missing([Step(0, {"mel": 1.0}, skipped=True)])


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("field", ["grad_norm", "total", "measures"])
def test_two_steps_of_nan_in_a_healthy_run_set_off_no_other_rule(field, value):
    def step(i):
        broken = i in (30, 31)
        number = value if broken else 1.0 - i / 200
        measures = {name: number for name in MEASURES if name != "attention_logit"}
        return Step(
            i,
            {"mel": 1.0 - i / 200},
            total=number if field == "total" else 1.0 - i / 200,
            grad_norm=number if field == "grad_norm" else 1.0,
            measures=measures | {"update_ratio": 1e-3, "zero_grad_share": 0.1}
            if field == "measures"
            else None,
        )

    found = scan(Records(tuple(step(i) for i in range(100))), {}, Policy(), finished=True)
    assert [event for event in found if event.severity is Severity.LOST] == []
    told = {EventKind.NAN_LOSS, EventKind.INF_LOSS, EventKind.NAN_GRAD}
    assert {event.kind for event in found if event.severity is Severity.WARNING} <= told


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"runaway": -1.0}, "policy runaway=-1.0: error: a positive number"),
        ({"spike_z": NAN}, "policy spike_z=nan: error: a positive number"),
        ({"spike_z": INF}, "policy spike_z=inf: error: a positive number"),
        ({"spike_z": "6"}, "policy spike_z='6': error: a positive number"),
        ({"masked_steps": 0}, "policy masked_steps=0: error: a positive integer"),
        ({"masked_steps": 2.5}, "policy masked_steps=2.5: error: a positive integer"),
        ({"masked_steps": True}, "policy masked_steps=True: error: a positive integer"),
        ({"stuck_drop": 1.5}, "policy stuck_drop=1.5: error: a number above 0, at most 1"),
        ({"given_back": 0.4}, "policy given_back_part=0.5: error: at most given_back, which is 0.4"),
        ({"window": 10}, "policy spike_minimum=20: error: at most window, which is 10"),
    ],
)
def test_limits_that_no_rule_could_work_with_are_refused(limits, message):
    with pytest.raises(UserError) as error:
        Policy(**limits)
    assert str(error.value) == message
