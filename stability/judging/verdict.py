"""A trial's records and ending -> its verdict. Pure; the only place that decides what a training did."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from stability.judging.policy import Policy
from stability.records import (
    BEFORE_TRAINING,
    Ending,
    Event,
    EventKind,
    Measure,
    Outcome,
    Records,
    Severity,
    Verdict,
    VerdictLabel,
)


def yardstick(losses: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The weighted sum of an evaluation's components; NaN and infinities go through.

    A weighed component may be missing only where another is not finite: so is the sum then, whatever the
    missing one is. Raises `KeyError` otherwise.
    """
    given = sum(weight * losses[name] for name, weight in weights.items() if name in losses)
    if math.isfinite(given) and (missing := weights.keys() - losses.keys()):
        raise KeyError(*missing)
    return given


def judge(
    records: Records, ending: Ending, weights: Mapping[str, float], policy: Policy | None = None
) -> Verdict:
    """What the training did, from what was recorded; `weights` are the yardstick's coefficients.

    A lost trial is DIVERGED however its process ended. Without such an event, a process that did not
    finish is INCONCLUSIVE: it is neither stable nor diverged. A warning makes a finished one UNSTABLE, unless
    all of them say that nothing moved: then it is STUCK. Facts count neither way.
    """
    lost = [event for event in records.events if event.severity is Severity.LOST]
    if lost:
        return _from_event(VerdictLabel.DIVERGED, min(lost, key=lambda event: event.step))
    if ending.outcome is not Outcome.FINISHED:
        return Verdict(VerdictLabel.INCONCLUSIVE, evidence=ending.error or ending.outcome.value)
    if not records.steps:
        return Verdict(VerdictLabel.INCONCLUSIVE, evidence="the trainer recorded no step")
    if records.evaluations and records.evaluations[-1].epoch == BEFORE_TRAINING:
        return Verdict(VerdictLabel.INCONCLUSIVE, evidence="evaluated before training, but never after it")
    if blown := _blown_up_at_the_end(records, weights, policy or Policy()):
        return _from_event(VerdictLabel.DIVERGED, blown)
    if warnings := [event for event in records.events if event.severity is Severity.WARNING]:
        return _warned(sorted(warnings, key=lambda event: event.step))
    return Verdict(VerdictLabel.STABLE, evidence=_course(records, weights))


def describe(event: Event) -> str:
    """One line of evidence, with the number that broke the rule."""
    value, limit, at = f"{event.value:.3g}", f"limit {event.threshold or 0.0:.3g}", f"at step {event.step}"
    match event.kind:
        case EventKind.BLOW_UP:
            return (
                f"{event.where} {event.value:.3g}x its value at the start after {event.step + 1} steps"
                f" (limit {event.threshold:g}x)"
            )
        case EventKind.MASKED_NONFINITE:
            frozen = f"{event.where} loss stayed at exactly {event.value:g}"
            return f"{frozen} for {event.threshold:g} steps up to step {event.step}"
        case EventKind.NAN_GRAD if event.where == "skipped steps":
            share = f"{event.value:.1%} of the steps since the scaler first found its scale"
            return f"{share} were skipped by it, up to step {event.step} (limit {event.threshold:.1%})"
        case EventKind.NAN_GRAD:
            return f"gradient norm {event.value} at step {event.step}"
        case EventKind.NONFINITE_WEIGHT:
            return f"weight norm {event.value} after step {event.step}"
        case EventKind.SPIKE:
            above = f"{event.where} {value} robust standard deviations above its running median {at}"
            return f"{above}, and the gradient norm with it ({limit})"
        case EventKind.GRAD_EXPLOSION | EventKind.VANISHING:
            return f"{_GRADIENT[event.where].format(value)} {at} ({limit})"
        case EventKind.STUCK:
            return _no_progress(event)
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
            loss = event.where if event.where == "loss" else f"{event.where} loss"
            return f"{loss} {event.value} at step {event.step}"


_GRADIENT = {
    "grad_norm": "gradient norm {}",
    "grad_norm/median": "gradient norm {} times its running median",
    "grad_rms": "root mean square of the gradient {}",
    "grad_rms_first/grad_rms_last": "gradient of the first layer {} times that of the last",
    "zero_grad_share": "share of gradient elements that are exactly 0: {}",
}
_SATURATED = "clipping normalises the gradient, and nothing can be traced to the clip value"
_INACTIVE = "clipping is inactive"


def _no_progress(event: Event) -> str:
    """`value` is the drop of the loss relative to its start, `threshold` what would have counted as one."""
    side = "above" if event.value < 0.0 else "below"
    course = f"{event.where} at best {abs(100 * event.value):.2g}% {side} its start"
    return f"{course} in {event.step + 1} steps (limit {100 * event.threshold:.2g}% below)"


def _warned(warnings: Sequence[Event]) -> Verdict:
    """The verdict on a finished training with warnings, in the order of their steps.

    A dead model may be seen twice, by its gradients and by its loss; gradients alone do not make it stuck.
    """
    stuck = [event for event in warnings if event.kind is EventKind.STUCK or _is_still(event)]
    others = [event for event in warnings if event not in stuck]
    if stuck and all(event.kind is EventKind.VANISHING for event in others):
        return _from_event(VerdictLabel.STUCK, max(stuck, key=lambda event: event.kind is EventKind.STUCK))
    return _from_event(VerdictLabel.UNSTABLE, others[0])


def _is_still(event: Event) -> bool:
    """Whether this says that the weights hardly moved: `update_ratio` has a lower limit as well."""
    return (
        event.kind is EventKind.UPDATE_RATIO and event.threshold is not None and event.value < event.threshold
    )


def _blown_up_at_the_end(records: Records, weights: Mapping[str, float], policy: Policy) -> Event | None:
    """A yardstick that ends far above its start, in a trial too short for the rule that watches it."""
    if len(records.evaluations) < 2 or len(records.steps) >= policy.blow_up_after_steps:
        return None
    first, last = (yardstick(records.evaluations[i].losses, weights) for i in (0, -1))
    if records.evaluations[0].epoch != BEFORE_TRAINING or not last > policy.blow_up_severe * first > 0:
        return None
    step = max(0, len(records.steps) - 1)
    return Event(step, EventKind.BLOW_UP, "yardstick", last / first, policy.blow_up_severe)


def _from_event(label: VerdictLabel, event: Event) -> Verdict:
    return Verdict(label, event.step, event.kind, event.where, describe(event))


def _course(records: Records, weights: Mapping[str, float]) -> str:
    """How the yardstick went, as evidence for STABLE; the training total where there is no yardstick."""
    steps = f"in {len(records.steps)} steps, every recorded number finite"
    values = [yardstick(evaluation.losses, weights) for evaluation in records.evaluations]
    if weights and len(values) > 1 and records.evaluations[0].epoch == BEFORE_TRAINING:
        return f"yardstick {values[0]:.4g} to {values[-1]:.4g} {steps}"
    totals = [step.total for step in records.steps if step.total is not None]
    return f"total {totals[0]:.4g} to {totals[-1]:.4g} {steps}" if totals else steps
