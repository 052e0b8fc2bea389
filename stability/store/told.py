"""What Optuna is told of a trial, as rows of its own tables, all at once. Its state is Optuna's to change.

Optuna's functions look the trial up for every attribute they write, about a millisecond each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What a trial carries in Optuna besides its parameters; every number is finite.

    `user` and `system` attributes are anything that JSON holds, `intermediate` is step -> value.
    """

    user: Mapping[str, Any] = field(default_factory=dict)
    system: Mapping[str, Any] = field(default_factory=dict)
    intermediate: Mapping[int, float] = field(default_factory=dict)


def write(connection: sa.Connection, trial_id: int, told: Told) -> None:
    """Write `told` of a trial that runs; what stood under the same names is replaced."""
    from optuna.storages._rdb import models  # here: it is slow to load, and readers need none of it

    user, system = models.TrialUserAttributeModel, models.TrialSystemAttributeModel
    point = models.TrialIntermediateValueModel
    finite = {"intermediate_value_type": point.TrialIntermediateValueType.FINITE}
    points = [{"step": step, "intermediate_value": value} for step, value in told.intermediate.items()]
    _replace(connection, user.__table__, "key", trial_id, _attributes(told.user))
    _replace(connection, system.__table__, "key", trial_id, _attributes(told.system))
    _replace(connection, point.__table__, "step", trial_id, [row | finite for row in points])


def _attributes(values: Mapping[str, Any]) -> list[Row]:
    return [{"key": key, "value_json": json.dumps(value, allow_nan=False)} for key, value in values.items()]


def _replace(connection: sa.Connection, table: sa.Table, name: str, trial_id: int, rows: list[Row]) -> None:
    """Put rows in the place of a trial's rows that have the same `name`."""
    if rows:
        same_name = table.c[name].in_([row[name] for row in rows])
        connection.execute(sa.delete(table).where(table.c.trial_id == trial_id, same_name))
        connection.execute(sa.insert(table), [row | {"trial_id": trial_id} for row in rows])
