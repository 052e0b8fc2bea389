"""An ended trial -> its verdict, its rows and what Optuna is told, all in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import optuna

from stability import objective, trialdir
from stability.judging import monitor
from stability.judging.policy import Policy
from stability.judging.verdict import judge
from stability.records import Ending, Outcome, Records, TrialSpec, Verdict
from stability.store import Store
from stability.store.claims import Claim, Claims
from stability.store.rows import trial_rows


@dataclass(frozen=True, slots=True)
class Ended:
    """What an ended trial left, judged."""

    spec: TrialSpec
    records: Records
    ending: Ending
    verdict: Verdict


def read(spec: TrialSpec) -> Ended:
    """A complete trial, with the events of a trainer that did not watch itself."""
    ending = trialdir.read_ending(spec.directory)
    try:
        records = trialdir.read_records(spec.directory)
        _check_components(records, spec)
    except ValueError as error:
        records, ending = Records(), replace(ending, outcome=Outcome.CRASHED, error=str(error))
        return Ended(spec, records, ending, judge(records, ending, spec.yardstick))
    policy, directions = Policy(), spec.directions
    finished = ending.outcome is Outcome.FINISHED
    events = records.events or monitor.scan(records, spec.yardstick, policy, directions, finished=finished)
    records = replace(records, events=tuple(events))
    return Ended(spec, records, ending, judge(records, ending, spec.yardstick, policy, directions))


def unused_signals(ended: Ended) -> str | None:
    """Which names in `signals` the trial recorded nothing by, in a sentence; None where it used them all."""
    records, evaluations = ended.records.steps, ended.records.evaluations
    recorded = {name: None for record in (*records, *evaluations) for name in record.losses}
    unused = [name for name in ended.spec.directions if name not in recorded]
    if not unused or not recorded:
        return None
    return f"signals: no trial recorded {', '.join(map(repr, unused))}; recorded are {', '.join(recorded)}"


def store_trial(
    store: Store, study: optuna.Study, claims: Claims, claim: Claim, ended: Ended, environment_id: int
) -> dict[str, Any] | None:
    """Store the trial and tell Optuna, together or not at all; returns its row.

    None when another driver has taken the trial over: what this one found is the same, and is dropped.
    """
    rows = trial_rows(
        ended.spec, ended.records, ended.ending, ended.verdict, environment_id, attempts=claim.attempt + 1
    )
    with store.transaction() as connection:
        if not claims.settle(connection, claim.trial_id):
            return None
        store.add(connection, claim.trial_id, rows)
        cap = store.largest_initial_yardstick(connection, ended.spec.study)
        store.tell(connection, claim.trial_id, objective.told(ended.verdict, rows))
        state, values = objective.ending(ended.records, ended.verdict, rows, cap)
        study._storage.set_trial_state_values(claim.trial_id, state, values)
    return rows.trial


def _check_components(records: Records, spec: TrialSpec) -> None:
    """Raise `ValueError` for an evaluation (by a foreign program) that lacks a part of the yardstick."""
    for evaluation in records.evaluations:
        if missing := spec.yardstick.keys() - evaluation.losses.keys():
            raise ValueError(f"an evaluation lacks {', '.join(sorted(missing))}, which the yardstick weighs")
