"""Courses of a training, planted by hand or by a seeded generator, and what the rules say of them."""

from __future__ import annotations

import math
import random

from stability.judging.monitor import scan
from stability.judging.policy import Policy
from stability.records import BEFORE_TRAINING, Evaluation, EventKind, Records, Step

NAN, INF = math.nan, math.inf


def events(steps=(), evaluations=(), *, kind=None, policy=None, finished=False, weights=None):
    """What all rules together say, or one kind of it."""
    records = Records(tuple(steps), tuple(evaluations))
    weights = {"mel": 1.0, "kl": 0.5} if weights is None else weights
    found = scan(records, weights, policy or Policy(), finished=finished)
    return [event for event in found if kind is None or event.kind is EventKind(kind)]


def kinds(found):
    return [(event.kind.value, event.where, event.step) for event in found]


def course(*values, name="mel", **extra):
    """One step per value of a loss."""
    return [Step(i, {name: value}, lr=0.1, **extra) for i, value in enumerate(values)]


def measured(**series):
    """Steps of a steady loss with measures: lists of one length, or constants, for 30 steps without a list."""
    n = next((len(values) for values in series.values() if isinstance(values, list)), 30)
    columns = {name: values if isinstance(values, list) else [values] * n for name, values in series.items()}
    return [
        Step(
            i,
            {"mel": 1.0 + 0.1 * (i % 3)},
            measures={k: v[i] for k, v in columns.items() if v[i] is not None},
        )
        for i in range(n)
    ]


def evaluations(*values, every=8):
    first = Evaluation(0, BEFORE_TRAINING, {"mel": values[0], "kl": 0.0})
    return [first] + [Evaluation(every * (i + 1), i, {"mel": v, "kl": 0.0}) for i, v in enumerate(values[1:])]


def noisy(n, level=lambda t: 1.0, sigma=0.1, seed=0):
    """`n` values of log-normal noise about `level`, a function of the share of the course."""
    dice = random.Random(seed)
    return [level(i / n) * math.exp(dice.gauss(0.0, sigma)) for i in range(n)]
