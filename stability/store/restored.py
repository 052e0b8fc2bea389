"""Rows of our tables -> one trial's records, as they were when it was stored. Pure: no SQL is run here.

Not restored, because not stored per step: the names of a batch's elements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stability.records import Evaluation, Records, Step
from stability.store.rows import SCALARS

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]


def restored(
    steps: pd.DataFrame, epochs: pd.DataFrame, weights: Mapping[str, float], definitions: Mapping[str, str]
) -> Records:
    """The records of the one trial whose rows these are (as `Store.frames` has them), without its events.

    `weights` are the yardstick's coefficients, which the stored totals were made with.
    """
    by_step = [_step(rows) for rows in _records_of(steps.to_dict("records"), "quantity", "step")]
    evaluated = epochs[epochs["source"] == "yardstick"].to_dict("records")
    evaluations = [_evaluation(rows, weights) for rows in _records_of(evaluated, "component", "steps_done")]
    evaluations.sort(key=lambda evaluation: evaluation.step)
    return Records(tuple(by_step), tuple(evaluations), definitions=dict(definitions))


def _records_of(rows: Sequence[Row], name: str, place: str) -> Iterator[list[Row]]:
    """Rows in runs that were one record: the same place, and no name twice.

    A trainer that numbers its own steps may use a number again.
    """
    own: list[Row] = []
    for row in rows:
        if own and (row[place] != own[0][place] or any(row[name] == other[name] for other in own)):
            yield own
            own = []
        own.append(row)
    if own:
        yield own


def _step(rows: Sequence[Row]) -> Step:
    values = {row["quantity"]: row["value"] for row in rows}
    losses = _below("loss/", values)
    weighed = {row["quantity"]: row["loss_weight"] for row in rows if _is_there(row, "loss_weight")}
    return Step(
        step=int(rows[0]["step"]),
        losses=losses,
        epoch=None if _is_nan(rows[0]["epoch"]) else int(rows[0]["epoch"]),
        loss_weights=_below("loss/", weighed) or None,
        skipped="skipped" in values,
        measures=_below("measure/", values) or None,
        **{name: values.get(name) for name in SCALARS},
    )


def _evaluation(rows: Sequence[Row], weights: Mapping[str, float]) -> Evaluation:
    """The stored `total` is the weighted sum; a component of that name is what the others leave of it."""
    losses = {row["component"]: row["value"] for row in rows}
    total = losses.pop("total")
    if weights.get("total"):
        others = sum(weight * losses[name] for name, weight in weights.items() if name != "total")
        losses["total"] = (total - others) / weights["total"]
    return Evaluation(int(rows[0]["steps_done"]), int(rows[0]["epoch"]), losses)


def _below(prefix: str, values: Mapping[str, float]) -> dict[str, float]:
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def _is_there(row: Row, name: str) -> bool:
    """Whether a number was stored, finite or not; NaN alone may also mean that there is none."""
    return not _is_nan(row[name]) or row[f"{name}_nonfinite"] is not None


def _is_nan(value: float | None) -> bool:
    """What a column of numbers has where nothing was stored; None where nothing was stored at all."""
    return value is None or value != value
