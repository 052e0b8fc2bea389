"""Rules on the weights and on what they do to the activations: update size, attention logits."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator

from stability.judging.rules.rolling import Streak
from stability.judging.rules.rule import Context, Needs, Rule
from stability.records import Event, EventKind, Measure, Severity, Step


class UpdateRatio(Rule):
    """The weights change by a large share of themselves in a step, or, over a whole run, by next to nothing.

    Large: above `policy.update_ratio`, or above `policy.update_ratio_severe`, in `policy.samples` samples in
    a row; one event a level, and none for the lower one after the higher. Nothing: no sample of a run that
    came to its end reached `policy.update_ratio_still`, of at least as many. That is a rule on the whole run
    because a warm-up begins, and a schedule ends, at learning rates that move nothing for a while, as they
    should. Steps that a scaler skipped moved nothing by intention and do not count.
    """

    kind = EventKind.UPDATE_RATIO
    needs = Needs.UPDATES

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        policy = context.policy
        levels = (policy.update_ratio_severe, policy.update_ratio)
        self._levels = [(level, Streak(policy.samples)) for level in levels]
        self._reported = 0.0
        self._counted = self._last = 0
        self._largest = 0.0
        self._still = True

    def step(self, step: Step) -> Iterator[Event]:
        ratio = step.measures.get(Measure.UPDATE_RATIO) if step.measures else None
        if ratio is None or step.skipped:
            return
        self._note(step.step, ratio)
        reached = [level for level, streak in self._levels if streak.goes_on(level < ratio < math.inf)]
        if reached and reached[0] > self._reported:
            self._reported = reached[0]
            yield self._event(step.step, ratio, reached[0])

    def finish(self) -> Iterator[Event]:
        if self._counted >= self._policy.samples and self._still:
            yield self._event(self._last, self._largest, self._policy.update_ratio_still)

    def _note(self, step: int, ratio: float) -> None:
        self._counted += 1
        self._last = step
        self._largest = max(self._largest, ratio)
        self._still = self._still and ratio < self._policy.update_ratio_still  # NaN is not

    def _event(self, step: int, ratio: float, limit: float) -> Event:
        kind = EventKind.UPDATE_RATIO
        return Event(step, kind, Measure.UPDATE_RATIO.value, ratio, limit, Severity.WARNING)


class AttentionLogits(Rule):
    """The largest attention logit grows and grows, or nears what fp16 can hold.

    Above `policy.attention_logit` softmax is all but one-hot, and where the logits still grow (each of
    `policy.samples` samples above the one before, and the last above the first by `policy.attention_rise`)
    the loss has been seen to diverge (arXiv 2302.05442, 2309.14322). But trainings that go well reach logits
    of thousands, too: it is a fact. A large but steady logit is no event. Above `policy.attention_overflow`
    one sample suffices for a warning: fp16 ends at 65504. Each fires once.
    """

    kind = EventKind.ATTENTION_LOGITS
    needs = Needs.ATTENTION

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        policy = context.policy
        self._last = deque[float](maxlen=policy.samples)
        self._fired: set[float] = set()

    def step(self, step: Step) -> Iterator[Event]:
        logit = step.measures.get(Measure.ATTENTION_LOGIT) if step.measures else None
        if logit is None:
            return
        self._last.append(logit)
        if logit > self._policy.attention_overflow:
            yield from self._once(step.step, logit, self._policy.attention_overflow, Severity.WARNING)
        elif logit > self._policy.attention_logit and self._rises():
            yield from self._once(step.step, logit, self._policy.attention_logit, Severity.FACT)

    def _rises(self) -> bool:
        values = list(self._last)
        grew = all(before < after for before, after in zip(values, values[1:], strict=False))
        full = len(values) == self._last.maxlen
        return full and grew and values[-1] >= self._policy.attention_rise * values[0]

    def _once(self, step: int, logit: float, limit: float, severity: Severity) -> Iterator[Event]:
        if limit not in self._fired:
            self._fired.add(limit)
            where = Measure.ATTENTION_LOGIT.value
            yield Event(step, EventKind.ATTENTION_LOGITS, where, logit, limit, severity)
