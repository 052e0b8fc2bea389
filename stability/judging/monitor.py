"""Runs all rules over a trial's numbers: as they come, in a training process, or over stored records.

The rules themselves are in `rules`; which of them there are is listed here. Pure Python, no torch, no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping

from stability.judging.policy import Policy
from stability.judging.rules.course import BlowUp, Stuck
from stability.judging.rules.gradients import ClipSaturation, Dominance, GradExplosion, Vanishing
from stability.judging.rules.nonfinite import (
    MaskedNonfinite,
    NonfiniteGradient,
    NonfiniteLoss,
    NonfiniteWeight,
    NonfiniteYardstick,
)
from stability.judging.rules.swings import Oscillation, Spike
from stability.judging.rules.weights import AttentionLogits, UpdateRatio
from stability.records import Evaluation, Event, Records, Step


class Monitor:
    """Feeds a trial's numbers through every rule, in the order they were recorded."""

    def __init__(self, weights: Mapping[str, float], policy: Policy) -> None:
        """`weights` are the yardstick's coefficients; empty outside a study, where there is no yardstick."""
        blow_up, stuck = BlowUp(weights, policy), Stuck(weights, policy)
        clip, update = ClipSaturation(policy), UpdateRatio(policy)
        self._steps = (
            NonfiniteLoss(),
            NonfiniteGradient(policy),
            NonfiniteWeight(),
            MaskedNonfinite(policy),
            blow_up,
            Spike(policy),
            GradExplosion(policy),
            Vanishing(policy),
            update,
            AttentionLogits(policy),
            Oscillation(policy),
            Dominance(policy),
            clip,
            stuck,
        )
        self._evaluations = (NonfiniteYardstick(), blow_up, stuck)
        self._ends = (blow_up, stuck, update, clip)

    def step(self, step: Step) -> list[Event]:
        """The events of one optimizer step: losses first, then the gradient, the weights and the rest."""
        return [event for rule in self._steps for event in rule.step(step)]

    def evaluation(self, evaluation: Evaluation) -> list[Event]:
        """The events of one yardstick evaluation."""
        return [event for rule in self._evaluations for event in rule.evaluation(evaluation)]

    def finish(self) -> list[Event]:
        """The events that only a whole training shows; call it once, after one that came to its end."""
        return [event for rule in self._ends for event in rule.finish()]


def scan(records: Records, weights: Mapping[str, float], policy: Policy, *, finished: bool) -> list[Event]:
    """All events of a trial's stored steps and evaluations, whoever recorded them.

    `finished`: the process came to its end by itself, so the rules on whole trainings apply.
    """
    monitor = Monitor(weights, policy)
    timeline = sorted(
        [*records.steps, *records.evaluations], key=lambda r: (_steps_done(r), _is_evaluation(r))
    )
    events = []
    for record in timeline:
        found = monitor.evaluation(record) if _is_evaluation(record) else monitor.step(record)
        events.extend(found)
    return events + (monitor.finish() if finished else [])


def _is_evaluation(record: Step | Evaluation) -> bool:
    return isinstance(record, Evaluation)


def _steps_done(record: Step | Evaluation) -> int:
    return record.step if _is_evaluation(record) else record.step + 1
