"""Where a failure announced itself: the first quantity that left its band for good, the steepest rise.

Pure Python over recorded steps; says what came first in this run, never what caused it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stability.judging.policy import Policy
from stability.judging.rules.rolling import RollingWindow
from stability.judging.trend import median
from stability.records import Step


@dataclass(frozen=True, slots=True)
class Onset:
    """`quantity` left its band at `step` and was outside until the failure.

    Quantities are called as in the store: `loss/kl`, `total`, `grad_norm`, `weight_norm`, `measure/grad_rms`.
    `value` is what it was there, `median` what it had been, `z` the distance in robust standard deviations of
    logarithms, negative below; infinite where the value was.
    """

    step: int
    quantity: str
    value: float
    median: float
    z: float


@dataclass(frozen=True, slots=True)
class Jump:
    """`quantity` went from `before` to `value` within one step."""

    step: int
    quantity: str
    before: float
    value: float


def largest_jump(steps: Sequence[Step], last: int) -> Jump | None:
    """The steepest rise of any loss or norm from one step to the next, up to step `last`; None below 2 times.

    Where nothing became non-finite this is the step to look at. Rises from or to 0, or to a number that is
    not finite, have no ratio and do not count.
    """
    found: list[tuple[float, Jump]] = []
    before: dict[str, float] = {}
    for step in steps:
        now = {} if step.step > last else dict(_quantities(step))
        for quantity, value in now.items():
            ratio = value / before[quantity] if before.get(quantity, 0.0) > 0.0 else math.nan
            if 2.0 <= ratio < math.inf:
                found.append((ratio, Jump(step.step, quantity, before[quantity], value)))
        before = now
    return max(found, key=lambda one: one[0], default=(0.0, None))[1]


def began(steps: Sequence[Step], bad_step: int, policy: Policy | None = None) -> int:
    """The first step of the failure that a rule saw at `bad_step`: from there on all were exploding or lost.

    Exploding is a loss, total or gradient norm `policy.grad_explosion_rise` times the median of its first
    `policy.window` finite values in size; lost is one that is not finite, or such a norm of the weights.
    """
    courses = {step.step: dict(_quantities(step)) for step in steps if step.step <= bad_step}
    return began_in(courses, bad_step, policy)


def began_in(courses: Mapping[int, Mapping[str, float]], bad_step: int, policy: Policy | None = None) -> int:
    """The same over the quantities of each step, called as in the store."""
    policy = policy or Policy()
    limits = _explosion_limits(courses, policy)
    first = bad_step
    for step in sorted((step for step in courses if step <= bad_step), reverse=True):
        is_lost = any(not math.isfinite(value) for value in _failing(courses[step]).values())
        exploding = (abs(value) > limits.get(name, math.inf) for name, value in courses[step].items())
        if is_lost or any(exploding):
            first = step
        elif step < bad_step:
            break
    return first


def _failing(quantities: Mapping[str, float]) -> dict[str, float]:
    """Those that say of a step that it is lost; what is only measured now and then does not."""
    return {name: value for name, value in quantities.items() if not name.startswith("measure/")}


def _explosion_limits(courses: Mapping[int, Mapping[str, float]], policy: Policy) -> dict[str, float]:
    early: dict[str, list[float]] = {}
    for step in sorted(courses):
        for name, value in courses[step].items():
            if name.startswith("loss/") or name in ("total", "grad_norm"):
                kept = early.setdefault(name, [])
                if math.isfinite(value) and len(kept) < policy.window:
                    kept.append(abs(value))
    return {
        name: policy.grad_explosion_rise * median(kept) or math.inf
        for name, kept in early.items()
        if len(kept) >= policy.grad_explosion_minimum
    }


def onset(steps: Sequence[Step], bad_step: int, policy: Policy | None = None) -> Onset | None:
    """The earliest departure before `bad_step`, the farthest one of equally early ones; None for none.

    A departure is a value more than `policy.spike_z` robust standard deviations of logarithms from the median
    of `policy.onset_minimum` to `policy.window` values before it, on either side, after which every value up
    to `bad_step` lies on that side of the same band. Looks back over `policy.window` values: what changed
    earlier has become normal since. Values that have no logarithm (0, negative) are passed over, and so are
    missing ones.
    """
    policy = policy or Policy()
    before = [step for step in steps if step.step < bad_step]
    courses: dict[str, list[tuple[int, float]]] = {}
    for step in before[-2 * policy.window :]:
        for quantity, value in _quantities(step):
            if value > 0.0 or math.isnan(value):
                courses.setdefault(quantity, []).append((step.step, value))
    found = [_departure(quantity, course, policy) for quantity, course in courses.items()]
    return min(filter(None, found), key=lambda one: (one.step, -abs(one.z)), default=None)


def _quantities(step: Step) -> Iterator[tuple[str, float]]:
    """Every number of a step that says how the training goes; settings such as the learning rate do not."""
    yield from ((f"loss/{name}", value) for name, value in step.losses.items())
    scalars = {"total": step.total, "grad_norm": step.grad_norm, "weight_norm": step.weight_norm}
    yield from ((name, value) for name, value in scalars.items() if value is not None)
    yield from ((f"measure/{name}", value) for name, value in (step.measures or {}).items())


def _departure(quantity: str, course: Sequence[tuple[int, float]], policy: Policy) -> Onset | None:
    """The first value of a course from which on all lie on one side of the band that its past makes."""
    for at in range(max(policy.onset_minimum, len(course) - policy.window), len(course)):
        past = RollingWindow(policy.window)
        for _, value in course[max(0, at - policy.window) : at]:
            if math.isfinite(value):
                past.add(math.log(value))
        if len(past) < policy.onset_minimum:
            continue
        middle, spread = past.median(), past.spread(policy.spike_floor)
        z = [_deviation(value, middle, spread) for _, value in course]
        for side in (1.0, -1.0):
            outside = [side * one > policy.spike_z for one in z]
            if all(outside[at:]):
                while at and outside[at - 1]:  # it began before there was enough past to tell
                    at -= 1
                step, value = course[at]
                return Onset(step, quantity, value, math.exp(middle), z[at])
    return None


def _deviation(value: float, middle: float, spread: float) -> float:
    """Signed distance of the logarithm; a value that is not finite is beyond every band, above."""
    return (math.log(value) - middle) / spread if math.isfinite(value) else math.inf
