"""The only room that knows SQL: one database for Optuna's tables and ours, DataFrames out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from stability.records import Outcome, Provenance, UserError, VerdictLabel
from stability.redaction import without_password
from stability.spec import StudySpec
from stability.store import database, reading, told
from stability.store.claims import LEASE_S, Claims
from stability.store.rows import TrialRows, provenance_text
from stability.store.tables import ENVIRONMENT, EPOCHS, EVENTS, METADATA, PER_TRIAL, STEPS, TRIALS

if TYPE_CHECKING:
    import pandas as pd
    from optuna.storages import RDBStorage


@dataclass(frozen=True, slots=True)
class Frames:
    """A study's measurements, one DataFrame a table, JSON columns parsed.

    Non-finite numbers are restored; the `_nonfinite` columns stay, and tell NaN from no value.
    """

    trials: pd.DataFrame
    epochs: pd.DataFrame
    steps: pd.DataFrame
    events: pd.DataFrame


class Store:
    """An open database."""

    def __init__(self, url: str, *, create: bool = True) -> None:
        """Open `url` (an SQLAlchemy URL or the path of an SQLite file).

        Raises `UserError` for a URL that cannot be opened, or that does not exist when `create` is False.
        """
        self.url = database.as_url(url)
        if not create:
            database.require_existing(self.url)
        self._engine = database.connect(self.url, reading=not create)
        self._optuna: RDBStorage | None = None
        if create:
            self._create_tables()
        self._tables = set(sa.inspect(self._engine).get_table_names())

    @property
    def name(self) -> str:
        """The URL as it may be shown: without its password."""
        return without_password(self.url)

    @property
    def folder(self) -> Path:
        """Where this store's trial directories live: beside an SQLite file, else in the working directory."""
        file = database.sqlite_file(self.url)
        if file is None:
            return Path("stability.trials").absolute()
        return file.with_name(file.name.removesuffix(".db") + ".trials").absolute()

    def _create_tables(self) -> None:
        try:
            with self.exclusively():
                METADATA.create_all(self._engine)
        except OSError as error:
            why = f"cannot write beside it ({error.strerror})"
            raise UserError(f"storage {self.name!r}: error: {why}; use another --storage") from None

    def exclusively(self) -> AbstractContextManager[None]:
        """Hold back other drivers of this database, to create what must exist once."""
        return database.exclusively(self._engine, self.folder)

    def optuna_storage(self) -> RDBStorage:
        """Optuna's view of the same database, with the same connection settings."""
        from optuna.storages import RDBStorage
        from optuna.storages._rdb import models

        with self._engine.begin() as connection:  # all or none: it would not add an index to a table it finds
            models.BaseModel.metadata.create_all(connection)
        storage = RDBStorage(self.url, engine_kwargs={"connect_args": database.connect_args(self.url)})
        database.configure(storage.engine)
        storage.engine.dispose()  # connections opened by the constructor lack the settings
        self._optuna = storage
        return storage

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """One transaction for our tables and for all that is done meanwhile through `optuna_storage`.

        Everything in it is there afterwards, or nothing. It is the only place where Optuna's many small
        transactions become one, which is also what makes storing a trial cheap.
        """
        if self._optuna is None:
            with self._engine.begin() as connection:
                yield connection
            return
        sessions = self._optuna.scoped_session
        with self._engine.begin() as connection:
            sessions.remove()  # the one of the call before
            sessions.configure(bind=connection, join_transaction_mode="rollback_only")
            try:
                yield connection
            finally:
                sessions.remove()
                sessions.configure(bind=self._optuna.engine, join_transaction_mode="conditional_savepoint")

    def claims(self, lease_s: float = LEASE_S) -> Claims:
        """Register this process as a driver, which may claim trials."""
        return Claims(self._engine, database.identity(self.url), lease_s)

    def add_environment(self, spec: StudySpec, contents_sha256: str, environment: Mapping[str, Any]) -> int:
        """Record one run of a study, with the sha256 of its trainer's code and data; returns its id."""
        row = {
            "study": spec.name,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "spec_sha256": spec.sha256,
            "trial_sha256": spec.trial_sha256,
            "contents_sha256": contents_sha256,
            "spec": json.dumps(spec.document),
            "environment": json.dumps(environment),
        }
        with self._engine.begin() as connection:
            return connection.execute(sa.insert(ENVIRONMENT).values(row)).inserted_primary_key[0]

    def environment(self, study: str) -> dict[str, Any]:
        """The last run of `study`: its environment with `started`, `spec` and the identities in sha256.

        Raises `UserError` for a study that never ran here.
        """
        query = sa.select(ENVIRONMENT).where(ENVIRONMENT.c.study == study).order_by(ENVIRONMENT.c.id.desc())
        row = next(iter(self._rows(query.limit(1))), None)
        if row is None:
            known = ", ".join(self.studies()) or "none yet"
            raise UserError(f"no study {study!r} in {self.name}; studies there: {known}")
        captured = json.loads(row["environment"])
        captured |= self._provenance(study) or {}
        kept = {key: row[key] for key in ("started", "spec_sha256", "trial_sha256", "contents_sha256")}
        return captured | kept | {"spec": json.loads(row["spec"])}

    def _provenance(self, study: str) -> dict[str, Any] | None:
        """The revisions the stored trials ran at; a later run without new trials does not change them."""
        ran = sa.select(TRIALS.c.environment_id).where(TRIALS.c.study == study)
        query = (
            sa.select(ENVIRONMENT.c.environment).where(ENVIRONMENT.c.id.in_(ran)).order_by(ENVIRONMENT.c.id)
        )
        trees = [json.loads(row["environment"])["project"] for row in self._rows(query)]
        if not trees:
            return None
        revisions = list(dict.fromkeys(tree["revision"] for tree in trees))
        known = " and ".join(revision for revision in revisions if revision) or None
        project = {"revision": known, "dirty": any(tree["dirty"] for tree in trees) if known else None}
        return {"revision": known, "project": project}

    def studies(self) -> list[str]:
        """The names of all studies that ran here, oldest first."""
        query = (
            sa.select(ENVIRONMENT.c.study)
            .group_by(ENVIRONMENT.c.study)
            .order_by(sa.func.min(ENVIRONMENT.c.id))
        )
        return [row["study"] for row in self._rows(query)]

    def add(self, connection: sa.Connection, trial_id: int, rows: TrialRows) -> None:
        """Store one trial within a transaction."""
        parts = ((TRIALS, [rows.trial]), (EPOCHS, rows.epochs), (STEPS, rows.steps), (EVENTS, rows.events))
        for table, values in parts:
            if values:
                connection.execute(sa.insert(table), [row | {"trial_id": trial_id} for row in values])

    def tell(self, connection: sa.Connection, trial_id: int, what: told.Told) -> None:
        """Tell Optuna of a trial that runs, within a transaction."""
        told.write(connection, trial_id, what)

    def set_provenance(self, trial_id: int, step: int, kind: str, provenance: Provenance) -> None:
        """Say of a trial's event where its number was born."""
        its = (EVENTS.c.trial_id == trial_id, EVENTS.c.step == step, EVENTS.c.kind == kind)
        with self._engine.begin() as connection:
            connection.execute(sa.update(EVENTS).where(*its).values(provenance=provenance_text(provenance)))

    def forget(self, study: str, stage: str) -> None:
        """Remove the trials of a stage whose Optuna study was deleted."""
        ids = sa.select(TRIALS.c.trial_id).where(TRIALS.c.study == study, TRIALS.c.stage == stage)
        with self._engine.begin() as connection:
            self.remove(connection, list(connection.execute(ids).scalars()))

    def remove(self, connection: sa.Connection, trial_ids: Sequence[int]) -> None:
        """Remove trials, within a transaction: that which makes what replaces them."""
        for table in PER_TRIAL:
            connection.execute(sa.delete(table).where(table.c.trial_id.in_(trial_ids)))

    def counts(self, study: str) -> list[dict[str, Any]]:
        """Per stage and arm: trials, diverged ones, infrastructure failures, further attempts, CPU seconds.

        `undecided` ones came to their end, but their numbers do not suffice for a verdict: nothing failed.
        `finished` trials, and `stopped` ones that ended early because they were lost, have their seconds too.
        """
        diverged, failed = VerdictLabel.DIVERGED.value, VerdictLabel.INCONCLUSIVE.value
        finished, stopped = (
            TRIALS.c.outcome == outcome.value for outcome in (Outcome.FINISHED, Outcome.STOPPED)
        )
        unknown = TRIALS.c.verdict == failed
        query = (
            sa.select(
                TRIALS.c.stage,
                TRIALS.c.arm,
                sa.func.count().label("trials"),
                sa.func.sum(sa.case((TRIALS.c.verdict == diverged, 1), else_=0)).label("diverged"),
                sa.func.sum(sa.case((sa.and_(unknown, sa.not_(finished)), 1), else_=0)).label("failed"),
                sa.func.sum(sa.case((sa.and_(unknown, finished), 1), else_=0)).label("undecided"),
                sa.func.sum(TRIALS.c.attempts - 1).label("retries"),
                sa.func.sum(TRIALS.c.cpu_s).label("cpu_s"),
                sa.func.sum(sa.case((finished, 1), else_=0)).label("finished"),
                sa.func.sum(sa.case((finished, TRIALS.c.cpu_s), else_=0.0)).label("finished_cpu_s"),
                sa.func.sum(sa.case((stopped, 1), else_=0)).label("stopped"),
                sa.func.sum(sa.case((stopped, TRIALS.c.cpu_s), else_=0.0)).label("stopped_cpu_s"),
            )
            .where(TRIALS.c.study == study)
            .group_by(TRIALS.c.stage, TRIALS.c.arm)
            .order_by(sa.func.min(TRIALS.c.trial_id))
        )
        return list(self._rows(query))

    def failures(self, study: str, stage: str | None = None) -> list[dict[str, Any]]:
        """The trials that failed or recorded nothing, in the study or a stage, by number; params parsed."""
        names = ("trial_id", "stage", "number", "key", "arm", "params", "outcome", "evidence", "steps")
        inside = [TRIALS.c.study == study, TRIALS.c.verdict == VerdictLabel.INCONCLUSIVE.value]
        inside.append((TRIALS.c.outcome != Outcome.FINISHED.value) | (TRIALS.c.steps == 0))
        inside += [] if stage is None else [TRIALS.c.stage == stage]
        query = sa.select(*(TRIALS.c[name] for name in (*names, "directory"))).where(*inside)
        rows = self._rows(query.order_by(TRIALS.c.trial_id))
        return [dict(row) | {"params": json.loads(row["params"])} for row in rows]

    def undecided(self, study: str) -> set[int]:
        """The trials that came to their end and recorded numbers, which do not suffice for a verdict."""
        inside = [TRIALS.c.study == study, TRIALS.c.verdict == VerdictLabel.INCONCLUSIVE.value]
        inside += [TRIALS.c.outcome == Outcome.FINISHED.value, TRIALS.c.steps > 0]
        return {row["trial_id"] for row in self._rows(sa.select(TRIALS.c.trial_id).where(*inside))}

    def endings(self, study: str) -> list[Mapping[str, Any]]:
        """Per trial its place, verdict and outcome, and what tells whether it repeats another; by number."""
        names = ("trial_id", "stage", "arm", "key", "seed", "params", "verdict", "outcome")
        columns = [TRIALS.c[name] for name in (*names, "trajectory_sha256", "printed_sha256")]
        query = sa.select(*columns).where(TRIALS.c.study == study)
        return list(self._rows(query.order_by(TRIALS.c.stage, TRIALS.c.number)))

    def largest_initial_yardstick(self, connection: sa.Connection, study: str) -> float | None:
        """The largest finite yardstick before training in the study, or None; within a transaction."""
        query = sa.select(sa.func.max(TRIALS.c.yardstick_initial)).where(TRIALS.c.study == study)
        return connection.execute(query).scalar_one()

    def trials(self, study: str) -> pd.DataFrame:
        """The trials of `study` alone. Raises `UserError` for a study that never ran here."""
        self.environment(study)
        trials = self._frame(TRIALS, TRIALS.c.study == study)
        for column in ("params", "definitions", "effective"):
            trials[column] = [json.loads(text) for text in trials[column]]
        return trials

    def study_of(self, trial_id: int) -> str | None:
        """The name of the study that a trial belongs to."""
        query = sa.select(TRIALS.c.study).where(TRIALS.c.trial_id == trial_id)
        return next((row["study"] for row in self._rows(query)), None)

    def frames(self, study: str, trial_id: int | None = None) -> Frames:
        """Everything measured in `study`, or its trials and what was measured in one of them.

        Raises `UserError` for a study that never ran here.
        """
        trials = self.trials(study)
        ids = [trial_id] if trial_id is not None else _ids(study)
        return Frames(
            trials, *(self._frame(table, table.c.trial_id.in_(ids)) for table in (EPOCHS, STEPS, EVENTS))
        )

    def outline(
        self,
        study: str,
        stage: str,
        whole: Callable[[pd.DataFrame], int | None] = lambda trials: None,
        whole_stages: Sequence[str] = (),
    ) -> Frames:
        """`frames` without most of the steps, of which there are by far the most, and a report needs few.

        Kept are the totals of the steps in `stage`, and a row for each loss weight that was in force there
        at a step: it stands for all trials of one arm and verdict. And every step of one trial, which `whole`
        names, given all trials, and of the stages `whole_stages`, of which `stage` is none. Raises
        `UserError` as `frames` does.
        """
        trials = self.trials(study)
        query = reading.outlined_steps(study, stage, whole(trials), whole_stages)
        epochs, events = (self._frame(table, table.c.trial_id.in_(_ids(study))) for table in (EPOCHS, EVENTS))
        return Frames(trials, epochs, reading.frame(self._engine, query), events)

    def _frame(self, table: sa.Table, condition: sa.ColumnElement[bool]) -> pd.DataFrame:
        order = [table.c.trial_id] + ([table.c.step] if "step" in table.c else [])
        return reading.frame(self._engine, sa.select(table).where(condition).order_by(*order))

    def _rows(self, query: sa.Select[Any]) -> Iterator[Mapping[str, Any]]:
        if not {table.name for table in query.get_final_froms()} <= self._tables:
            return  # a database without our tables: an Optuna file, or an empty one
        with self._engine.connect() as connection:
            yield from [row._mapping for row in connection.execute(query)]

    def close(self) -> None:
        self._engine.dispose()


def _ids(study: str) -> sa.Select[Any]:
    return sa.select(TRIALS.c.trial_id).where(TRIALS.c.study == study)
