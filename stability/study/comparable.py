"""Refuses to mix trials that mean different things under one name."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial

from stability.plan.proposal import Proposal
from stability.records import UserError
from stability.spec import StudySpec
from stability.store import Store

MENDED = ("trainer", "data", "model", "budget", "yardstick")
"""What may change while no trial gave evidence. The others are in the plan's trials, run or not."""


def check_study(spec: StudySpec, contents_sha256: str, store: Store) -> bool:
    """Whether the study was mended: it means something else now, and no trial of before gave evidence.

    Raises `UserError` when stored trials that did mean something else than new ones would.
    """
    if spec.name not in store.studies():
        return False
    before = store.environment(spec.name)
    same = before["trial_sha256"] == spec.trial_sha256
    if same and before["contents_sha256"] == contents_sha256:
        return False
    changed = [
        key for key in (*MENDED, "params", "seed") if before["spec"].get(key) != spec.document.get(key)
    ]
    counts = store.counts(spec.name)
    if set(changed) <= set(MENDED) and counts and all(row["failed"] == row["trials"] for row in counts):
        return True
    what_changed = "content of the corpus" if spec.trainer == "tts" else "version of the trainer's file"
    raise UserError(
        f"study {spec.name!r} in {store.name} ran with another {' and '.join(changed) or what_changed}; "
        "its trials would not compare: give the study a new name, or use another --storage"
    )


def check_sampler(stage: str, sampler: str | None, drawn_by: str | None) -> None:
    """Raise `UserError` when a stage's trials were drawn by another sampler."""
    if drawn_by != sampler:
        change = f"was drawn by {drawn_by!r}, is to be drawn by {sampler!r} now"
        raise UserError(f"stage {stage!r} {change}; give the study a new name, or use another --storage")


def check_settings(wanted: Sequence[Proposal], existing: Sequence[FrozenTrial]) -> None:
    """Raise `UserError` when a trial that exists already is now proposed with other settings."""
    settings = {trial.user_attrs["key"]: trial.params for trial in existing}
    for proposal in wanted:
        before = settings.get(proposal.key)
        if before is None or proposal.params is None:
            continue
        for name, value in proposal.params.items():
            if before.get(name, value) != value:
                change = f"{name} was {before[name]!r}, is {value!r} now"
                raise UserError(
                    f"{proposal.key} ran with other settings ({change}); "
                    "give the study a new name, or use another --storage"
                )
