"""Rules on finite gradients: far larger than they were, too small, clipped, ruled by one loss component."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping

from stability.judging.rules.rolling import RollingWindow, Streak
from stability.judging.rules.rule import Context, Needs, Rule
from stability.judging.trend import median
from stability.records import Event, EventKind, Measure, Severity, Step

LAYERS = f"{Measure.GRAD_RMS_FIRST}/{Measure.GRAD_RMS_LAST}"
UNCLIPPED = 1.0 - 1e-4
"""A clip factor above this counts as 1: it is a quotient of norms summed in fp32."""


class GradExplosion(Rule):
    """The gradient has grown far beyond what it was in the same network's own early steps.

    - The norm exceeds `policy.grad_explosion_rise` times the median of the first `policy.window` norms, in
      `policy.samples` steps in a row. Whether a norm of 5,000 is large depends on the loss and the network;
      whether it is a thousand times the usual one does not.
    - The root mean square of the first layer's gradient over that of the last exceeds `policy.layer_ratio`,
      and `policy.layer_ratio` times what it was in the first `policy.samples` measurements, in as many in a
      row: gradients that grow on their way to the input. The other way round they shrink, which is
      `Vanishing`'s business, and normal behind a zero-initialised head.

    A norm that is not finite is not this rule's business. Each of the two fires once.
    """

    kind = EventKind.GRAD_EXPLOSION
    needs = Needs.GRAD_NORM

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._early: list[float] = []
        self._early_ratios: list[float] = []
        self._large, self._layers = Streak(self._policy.samples), Streak(self._policy.samples)
        self._fired: set[str] = set()

    def step(self, step: Step) -> Iterator[Event]:
        """The events of one step."""
        if step.grad_norm is not None and math.isfinite(step.grad_norm):
            yield from self._norm(step, step.grad_norm)
        ratio = _layer_ratio(step.measures or {})
        if ratio is not None and math.isfinite(ratio):
            yield from self._ratio(step, ratio)

    def _norm(self, step: Step, norm: float) -> Iterator[Event]:
        rise = self._policy.grad_explosion_rise
        usual = median(self._early) if len(self._early) >= self._policy.grad_explosion_minimum else math.inf
        if self._large.goes_on(norm > rise * usual > 0.0):
            yield from self._once(step, "grad_norm/early", norm / usual, rise)
        if len(self._early) < self._policy.window:
            self._early.append(norm)

    def _ratio(self, step: Step, ratio: float) -> Iterator[Event]:
        if len(self._early_ratios) < self._policy.samples:
            self._early_ratios.append(ratio)
            return
        limit = self._policy.layer_ratio * max(1.0, median(self._early_ratios))
        if self._layers.goes_on(ratio > limit):
            yield from self._once(step, LAYERS, ratio, limit)

    def _once(self, step: Step, where: str, value: float, limit: float) -> Iterator[Event]:
        if where not in self._fired:
            self._fired.add(where)
            yield Event(step.step, EventKind.GRAD_EXPLOSION, where, value, limit, Severity.WARNING)


class Vanishing(Rule):
    """The gradients have all but vanished: all of them, those of the first layer, or most of their elements.

    - The root mean square of all elements is below `policy.vanishing_rms`. The mean absolute value, which
      the source speaks of, is never above it, so it is below too.
    - The first layer's is below `policy.vanishing_first` and below `policy.vanishing_ratio` of the last's, in
      a training that does not learn: the median loss of the last `policy.vanishing_steps` steps is not below
      `policy.vanishing_learned` of the first. The source, too, asks for an accuracy that stays low: a deep
      residual model may learn well with a first layer whose gradient is a millionth of the last's.
    - The share of elements that are exactly 0 reaches `policy.vanishing_zeros`.

    The first two must hold for `policy.vanishing_steps` steps in a row over which the gradient did not grow
    by more than `policy.vanishing_growth`: behind a zero-initialised head the first gradients are 0 and grow
    from step to step, which is how such a head should begin. The third must hold for `policy.samples`
    samples in a row. Gradients that are small because the loss has fallen below `policy.vanishing_done` of
    its first value belong to a training that is done. Each of the three fires once.
    """

    kind = EventKind.VANISHING
    needs = Needs.GRADIENTS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        policy = context.policy
        self._all = deque[float](maxlen=policy.vanishing_steps)
        self._first = deque[float](maxlen=policy.vanishing_steps)
        self._zeros = Streak(policy.samples)
        self._losses = RollingWindow(policy.vanishing_steps)
        self._start: float | None = None
        self._fired: set[str] = set()

    def step(self, step: Step) -> Iterator[Event]:
        loss = sum(step.losses.values())
        if self._start is None:
            self._start = loss
        if math.isfinite(loss):
            self._losses.add(loss)
        if not step.measures or step.skipped:
            return
        policy, measures = self._policy, step.measures
        size = measures.get(Measure.GRAD_RMS)
        if size is not None and self._stays_low(self._all, size, size < policy.vanishing_rms):
            yield from self._once(step, Measure.GRAD_RMS, size, policy.vanishing_rms)
        ratio = _layer_ratio(measures)
        if ratio is not None:
            first = measures[Measure.GRAD_RMS_FIRST]
            low = ratio < policy.vanishing_ratio and first < policy.vanishing_first and not self._learns()
            if self._stays_low(self._first, first, low):
                yield from self._once(step, LAYERS, ratio, policy.vanishing_ratio)
        share = measures.get(Measure.ZERO_GRAD_SHARE)
        if share is not None and self._zeros.goes_on(share >= policy.vanishing_zeros):
            yield from self._once(step, Measure.ZERO_GRAD_SHARE, share, policy.vanishing_zeros)

    def _stays_low(self, low_ones: deque[float], size: float, low: bool) -> bool:
        if not low:
            low_ones.clear()
            return False
        low_ones.append(size)
        grown = size > self._policy.vanishing_growth * low_ones[0]
        return len(low_ones) == low_ones.maxlen and not grown

    def _once(self, step: Step, where: str, value: float, limit: float) -> Iterator[Event]:
        if where not in self._fired and not self._is_done(step):
            self._fired.add(where)
            yield Event(step.step, EventKind.VANISHING, str(where), value, limit, Severity.WARNING)

    def _learns(self) -> bool:
        if not len(self._losses):
            return False
        return 0.0 <= self._losses.median() < self._policy.vanishing_learned * self._start

    def _is_done(self, step: Step) -> bool:
        return 0.0 <= sum(step.losses.values()) < self._policy.vanishing_done * self._start


class ClipSaturation(Rule):
    """A fact about a whole run: clipping acted on nearly every step, or on nearly none.

    On nearly every step it normalises the gradient: only its direction is left, and another clip value acts
    like another learning rate, so a difference cannot be traced to it. On nearly none it did nothing. Neither
    speaks against the run. Steps without a finite factor, which a scaler skipped for example, are not counted
    on either side; at least `policy.clip_steps` others are needed.
    """

    kind = EventKind.CLIP_SATURATION
    needs = Needs.CLIPPING

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._clipped = self._counted = self._last = 0

    def step(self, step: Step) -> Iterator[Event]:
        factor = step.measures.get(Measure.CLIP_FACTOR) if step.measures else None
        if factor is not None and math.isfinite(factor):
            self._counted += 1
            self._clipped += factor < UNCLIPPED
            self._last = step.step
        return iter(())

    def finish(self) -> Iterator[Event]:
        if self._counted < max(1, self._policy.clip_steps):
            return
        share = self._clipped / self._counted
        for limit, applies in (
            (self._policy.clip_saturated, share > self._policy.clip_saturated),
            (self._policy.clip_inactive, share < self._policy.clip_inactive),
        ):
            if applies:
                kind = EventKind.CLIP_SATURATION
                yield Event(self._last, kind, Measure.CLIP_FACTOR.value, share, limit, Severity.FACT)


class Dominance(Rule):
    """A fact: one loss component makes up nearly all of the gradient, or two of them pull against each other.

    With loss weights of 1 and 50 the one is what was asked for, and objectives in conflict are trained every
    day (arXiv 2001.06782 begins with them): neither says that this run goes wrong. Both say what a change of
    loss weights can do. Fires once per component, or pair, after `policy.samples` samples in a row.
    """

    kind = EventKind.DOMINANCE
    needs = Needs.COMPONENT_GRADIENTS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        policy = context.policy
        self._streaks: defaultdict[str, Streak] = defaultdict(lambda: Streak(policy.samples))
        self._fired: set[str] = set()

    def step(self, step: Step) -> Iterator[Event]:
        for name, value in (step.measures or {}).items():
            if name.startswith(Measure.GRAD_SHARE):
                limit = self._policy.dominance_share
                holds = value > limit and _shares(step.measures) > 1
            elif name.startswith(Measure.GRAD_COSINE):
                limit = -self._policy.dominance_opposition
                holds = value < limit
            else:
                continue
            if self._streaks[name].goes_on(holds) and name not in self._fired:
                self._fired.add(name)
                yield Event(step.step, EventKind.DOMINANCE, name, value, limit, Severity.FACT)


def _layer_ratio(measures: Mapping[str, float]) -> float | None:
    """First over last layer; None unless both were measured and the last one has a gradient."""
    first, last = measures.get(Measure.GRAD_RMS_FIRST), measures.get(Measure.GRAD_RMS_LAST)
    return None if first is None or last is None or not last > 0.0 else first / last


def _shares(measures: Mapping[str, float]) -> int:
    """How many components share the gradient; a single one has it all."""
    return sum(name.startswith(Measure.GRAD_SHARE) for name in measures)
