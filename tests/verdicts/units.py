"""The same training in another unit, or with a constant in its loss: its verdict must be the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from cases import Case


def scaled(case: Case, factor: float) -> Case:
    """Every loss, evaluation and gradient norm times `factor`, as in another unit of the loss."""
    return replace(_losses(case, lambda value: factor * value), grad_norm=_each(case.grad_norm, factor))


def shifted(case: Case, constant: float) -> Case:
    """Losses and evaluations plus `constant`, as in a log-likelihood; no gradient changes.

    Raises `ValueError` where several components are recorded: nobody knows which of them has it.
    """
    if len(case.components) > 1:
        raise ValueError(f"{case.name}: {len(case.components)} components, and one constant")
    return _losses(case, lambda value: value + constant)


def every(case: Case, n: int) -> Case:
    """The same training with every `n`-th step in its log; evaluations keep their place."""

    def kept(values: Sequence[float] | None) -> list[float] | None:
        return None if values is None else list(values[::n])

    return replace(
        case,
        **{name: kept(getattr(case, name)) for name in ("total", "grad_norm", "lr", "grad_scale")},
        components={name: kept(values) for name, values in case.components.items()},
        loss_weights=case.loss_weights and {name: kept(values) for name, values in case.loss_weights.items()},
        skipped=frozenset(step // n for step in case.skipped if step % n == 0),
        evaluations=[(-(-step // n), value) for step, value in case.evaluations],
    )


def _losses(case: Case, change: Callable[[float], float]) -> Case:
    return replace(
        case,
        total=[change(value) for value in case.total],
        components={name: [change(value) for value in values] for name, values in case.components.items()},
        evaluations=[(step, change(value)) for step, value in case.evaluations],
    )


def _each(values: Sequence[float] | None, factor: float) -> list[float] | None:
    return None if values is None else [factor * value for value in values]
