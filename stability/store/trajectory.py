"""Whether two trials were the same training, bit by bit, and what a training really got."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from stability.records import Records


def trajectory_sha256(records: Records) -> str | None:
    """Identity of the training, bit by bit; None where nothing was recorded that follows the weights.

    Evaluations and the norms of gradients and weights follow the weights and nothing else. Printed losses may
    also follow a coefficient that never reached the gradient, so they count only without those.
    """
    norms = [(s.grad_norm, s.weight_norm, s.skipped) for s in records.steps]
    evaluations = [(e.step, sorted(e.losses.items())) for e in records.evaluations]
    if len(evaluations) > 1 or any(norm is not None for norm, *_ in norms):
        return _digest([norms, evaluations])
    return printed_sha256(records)


def printed_sha256(records: Records) -> str | None:
    """Identity of the losses as they were printed, bit by bit; None without any."""
    losses = [(sorted(s.losses.items()), s.total) for s in records.steps]
    return _digest(losses) if losses else None


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


def _digest(numbers: Iterable[Any]) -> str:
    """NaN is NaN here: `repr` writes every NaN alike, and every other float with all its digits."""
    return hashlib.sha256(repr(numbers).encode()).hexdigest()
