"""The tables `stability_*`: what was measured. Optuna's tables own parameters and lifecycle.

A number that may be NaN or infinite has two columns: `x`, NULL when it is not finite, and `x_nonfinite`.
"""

from __future__ import annotations

import math
from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData()


def _number(name: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Float), sa.Column(f"{name}_nonfinite", sa.String(4))]


def with_marker(name: str, value: float | None) -> dict[str, Any]:
    """The two columns of a number: itself, or NULL with 'nan', 'inf' or '-inf'."""
    if value is None or math.isfinite(value):
        return {name: value, f"{name}_nonfinite": None}
    return {name: None, f"{name}_nonfinite": str(float(value))}


TRIALS = sa.Table(
    "stability_trials",
    METADATA,
    sa.Column("trial_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("study", sa.String(80), nullable=False, index=True),
    sa.Column("stage", sa.String(40), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("arm", sa.Text),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("params", sa.Text, nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("verdict", sa.String(20), nullable=False),
    sa.Column("event_step", sa.Integer),
    sa.Column("event_kind", sa.String(40)),
    sa.Column("event_where", sa.Text),
    sa.Column("evidence", sa.Text, nullable=False),
    *_number("yardstick_initial"),
    *_number("yardstick_final"),
    sa.Column("steps", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("wall_s", sa.Float),
    sa.Column("cpu_s", sa.Float),
    sa.Column("max_rss_bytes", sa.BigInteger),
    sa.Column("device", sa.String(40)),
    sa.Column("error", sa.Text),
    sa.Column("definitions", sa.Text, nullable=False),
    sa.Column("effective", sa.Text, nullable=False),
    sa.Column("trajectory_sha256", sa.String(64)),
    sa.Column("printed_sha256", sa.String(64)),
    sa.Column("directory", sa.Text, nullable=False),
    sa.Column("environment_id", sa.Integer, nullable=False),
)
EPOCHS = sa.Table(
    "stability_epochs",
    METADATA,
    sa.Column("trial_id", sa.Integer, nullable=False, index=True),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("steps_done", sa.Integer),
    sa.Column("source", sa.String(10), nullable=False),
    sa.Column("component", sa.Text, nullable=False),
    *_number("value"),
    *_number("loss_weight"),
    sa.Column("n", sa.Integer, nullable=False),
)
STEPS = sa.Table(
    "stability_steps",
    METADATA,
    sa.Column("trial_id", sa.Integer, nullable=False, index=True),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("epoch", sa.Integer),
    sa.Column("quantity", sa.Text, nullable=False),
    *_number("value"),
    *_number("loss_weight"),
)
EVENTS = sa.Table(
    "stability_events",
    METADATA,
    sa.Column("trial_id", sa.Integer, nullable=False, index=True),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("where", sa.Text, nullable=False),
    *_number("value"),
    sa.Column("threshold", sa.Float),
    sa.Column("severity", sa.String(10), nullable=False),
    sa.Column("provenance", sa.Text),
)
ENVIRONMENT = sa.Table(
    "stability_environment",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("study", sa.String(80), nullable=False, index=True),
    sa.Column("started", sa.String(40), nullable=False),
    sa.Column("spec_sha256", sa.String(64), nullable=False),
    sa.Column("trial_sha256", sa.String(64), nullable=False),
    sa.Column("contents_sha256", sa.String(64), nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("environment", sa.Text, nullable=False),
)
CLAIMS = sa.Table(
    "stability_claims",
    METADATA,
    sa.Column("trial_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("driver", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
)
DRIVERS = sa.Table(
    "stability_drivers",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("process", sa.String(200)),
    sa.Column("database", sa.String(200), nullable=False),
    sa.Column("beat", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,  # a number is never used again, so a claim never finds a new owner by chance
)

PER_TRIAL = (TRIALS, EPOCHS, STEPS, EVENTS)
