"""Runs all rules over a trial's numbers: as they come, in a training process, or over stored records.

The rules themselves are in `rules`; which of them there are is listed here. Pure Python, no torch, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stability.judging.policy import Policy
from stability.judging.rules.gradients import ClipSaturation, Dominance, GradExplosion, Vanishing
from stability.judging.rules.masked import MaskedNonfinite
from stability.judging.rules.nonfinite import (
    NonfiniteGradient,
    NonfiniteLoss,
    NonfiniteWeight,
    NonfiniteYardstick,
)
from stability.judging.rules.progress import Progress
from stability.judging.rules.rule import Context, Needs, Rule
from stability.judging.rules.runaway import Runaway
from stability.judging.rules.spikes import Oscillation, Spike
from stability.judging.rules.weights import AttentionLogits, UpdateRatio
from stability.records import Direction, Evaluation, Event, Measure, Records, Step

RULES: tuple[type[Rule], ...] = (
    NonfiniteLoss,
    NonfiniteYardstick,
    NonfiniteGradient,
    NonfiniteWeight,
    MaskedNonfinite,
    Runaway,
    Spike,
    GradExplosion,
    Vanishing,
    UpdateRatio,
    AttentionLogits,
    Oscillation,
    Dominance,
    ClipSaturation,
    Progress,
)
"""Every rule there is, in the order in which the events of one step are told."""


class Monitor:
    """Feeds a trial's numbers through every rule, in the order they were recorded."""

    def __init__(
        self,
        weights: Mapping[str, float],
        policy: Policy,
        directions: Mapping[str, Direction] | None = None,
    ) -> None:
        """`weights` are the yardstick's coefficients; empty outside a study, where there is no yardstick.

        `directions` says of numbers by name which way they should go; of others their name does.
        """
        context = Context(policy, weights, directions or {})
        self._rules = tuple(rule(context) for rule in RULES)
        self._steps = [rule.step for rule in self._rules if type(rule).step is not Rule.step]
        self._evaluations = [
            rule.evaluation for rule in self._rules if type(rule).evaluation is not Rule.evaluation
        ]

    def step(self, step: Step) -> list[Event]:
        """The events of one optimizer step: losses first, then the gradient, the weights and the rest."""
        return [event for rule in self._steps for event in rule(step)]

    def evaluation(self, evaluation: Evaluation) -> list[Event]:
        """The events of one yardstick evaluation."""
        return [event for rule in self._evaluations for event in rule(evaluation)]

    def finish(self) -> list[Event]:
        """The events that only a whole training shows; call it once, after one that came to its end."""
        return [event for rule in self._rules for event in rule.finish()]


def scan(
    records: Records,
    weights: Mapping[str, float],
    policy: Policy,
    directions: Mapping[str, Direction] | None = None,
    *,
    finished: bool,
) -> list[Event]:
    """All events of a trial's stored steps and evaluations, whoever recorded them.

    `finished`: the process came to its end by itself, so the rules on whole trainings apply.
    """
    monitor = Monitor(weights, policy, directions)
    timeline = sorted(
        [*records.steps, *records.evaluations], key=lambda r: (_steps_done(r), _is_evaluation(r))
    )
    events = []
    for record in timeline:
        found = monitor.evaluation(record) if _is_evaluation(record) else monitor.step(record)
        events.extend(found)
    return events + (monitor.finish() if finished else [])


def not_run(records: Records, weights: Mapping[str, float]) -> list[tuple[str, str]]:
    """The kinds of events that could not be found in a trial, each with what was not recorded for it."""
    there = set(_recorded(records, weights))
    return [(rule.kind.value, rule.needs.value) for rule in RULES if rule.needs not in there]


def _recorded(records: Records, weights: Mapping[str, float]) -> Iterator[Needs]:
    steps, names = records.steps, {name for step in records.steps for name in step.measures or ()}
    kinds = {name.partition("/")[0] for name in names}
    found = {
        Needs.LOSSES: bool(steps),
        Needs.EVALUATIONS: bool(weights and records.evaluations),
        Needs.GRAD_NORM: any(step.grad_norm is not None or step.skipped for step in steps),
        Needs.WEIGHT_NORM: any(step.weight_norm is not None for step in steps),
        Needs.GRADIENTS: Measure.GRAD_RMS in kinds,
        Needs.UPDATES: Measure.UPDATE_RATIO in kinds,
        Needs.ATTENTION: Measure.ATTENTION_LOGIT in kinds,
        Needs.COMPONENT_GRADIENTS: Measure.GRAD_SHARE in kinds,
        Needs.CLIPPING: Measure.CLIP_FACTOR in kinds,
    }
    return (needs for needs, there in found.items() if there)


def _is_evaluation(record: Step | Evaluation) -> bool:
    return isinstance(record, Evaluation)


def _steps_done(record: Step | Evaluation) -> int:
    return record.step if _is_evaluation(record) else record.step + 1
