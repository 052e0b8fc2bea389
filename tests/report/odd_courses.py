"""Trainings whose records are as bare or as broken as records get. A course is evaluations and steps."""

from __future__ import annotations

import math

NAN, INF = math.nan, math.inf

STUDY = """\
name: odd
trainer: {{call: "{file}:train"}}
budget: {{epochs: {epochs}, batch_size: 1, timeout_s: 60}}
params:
  lr: {{min: 1e-3, max: 10.0, log: true}}
  course: {{values: [{courses}]}}
arms: {{{arms}}}
{compare}
plan:
  - compare: {{seeds: 3}}
  - search: {{sampler: random, trials: 2}}
yardstick: {{square: 1.0}}
"""


def study(courses, epochs):
    """A study file with an arm a course, the first two compared."""
    arms = ", ".join(f"arm-{i}: {{lr: {0.1 * (i + 1)}, course: {own}}}" for i, own in enumerate(courses))
    compare = "compare: {baseline: arm-0, treatment: arm-1}" if len(courses) > 1 else ""
    told = {"file": __file__, "epochs": epochs, "arms": arms, "compare": compare}
    return STUDY.format(courses=", ".join(dict.fromkeys(courses)), **told)


def train(trial, recorder):
    """Record what the course named by the arm's `course` says."""
    for what, losses, epoch in COURSES[trial.params["course"]](trial):
        if what == "crash":
            raise RuntimeError("a bug in the trainer")
        if what == "step":
            recorder.step(losses, total=sum(losses.values()), grad_norm=1.0, epoch=epoch)
        else:
            recorder.evaluate(losses, epoch)


def _course(trial, evaluated, printed, before=True):
    """An evaluation before training, and in each epoch the steps' losses and an evaluation."""
    if before:
        yield "evaluate", {"square": evaluated(-1)}, -1
    for epoch in range(trial.epochs):
        for step in range(2):
            yield "step", {"square": printed(2 * epoch + step)}, epoch
        yield "evaluate", {"square": evaluated(epoch)}, epoch


def falling(trial):
    return _course(trial, lambda epoch: 2.0 - 0.1 * epoch - 0.01 * trial.seed, lambda step: 3.0 - 0.1 * step)


def one_step(trial):
    yield "step", {"square": 1.0 + trial.seed}, 0
    yield "evaluate", {"square": 1.0}, 0


def before_and_after(trial):
    yield "evaluate", {"square": 3.0}, -1
    for step in range(20):
        yield "step", {"square": 3.0 - 0.1 * step}, step // 5
    yield "evaluate", {"square": 1.0 + 0.1 * trial.seed}, 3


def unevaluated(trial):
    return (own for own in falling(trial) if own[0] == "step")


def nothing(trial):
    return iter(())


def evaluated_alone(trial):
    return (own for own in falling(trial) if own[0] == "evaluate")


def constant(trial):
    return _course(trial, lambda epoch: 2.0, lambda step: 2.0)


def zero(trial):
    return _course(trial, lambda epoch: 0.0, lambda step: 0.0)


def negative(trial):
    return _course(trial, lambda epoch: -2.0 - epoch, lambda step: -1.0 - step)


def huge(trial):
    return _course(trial, lambda epoch: 1e300 * (1 - 0.1 * epoch), lambda step: 1e300 - 1e299 * step)


def tiny(trial):
    return _course(trial, lambda epoch: 1e-300 * (2 - 0.1 * epoch), lambda step: 1e-300 * (5 - step))


def wide(trial):
    return _course(trial, lambda epoch: 10.0 ** (-300 * (epoch + 1)), lambda step: 10.0 ** (-280 * step))


def nan_at_once(trial):
    return _course(trial, lambda epoch: 2.0, lambda step: NAN)


def nan_before_training(trial):
    yield "evaluate", {"square": NAN}, -1
    yield "crash", {}, 0


def nan_when_evaluated(trial):
    return _course(trial, lambda epoch: 2.0 if epoch < 0 else NAN, lambda step: 2.0)


def infinite(trial):
    return _course(trial, lambda epoch: 2.0, lambda step: INF if step else 2.0)


def minus_infinite(trial):
    return _course(trial, lambda epoch: 2.0, lambda step: -INF if step else 2.0)


def crashes(trial):
    yield "evaluate", {"square": 2.0}, -1
    yield "crash", {}, 0


def loses_one(trial):
    """One of three seeds crashes, one diverges."""
    return (falling, crashes, nan_at_once)[trial.seed % 3](trial)


def one_diverges(trial):
    return (nan_at_once if trial.seed % 3 == 1 else falling)(trial)


def lengths_differ(trial):
    for step in range(1 + 7 * (trial.seed % 3)):
        yield "step", {"square": 3.0 - 0.1 * step}, 0
    yield "evaluate", {"square": 2.0}, 0


COURSES = {
    own.__name__: own
    for own in (
        *(
            falling,
            one_step,
            before_and_after,
            unevaluated,
            nothing,
            evaluated_alone,
            constant,
            zero,
            negative,
        ),
        *(huge, tiny, wide, nan_at_once, nan_before_training, nan_when_evaluated, infinite, minus_infinite),
        *(crashes, loses_one, one_diverges, lengths_differ),
    )
}
