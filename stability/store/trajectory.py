"""Whether two trials were the same training, bit by bit, and what a training really got."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from typing import Any

from stability.records import Records


def trajectory_sha256(records: Records) -> str | None:
    """Identity of the training, bit by bit; None where nothing was recorded that follows the weights.

    Evaluations and the norms of gradients and weights follow the weights and nothing else. Printed losses may
    also follow a coefficient that never reached the gradient, so they count only without those. Nor is there
    one without any finite number: every training that is lost at once looks like that.
    """
    norms = [(s.grad_norm, s.weight_norm, s.skipped) for s in records.steps]
    evaluations = [(e.step, sorted(e.losses.items())) for e in records.evaluations]
    if len(evaluations) > 1 or any(norm is not None for norm, *_ in norms):
        numbers = [norm for step in norms for norm in step[:2]]
        numbers += [value for _, losses in evaluations for _, value in losses]
        return _digest([norms, evaluations], numbers)
    return printed_sha256(records)


def printed_sha256(records: Records) -> str | None:
    """Identity of the losses as they were printed, bit by bit; None without any finite one."""
    losses = [(sorted(s.losses.items()), s.total) for s in records.steps]
    return _digest(losses, [value for own, total in losses for value in (*dict(own).values(), total)])


def effective(records: Records) -> dict[str, str]:
    """What the training really got: what the trainer said of it, and the course of its learning rate."""
    return dict(records.effective) | _lr_course([s.lr for s in records.steps if s.lr is not None])


def _lr_course(lrs: list[float]) -> dict[str, str]:
    """First, largest and last learning rate, and the steps before it is largest; of a short trial a part."""
    if not lrs:
        return {}
    largest = max(lrs)
    ends = {"lr_first": lrs[0], "lr_largest": largest, "lr_last": lrs[-1]}
    return {name: repr(value) for name, value in ends.items()} | {"lr_warmup_steps": str(lrs.index(largest))}


def _digest(recorded: Any, numbers: Iterable[float | None]) -> str | None:
    """NaN is NaN here: `repr` writes every NaN alike, and every other float with all its digits."""
    if not any(number is not None and math.isfinite(number) for number in numbers):
        return None
    return hashlib.sha256(repr(recorded).encode()).hexdigest()
