"""Queries -> DataFrames, and the queries that are more than a table's rows. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from stability.store.tables import STEPS, TRIALS

if TYPE_CHECKING:
    import pandas as pd

ROWS_AT_ONCE = 50_000

Query = sa.Select[Any] | sa.CompoundSelect[Any]


def frame(engine: sa.Engine, query: Query) -> pd.DataFrame:
    """The rows of `query`, non-finite numbers restored; the `_nonfinite` columns stay.

    Numbers are float64, NaN where there is none; texts are objects, None where there is none.
    """
    import pandas as pd

    own = _columns(engine, query)
    types = {column.name: _dtype(column) for column in query.selected_columns}
    found = pd.DataFrame({name: pd.Series(values, dtype=types[name]) for name, values in own.items()})
    for marker in [column for column in found if column.endswith("_nonfinite")]:
        marked = found[marker].notna()
        found.loc[marked, marker.removesuffix("_nonfinite")] = found.loc[marked, marker].astype("float64")
    return found


def outlined_steps(study: str, stage: str, whole: int | None, whole_stages: Sequence[str] = ()) -> Query:
    """The totals of a stage, then a row for each loss weight an arm's trials of one verdict had at a step.

    Then all of the trial `whole`, which the others are without, and of the stages `whole_stages`.
    """
    inside = (TRIALS.c.study == study, TRIALS.c.stage == stage)
    inside += () if whole is None else (TRIALS.c.trial_id != whole,)
    ids = sa.select(TRIALS.c.trial_id).where(*inside)
    totals = sa.select(STEPS).where(STEPS.c.quantity == "total", STEPS.c.trial_id.in_(ids))
    same = (STEPS.c.quantity, STEPS.c.step, STEPS.c.loss_weight, STEPS.c.loss_weight_nonfinite)
    kept = {column.name: column for column in same} | {"trial_id": sa.func.min(STEPS.c.trial_id)}
    weights = (
        sa.select(*(kept.get(column.name, sa.null()).label(column.name) for column in STEPS.c))
        .join(TRIALS, TRIALS.c.trial_id == STEPS.c.trial_id)
        .where(*inside, STEPS.c.quantity.startswith("loss/"))
        .group_by(TRIALS.c.arm, TRIALS.c.verdict, *same)
    )
    parts = [totals, weights]
    if whole is not None:
        parts.append(sa.select(STEPS).where(STEPS.c.trial_id == whole))
    if whole_stages:
        own = (TRIALS.c.study == study, TRIALS.c.stage.in_(whole_stages))
        own += () if whole is None else (TRIALS.c.trial_id != whole,)
        parts.append(sa.select(STEPS).where(STEPS.c.trial_id.in_(sa.select(TRIALS.c.trial_id).where(*own))))
    return sa.union_all(*parts)


def _columns(engine: sa.Engine, query: Query) -> dict[str, list[Any]]:
    """Name -> values, each text once in memory: a driver makes a new one for every row."""
    own: dict[str, list[Any]] = {column.name: [] for column in query.selected_columns}
    seen: dict[str, str] = {}
    with engine.connect() as connection:
        for rows in connection.execute(query).partitions(ROWS_AT_ONCE):
            for values, more in zip(own.values(), zip(*rows, strict=True), strict=True):
                values.extend(map(seen.setdefault, more, more) if isinstance(more[0], str) else more)
    return own


def _dtype(column: sa.ColumnElement[Any]) -> str | None:
    """None for integers, which pandas makes floats of where some are missing."""
    if isinstance(column.type, sa.Float):
        return "float64"
    return "object" if isinstance(column.type, sa.String) else None
