"""A trial's records and ending -> its verdict. Pure; the only place that decides what a training did."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from stability.judging.findings import Conclusion
from stability.judging.last_words import names_nonfinite
from stability.judging.policy import Policy
from stability.judging.rules.nonfinite import KINDS as NONFINITE
from stability.judging.rules.nonfinite import SKIPPED, remains_nonfinite
from stability.judging.rules.progress import Progress
from stability.judging.rules.rule import Context
from stability.records import (
    BEFORE_TRAINING,
    Direction,
    Ending,
    Event,
    EventKind,
    Measure,
    Outcome,
    Records,
    Severity,
    Step,
    Verdict,
    VerdictLabel,
)

TRIED_AGAIN = frozenset({Outcome.LOST, Outcome.OUT_OF_MEMORY})
"""Ends from outside: the course was cut off anywhere, and another try will show the rest."""
SYMPTOMS = frozenset(
    {
        EventKind.NAN_GRAD,
        EventKind.SPIKE,
        EventKind.GRAD_EXPLOSION,
        EventKind.UPDATE_RATIO,
        EventKind.ATTENTION_LOGITS,
        EventKind.OSCILLATION,
    }
)
"""Warnings of how a training goes. They explain one that went wrong, and say nothing against one that learned
and kept what it learned."""


def judge(
    records: Records,
    ending: Ending,
    weights: Mapping[str, float],
    policy: Policy | None = None,
    directions: Mapping[str, Direction] | None = None,
) -> Verdict:
    """What the training did, from what was recorded; `weights` are the yardstick's coefficients.

    A lost trial is DIVERGED however its process ended: by an event that ended it, by numbers that were not
    finite when it ended, by a course that left its start for good, or by last words that say that its numbers
    were not finite. Without that, a process that did not
    finish is INCONCLUSIVE. Of one that finished, its whole course decides (`conclusion`), and those warnings
    that it does not contradict. `directions` are those declared in the study file.
    """
    policy = policy or Policy()
    context = Context(policy, weights, directions or {})
    if (lost := _lost(records, context)) is not None:
        return _from_event(VerdictLabel.DIVERGED, lost)
    found = _conclusion(records, context)
    if found.label is VerdictLabel.DIVERGED and ending.outcome not in TRIED_AGAIN:
        return _from_event(VerdictLabel.DIVERGED, found.event)
    if ending.outcome is Outcome.CRASHED and names_nonfinite(ending.error or ""):
        return _died(records, ending.error)
    if ending.outcome is not Outcome.FINISHED:
        return Verdict(VerdictLabel.INCONCLUSIVE, evidence=ending.error or ending.outcome.value)
    if not records.steps:
        return Verdict(VerdictLabel.INCONCLUSIVE, evidence="the trainer recorded no step")
    if records.evaluations and records.evaluations[-1].epoch == BEFORE_TRAINING:
        return Verdict(VerdictLabel.INCONCLUSIVE, evidence="evaluated before training, but never after it")
    return _finished(records, found)


def _lost(records: Records, context: Context) -> Event | None:
    """What ended the training, dated by the first of the non-finite numbers that led there."""
    ended = [event for event in records.events if event.severity is Severity.LOST]
    if (remains := remains_nonfinite(records, context)) is not None:
        ended.append(remains)
    if not ended:
        return None
    first = min(ended, key=lambda event: event.step)
    before = [e for e in records.events if e.kind in NONFINITE and first.step - 2 <= e.step <= first.step]
    return min(before, key=lambda event: event.step, default=first)


def _died(records: Records, said: str) -> Verdict:
    """The program said itself that its numbers were not finite, and ended."""
    step = records.steps[-1].step if records.steps else None
    return Verdict(VerdictLabel.DIVERGED, step, EventKind.NAN_LOSS, "last words", said)


def _conclusion(records: Records, context: Context) -> Conclusion:
    progress = Progress(context)
    for step in records.steps:
        progress.step(step)
    for evaluation in records.evaluations:
        progress.evaluation(evaluation)
    return progress.conclusion()


def _finished(records: Records, found: Conclusion) -> Verdict:
    """The verdict on a training that came to its end without being lost on its way."""
    warnings = [event for event in records.events if event.severity is Severity.WARNING]
    counting = [event for event in warnings if event.kind not in SYMPTOMS | {EventKind.STUCK}]
    if found.event is not None and found.label is not VerdictLabel.STUCK:
        return _from_event(found.label, found.event)
    if found.label is VerdictLabel.STUCK and all(event.kind is EventKind.VANISHING for event in counting):
        return _from_event(VerdictLabel.STUCK, found.event)
    if counting:
        return _from_event(VerdictLabel.UNSTABLE, min(counting, key=lambda event: event.step))
    if still := next(filter(_is_still, warnings), None):
        return _from_event(VerdictLabel.STUCK, still)
    if found.label is VerdictLabel.STABLE:
        return Verdict(VerdictLabel.STABLE, evidence=f"{found.evidence} {_in_steps(records.steps)}")
    return Verdict(VerdictLabel.INCONCLUSIVE, evidence=found.evidence)


def _in_steps(steps: Sequence[Step]) -> str:
    """How many steps there were, and whether every number of theirs was finite."""
    broken = sum(not all(map(math.isfinite, _numbers(step))) for step in steps)
    finite = f"not every number finite in {broken} of them" if broken else "every recorded number finite"
    return f"in {len(steps)} steps, {finite}"


def _numbers(step: Step) -> list[float]:
    norms = (step.total, step.grad_norm, step.weight_norm)
    return [*step.losses.values(), *(step.measures or {}).values(), *(n for n in norms if n is not None)]


def describe(event: Event) -> str:
    """One line of evidence, with the number that broke the rule."""
    value, limit, at = f"{event.value:.3g}", f"limit {event.threshold or 0.0:.3g}", f"at step {event.step}"
    match event.kind:
        case EventKind.BLOW_UP:
            way = "fell" if event.value < event.threshold else "rose"
            course = f"{way} from {event.threshold:.4g} to {event.value:.4g}"
            return f"{event.where} {course}, for good {_from(event)}"
        case EventKind.GAVE_BACK:
            share = f"{event.value:.0%}" if event.value <= 1.0 else "more than all"
            return f"{event.where} gave back {share} of what it had learned, {_from(event)}"
        case EventKind.RETURNED:
            back = f"came back to {event.threshold:.4g}, where it began"
            return f"{event.where} went {_way(event)} to {value} and {back}"
        case EventKind.EXCURSION:
            return f"{event.where} went {_way(event)} to {value} on its way from {event.threshold:.4g}, {at}"
        case EventKind.MASKED_NONFINITE:
            loss = event.where if event.where.endswith("loss") else f"{event.where} loss"
            frozen = f"{loss} stayed at exactly {event.value:g}"
            return f"{frozen} for {event.threshold:g} steps up to step {event.step}"
        case EventKind.NAN_GRAD if event.where == "skipped steps":
            return f"the gradient scaler skips one step after another, {at}"
        case EventKind.NAN_GRAD:
            return f"gradient norm {event.value} at step {event.step}"
        case EventKind.NAN_LOSS if event.where == SKIPPED:
            count = "a batch was" if event.value == 1.0 else f"{event.value:.0f} batches were"
            return f"{count} skipped by step {event.step}: a loss that was not finite"
        case EventKind.NONFINITE_WEIGHT:
            return f"weight norm {event.value} after step {event.step}"
        case EventKind.SPIKE:
            above = f"{event.where} {value} robust standard deviations above its running median {at}"
            return f"{above}, and the gradient norm with it ({limit})"
        case EventKind.GRAD_EXPLOSION | EventKind.VANISHING:
            return f"{_GRADIENT[event.where].format(value)} {at} ({limit})"
        case EventKind.STUCK:
            moved = f"{event.threshold:.4g} to {event.value:.4g}"
            return f"{event.where} {moved} in {event.step + 1} steps: no change beyond its noise"
        case EventKind.UPDATE_RATIO if _is_still(event):
            return f"no sampled update changed the weights by more than {value} of their norm ({limit})"
        case EventKind.UPDATE_RATIO:
            return f"updates change the weights by {value} of their norm {at} ({limit})"
        case EventKind.CLIP_SATURATION:
            meaning = _SATURATED if event.value > 0.5 else _INACTIVE
            return f"{event.value:.1%} of the steps were clipped: {meaning}"
        case EventKind.ATTENTION_LOGITS:
            return f"largest attention logit {value} {at} ({limit})"
        case EventKind.DOMINANCE if event.where.startswith(Measure.GRAD_COSINE):
            pair = " and ".join(event.where.partition("/")[2].split(","))
            return f"gradients of {pair} pull against each other: cosine {value} {at} ({limit})"
        case EventKind.DOMINANCE:
            component = event.where.partition("/")[2]
            return f"{component} makes up {event.value:.1%} of the weighted gradients {at} ({limit})"
        case EventKind.OSCILLATION:
            return f"{event.where} goes up and down in turn by {event.value:.1%} {at} ({limit})"
        case _:
            loss = event.where if event.where.endswith("loss") else f"{event.where} loss"
            return f"{loss} {event.value} at step {event.step}"


_GRADIENT = {
    "grad_norm/early": "gradient norm {} times what it was in the first steps",
    "grad_rms": "root mean square of the gradient {}",
    "grad_rms_first/grad_rms_last": "gradient of the first layer {} times that of the last",
    "zero_grad_share": "share of gradient elements that are exactly 0: {}",
}
_SATURATED = "clipping normalises the gradient, and nothing can be traced to the clip value"
_INACTIVE = "clipping is inactive"


def _way(event: Event) -> str:
    return "down" if event.value < event.threshold else "up"


def _from(event: Event) -> str:
    return f"from step {event.step} on"


def _is_still(event: Event) -> bool:
    """Whether this says that the weights hardly moved: `update_ratio` has a lower limit as well."""
    return (
        event.kind is EventKind.UPDATE_RATIO and event.threshold is not None and event.value < event.threshold
    )


def _from_event(label: VerdictLabel, event: Event) -> Verdict:
    return Verdict(label, event.step, event.kind, event.where, describe(event))
