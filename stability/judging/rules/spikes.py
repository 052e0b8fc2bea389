"""Rules on how a run's loss moves from step to step: a sudden rise, or back and forth."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator

from stability.judging.rules.rolling import LogLoss, RollingWindow
from stability.judging.rules.rule import Context, Needs, Rule
from stability.records import Event, EventKind, Severity, Step


class Spike(Rule):
    """The loss jumps far above its recent past, and so does the gradient norm within a few steps.

    Both on logarithms, against the median and MAD of the last `policy.window` values before them; upwards
    only. The value itself is not in its own past. It joins it afterwards: the median of 64 is not moved by
    single outliers, they leave after 64 steps, and a lasting change of level becomes the new normal.
    `policy.spike_floor` is the least spread assumed: without it, the MAD of 0 of a constant loss would make
    every change infinitely many spreads.

    Fires once; the event stands at the loss's step, and is found when the gradient has followed.
    """

    kind = EventKind.SPIKE
    needs = Needs.GRAD_NORM

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        policy = context.policy
        self._loss = LogLoss()
        self._quantity = self._loss.quantity
        self._losses = RollingWindow(policy.window)
        self._gradients = RollingWindow(policy.window)
        self._suspects: deque[tuple[int, float]] = deque()  # (step, z) of a loss that jumped
        self._gradient_step: int | None = None
        self._fired = False

    def step(self, step: Step) -> Iterator[Event]:
        if self._fired:
            return
        if (z := self._loss_jump(step)) is not None:
            self._suspects.append((step.step, z))
        if self._gradient_jump(step):
            self._gradient_step = step.step
        while self._suspects and step.step - self._suspects[0][0] > self._policy.spike_reach:
            self._suspects.popleft()
        if not self._suspects or self._gradient_step is None:
            return
        for at, z in self._suspects:
            if abs(at - self._gradient_step) <= self._policy.spike_reach:
                self._fired = True
                limit = self._policy.spike_z
                yield Event(at, EventKind.SPIKE, self._quantity, z, limit, Severity.WARNING)
                return

    def _loss_jump(self, step: Step) -> float | None:
        value = self._loss.of(step)
        if self._loss.quantity != self._quantity:
            self._quantity, self._losses = self._loss.quantity, RollingWindow(self._policy.window)
            self._suspects.clear()
        return None if value is None else self._jump(self._losses, value)

    def _gradient_jump(self, step: Step) -> bool:
        norm = step.grad_norm
        if norm is None or not 0.0 < norm < math.inf:
            return False
        return self._jump(self._gradients, math.log(norm)) is not None

    def _jump(self, past: RollingWindow, value: float) -> float | None:
        """By how many spreads `value` stands above its past, where that is a jump; then it joins the past."""
        z = None
        if len(past) >= self._policy.spike_minimum:
            z = past.above(value, self._policy.spike_z, self._policy.spike_floor)
        past.add(value)
        return z


class Oscillation(Rule):
    """The loss goes up and down in turn, as at the edge of stability of gradient descent (arXiv 2103.00065).

    Smoothed twice by a running mean of three, because the share of sign flips says nothing of a bare loss:
    the differences of pure noise flip in 2/3 of all steps, those of its running mean in 1/2, those of this
    twice smoothed one in 0.27 (correlation 2/3 of neighbouring differences, arccos(2/3)/pi). A period of two
    steps survives the smoothing, at a ninth, and flips every time. Sampling noise of the windows is in the
    measurements of `Policy`.

    Differences of the twice smoothed loss are a ninth of (the last three) - (the three before); half of that
    difference is the amplitude of a period of two. On logarithms, so it is relative to the loss.
    Not told apart: a loss that alternates because two batches take turns in a fixed order.
    """

    kind = EventKind.OSCILLATION

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        policy = context.policy
        self._loss = LogLoss()
        self._quantity = self._loss.quantity
        self._last = deque[float](maxlen=6)
        self._changes = deque[float](maxlen=policy.oscillation_window)
        self._flips = deque[bool](maxlen=policy.oscillation_window)
        self._flipped = 0
        self._fired = False

    def step(self, step: Step) -> Iterator[Event]:
        if self._fired:
            return
        value = self._loss.of(step)
        if value is None or self._loss.quantity != self._quantity:
            self._forget()
        if value is not None and self._swings(value):
            amplitude = sum(map(abs, self._changes)) / len(self._changes) / 2.0
            limit = self._policy.oscillation_amplitude
            if amplitude > limit:
                self._fired = True
                yield Event(
                    step.step, EventKind.OSCILLATION, self._quantity, amplitude, limit, Severity.WARNING
                )

    def _swings(self, value: float) -> bool:
        """Note a loss; whether the window is full and most of its changes were flips."""
        self._last.append(value)
        if len(self._last) < 6:
            return False
        a, b, c, d, e, f = self._last
        change = d + e + f - (a + b + c)
        flip = bool(self._changes) and change * self._changes[-1] < 0.0
        if len(self._flips) == self._flips.maxlen:
            self._flipped -= self._flips[0]
        self._flipped += flip
        self._flips.append(flip)
        self._changes.append(change)
        full = len(self._flips) == self._flips.maxlen
        return full and self._flipped > self._policy.oscillation_flips * len(self._flips)

    def _forget(self) -> None:
        """A missing loss, or another quantity, breaks the course."""
        self._quantity = self._loss.quantity
        self._last.clear()
        self._changes.clear()
        self._flips.clear()
        self._flipped = 0
