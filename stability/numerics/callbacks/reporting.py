"""What both callbacks do with a model's output and with events: no library but torch, no measuring."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from stability.judging.verdict import describe
from stability.records import Event, Severity

LOGGER = logging.getLogger("stability")
LEVELS = {Severity.LOST: logging.ERROR, Severity.WARNING: logging.WARNING, Severity.FACT: logging.INFO}


class Report:
    """Logs every event in one line as it is found, and knows whether one of them was `LOST`."""

    def __init__(self) -> None:
        self.lost = False

    def __call__(self, event: Event) -> None:
        LOGGER.log(LEVELS[event.severity], describe(event))
        self.lost = self.lost or event.severity is Severity.LOST


def components(output: Mapping[str, Any], names: Sequence[str] | None) -> dict[str, Tensor]:
    """The loss components in what a model returned besides `loss`, without their graphs.

    With `names`, those of them that are there; otherwise every tensor with one element that requires grad,
    which tells a loss from an accuracy.
    """
    if names is not None:
        return {name: _detached(output[name]) for name in names if name in output}
    return {
        name: value.detach() for name, value in output.items() if name != "loss" and is_differentiable(value)
    }


def is_differentiable(value: Any) -> bool:
    """Whether this can be a loss: a tensor with one element that requires grad."""
    return isinstance(value, Tensor) and value.numel() == 1 and value.requires_grad


def _detached(value: Any) -> Any:
    return value.detach() if isinstance(value, Tensor) else value
