"""Numbers of steps on their way from the device to a `Step`: collected without waiting, read together.

Torch, but no measuring and no rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from stability.records import Step, UserError

LOSS, LOSS_WEIGHT, MEASURE = "loss/", "loss_weight/", "measure/"


@dataclass(slots=True)
class Row:
    """One step: numbers known to the host, numbers still on a device, and what is no number."""

    batch: tuple[str, ...] | None = None
    epoch: int | None = None
    numbers: dict[str, float] = field(default_factory=dict)
    _unread: dict[str, Tensor] = field(default_factory=dict)
    copies: list[tuple[tuple[str, ...], Tensor]] = field(default_factory=list)

    def put(self, name: str, value: float | Tensor | None) -> None:
        """Note a number; None is no number. Raises `UserError` for a tensor with more than one element."""
        if value is None:
            return
        if isinstance(value, Tensor) and value.numel() != 1:
            raise UserError(
                f"{name} has shape {tuple(value.shape)}; a step takes numbers or tensors with one element: "
                "reduce it, for example with .mean()"
            )
        if not isinstance(value, Tensor):
            self.numbers[name] = float(value)
        elif value.device.type == "cpu":
            self.numbers[name] = float(value.item())
        else:
            self._unread[name] = value.detach().reshape(())

    def put_all(self, prefix: str, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self.put(prefix + name, value)

    def is_finite_on_the_host(self) -> bool:
        """Whether all losses and norms are known and finite; on a device, nothing is known yet."""
        return bool(self.numbers) and not self.copies and all(map(math.isfinite, self.numbers.values()))

    def names(self) -> list[str]:
        return [*self.numbers, *self._unread]

    def value(self, name: str) -> float | Tensor:
        """A number that has not been sealed yet."""
        return self.numbers[name] if name in self.numbers else self._unread[name]

    def seal(self) -> None:
        """Copy what is on the device, as it is now: its tensors may be written to later."""
        if self._unread:
            self.copies.append((tuple(self._unread), torch.stack(list(self._unread.values()))))
            self._unread = {}


def together(rows: Sequence[Row]) -> Row:
    """The micro-batches of one step as one row: losses averaged, totals summed, batches joined."""
    if len(rows) == 1:
        return rows[0]
    batches = [row.batch for row in rows]
    joined = Row(batch=None if None in batches else tuple(name for batch in batches for name in batch))
    for name in dict.fromkeys(name for row in rows for name in row.names()):
        values = [row.value(name) for row in rows if name in row.names()]
        joined.put(name, sum(values) / (1 if name == "total" else len(values)))
    return joined


def read(rows: Sequence[Row]) -> list[dict[str, float]]:
    """All numbers of each row; waits for the device once."""
    copies = [copy for row in rows for _, copy in row.copies]
    values = iter(torch.cat(copies).tolist() if copies else ())
    return [row.numbers | {name: next(values) for names, _ in row.copies for name in names} for row in rows]


def to_step(numbers: dict[str, float], row: Row, step: int) -> Step:
    """The `Step` of a row whose numbers have been read."""
    skipped = bool(numbers.pop("skipped", 0.0))
    groups = {prefix: _taken(numbers, prefix) for prefix in (LOSS, LOSS_WEIGHT, MEASURE)}
    return Step(
        step=step,
        losses=groups[LOSS],
        loss_weights=groups[LOSS_WEIGHT] or None,
        measures=groups[MEASURE] or None,
        batch=row.batch,
        epoch=row.epoch,
        skipped=skipped,
        **numbers,
    )


def _taken(numbers: dict[str, float], prefix: str) -> dict[str, float]:
    """Take the numbers whose names begin with `prefix` out of `numbers`."""
    names = [name for name in numbers if name.startswith(prefix)]
    return {name.removeprefix(prefix): numbers.pop(name) for name in names}
