"""Which driver runs which trial, so that several may share a study and none is waited for that died.

A driver holds a trial from the moment it starts it until it is stored. It shows that it lives by a counter
that it raises every few seconds; who waits for it watches that counter on a clock of its own, so machines
need not agree on the time. A driver of the same machine is known to be dead as soon as its process is gone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa

from stability import processes
from stability.store.tables import CLAIMS, DRIVERS

BEAT_S = 5.0
LEASE_S = 60.0
_STATE = sa.text("SELECT state FROM trials WHERE trial_id = :trial_id")  # Optuna's table


class Refusal(Enum):
    """Why a trial cannot be had."""

    FINISHED = "it is stored already"
    HELD = "another driver runs it"


@dataclass(frozen=True, slots=True)
class Claim:
    """A trial held by this driver. `attempt` counts from 0 and names its directory.

    `orphaned`: the driver that held it before is certainly gone, so its directory is free to use.
    """

    trial_id: int
    attempt: int
    orphaned: bool


class Claims:
    """The claims of one driver."""

    def __init__(
        self,
        engine: sa.Engine,
        database: str,
        lease_s: float = LEASE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Register a driver. `database` tells this database from a copy of it, whose drivers are not its own.

        `clock`: seconds.
        """
        self._engine, self._database = engine, database
        self._lease_s, self._clock = lease_s, clock
        self._seen: dict[int, tuple[int, float]] = {}  # another driver -> its counter, and since when
        self._beat_at_s = clock()
        own = {"process": processes.identity(), "database": database, "beat": 0}
        with engine.begin() as connection:
            dead = [row.id for row in connection.execute(sa.select(DRIVERS)) if self._is_dead(row)]
            connection.execute(sa.delete(DRIVERS).where(DRIVERS.c.id.in_(dead)))
            self._driver: int = connection.execute(sa.insert(DRIVERS).values(own)).inserted_primary_key[0]

    def beat(self) -> None:
        """Show that this driver lives; to be called often, writes every `BEAT_S`."""
        if self._clock() - self._beat_at_s < BEAT_S:
            return
        with self._engine.begin() as connection:
            own = DRIVERS.c.id == self._driver
            connection.execute(sa.update(DRIVERS).where(own).values(beat=DRIVERS.c.beat + 1))
        self._beat_at_s = self._clock()

    def take(self, connection: sa.Connection, trial_id: int) -> Claim | Refusal:
        """Claim a trial, of nobody or of a driver that died, inside the caller's transaction."""
        its = CLAIMS.c.trial_id == trial_id
        held = connection.execute(sa.select(CLAIMS).where(its).with_for_update()).one_or_none()
        if held is None:
            new = {"trial_id": trial_id, "driver": self._driver, "attempt": 0}
            connection.execute(sa.insert(CLAIMS).values(new))
            if connection.execute(_STATE, {"trial_id": trial_id}).scalar_one() not in ("WAITING", "RUNNING"):
                self.settle(connection, trial_id)
                return Refusal.FINISHED
            return Claim(trial_id, 0, orphaned=False)
        gone = self._is_gone(connection, held.driver)
        if gone is False:
            return Refusal.HELD
        # A driver that only fell silent may still write into its directory: use another.
        attempt = held.attempt + (gone is None)
        connection.execute(sa.update(CLAIMS).where(its).values(driver=self._driver, attempt=attempt))
        return Claim(trial_id, attempt, orphaned=gone is True)

    def next_attempt(self, trial_id: int) -> Claim | None:
        """The next attempt at a trial of this driver; None if it was lost to another."""
        with self._engine.begin() as connection:
            raised = sa.update(CLAIMS).where(*self._own(trial_id)).values(attempt=CLAIMS.c.attempt + 1)
            if connection.execute(raised).rowcount == 0:
                return None
            query = sa.select(CLAIMS.c.attempt).where(*self._own(trial_id))
            return Claim(trial_id, connection.execute(query).scalar_one(), orphaned=False)

    def settle(self, connection: sa.Connection, trial_id: int) -> bool:
        """Give up a trial in the transaction that stores it; False when it was lost to another driver."""
        return connection.execute(sa.delete(CLAIMS).where(*self._own(trial_id))).rowcount == 1

    def close(self) -> None:
        """Give up all that is still held."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(DRIVERS).where(DRIVERS.c.id == self._driver))

    def _own(self, trial_id: int) -> tuple[sa.ColumnElement[bool], ...]:
        return CLAIMS.c.trial_id == trial_id, CLAIMS.c.driver == self._driver

    def _is_gone(self, connection: sa.Connection, driver: int) -> bool | None:
        """True: certainly; False: no; None: it has shown no life for `lease_s`."""
        if driver == self._driver:
            return False
        row = connection.execute(sa.select(DRIVERS).where(DRIVERS.c.id == driver)).one_or_none()
        if row is None or self._is_dead(row):
            return True
        beat, since_s = self._seen.get(driver, (None, 0.0))
        if beat != row.beat:
            self._seen[driver] = (row.beat, self._clock())
            return False
        return None if self._clock() - since_s >= self._lease_s else False

    def _is_dead(self, row: sa.Row[Any]) -> bool:
        """Whether a driver is certainly gone; one of another machine never is."""
        return row.database != self._database or processes.is_alive(row.process) is False
