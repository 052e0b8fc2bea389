"""What a rule is, and what all rules are told at the beginning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from stability.judging.policy import Policy
from stability.records import Direction, Evaluation, Event, EventKind, Step


class Needs(StrEnum):
    """What must have been recorded for a rule to say anything."""

    LOSSES = "losses"
    EVALUATIONS = "evaluations"
    GRAD_NORM = "gradient norms"
    WEIGHT_NORM = "weight norms"
    GRADIENTS = "gradients of layers (stability.watch)"
    UPDATES = "sizes of updates (stability.watch)"
    ATTENTION = "attention logits (stability.watch)"
    COMPONENT_GRADIENTS = "gradients of components (watch.components)"
    CLIPPING = "clip factors (stability.watch)"


@dataclass(frozen=True, slots=True)
class Context:
    """`weights` are the yardstick's coefficients, empty where there is none.

    `directions` are those declared in the study file.
    """

    policy: Policy
    weights: Mapping[str, float] = field(default_factory=dict)
    directions: Mapping[str, Direction] = field(default_factory=dict)


class Rule:
    """Numbers in, events out, in the order in which they were recorded.

    A rule overrides what it needs of `step`, `evaluation` and `finish`; the last is called once, after a
    training that came to its end. `Severity.LOST` from the first two ends the training, so it takes evidence
    that no training comes back from; from `finish` it says what the training was. `kind` is that of its
    events, the first of several; `needs` is what it reads.
    """

    kind: ClassVar[EventKind]
    needs: ClassVar[Needs] = Needs.LOSSES

    def __init__(self, context: Context) -> None:
        self._policy = context.policy

    def step(self, step: Step) -> Iterable[Event]:
        """The events of one optimizer step."""
        return ()

    def evaluation(self, evaluation: Evaluation) -> Iterable[Event]:
        """The events of one yardstick evaluation."""
        return ()

    def finish(self) -> Iterable[Event]:
        """The events that only a whole training shows."""
        return ()
