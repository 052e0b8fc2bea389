"""A trial's records and ending -> its verdict. Pure; the only place that decides what a training did."""

from __future__ import annotations

from collections.abc import Mapping

from stability.records import (
    BEFORE_TRAINING,
    Ending,
    Event,
    EventKind,
    Outcome,
    Policy,
    Records,
    Severity,
    Verdict,
    VerdictLabel,
)


def yardstick(losses: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The weighted sum of an evaluation's components; NaN and infinities go through.

    Raises `KeyError` for a weighed component that is missing.
    """
    return sum(weight * losses[name] for name, weight in weights.items())


def judge(
    records: Records, ending: Ending, weights: Mapping[str, float], policy: Policy | None = None
) -> Verdict:
    """What the training did, from what was recorded; `weights` are the yardstick's coefficients.

    A lost trial is DIVERGED however its process ended. Without such an event, a process that did not
    finish is INCONCLUSIVE: it is neither stable nor diverged.
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
    if records.events:
        return _from_event(VerdictLabel.UNSTABLE, records.events[0])
    return Verdict(VerdictLabel.STABLE, evidence=_course(records, weights))


def describe(event: Event) -> str:
    """One line of evidence, with the number that broke the rule."""
    match event.kind:
        case EventKind.BLOW_UP:
            return (
                f"{event.where} {event.value:.3g}x its value at the start after {event.step + 1} steps"
                f" (limit {event.threshold:g}x)"
            )
        case EventKind.MASKED_NONFINITE:
            frozen = f"{event.where} loss stayed at exactly {event.value:g}"
            return f"{frozen} for {event.threshold:g} steps up to step {event.step}"
        case EventKind.NAN_GRAD:
            return f"gradient norm {event.value} at step {event.step}"
        case EventKind.NONFINITE_WEIGHT:
            return f"weight norm {event.value} after step {event.step}"
        case _:
            return f"{event.where} loss {event.value} at step {event.step}"


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
    if len(values) > 1 and records.evaluations[0].epoch == BEFORE_TRAINING:
        return f"yardstick {values[0]:.4g} to {values[-1]:.4g} {steps}"
    totals = [step.total for step in records.steps if step.total is not None]
    return f"total {totals[0]:.4g} to {totals[-1]:.4g} {steps}" if totals else steps
