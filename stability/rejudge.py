"""Stored trials under another policy: which verdicts would be different. Reads the database and nothing else.

Nothing is retrained and nothing stored is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from stability.judging import monitor
from stability.judging.policy import Policy
from stability.judging.rules.rule import Context
from stability.judging.verdict import judge
from stability.records import Ending, Outcome, Records, UserError, Verdict, VerdictLabel
from stability.spec import from_document
from stability.store import Frames, Store
from stability.store.restored import restored
from stability.suggest import suggest


@dataclass(frozen=True, slots=True)
class Change:
    """A trial whose verdict is another one now: as it is stored, and as it would be."""

    stage: str
    trial: str
    arm: str | None
    stored: str
    stored_kind: str | None
    stored_step: int | None
    now: str
    kind: str | None
    step: int | None
    evidence: str


@dataclass(frozen=True, slots=True)
class Count:
    """The trials of one stage and arm: diverged ones as stored and now, and those without a verdict now."""

    stage: str
    arm: str | None
    trials: int
    diverged: int
    diverged_now: int
    inconclusive_now: int
    changed: int


@dataclass(frozen=True, slots=True)
class Rejudged:
    """A study under another policy. `cut_short`: after how many steps the trials ended that were stopped
    under the policy they ran with, and would not be stopped there now.
    """

    trials: int
    changes: tuple[Change, ...]
    counts: tuple[Count, ...]
    cut_short: tuple[int, ...]


def policy_from(overrides: Sequence[str]) -> Policy:
    """The default policy, changed as in `given_back=0.6`. Raises `UserError` saying what to mend."""
    defaults = {field.name: field.default for field in fields(Policy)}
    changes = {}
    for override in overrides:
        name, equals, text = override.partition("=")
        if not equals:
            raise UserError(f"argument {override!r}: error: a limit is KEY=VALUE, such as given_back=0.6")
        if name not in defaults:
            raise UserError(f"argument {override!r}: error: unknown limit {name!r}{suggest(name, defaults)}")
        kind = type(defaults[name])
        try:
            changes[name] = kind(text)
        except ValueError:
            noun = "an integer" if kind is int else "a number"
            raise UserError(f"argument {override!r}: error: {name} is {noun}, got {text!r}") from None
    return Policy(**changes)


def rejudge(store: Store, study: str, policy: Policy) -> Rejudged:
    """Judge every stored trial of `study` anew. Raises `UserError` for a study that never ran here."""
    spec = from_document(store.environment(study)["spec"])
    yardstick, directions = spec.yardstick, spec.directions
    weights = {name: weight for name, weight in yardstick.items() if weight}  # 0 adds nothing
    frames = store.frames(study)
    trials = frames.trials.to_dict("records")
    verdicts = [
        _verdict(trial, records, Context(policy, weights, directions))
        for trial, records in zip(trials, _all_records(frames, weights), strict=True)
    ]
    pairs = list(zip(trials, verdicts, strict=True))
    return Rejudged(
        trials=len(trials),
        changes=tuple(_change(trial, verdict) for trial, verdict in pairs if _differs(trial, verdict)),
        counts=tuple(_counts(pairs)),
        cut_short=tuple(int(trial["steps"]) for trial, verdict in pairs if _is_cut_short(trial, verdict)),
    )


def _all_records(frames: Frames, weights: Mapping[str, float]) -> Iterator[Records]:
    """The records of each trial, in the order of `frames.trials`."""
    steps, epochs = (dict(list(frame.groupby("trial_id"))) for frame in (frames.steps, frames.epochs))
    for trial in frames.trials.to_dict("records"):
        own = trial["trial_id"]
        parts = steps.get(own, frames.steps[:0]), epochs.get(own, frames.epochs[:0])
        yield restored(*parts, weights, trial["definitions"])


def _verdict(trial: Mapping[str, Any], records: Records, context: Context) -> Verdict:
    """The verdict now. A trial that was stopped, and would not be, has no end to judge."""
    ending = Ending(Outcome(trial["outcome"]), error=trial["error"])
    finished = ending.outcome is Outcome.FINISHED
    given = context.weights, context.policy, context.directions
    events = tuple(monitor.scan(records, *given, finished=finished))
    verdict = judge(replace(records, events=events), ending, *given)
    if not _is_cut_short(trial, verdict):
        return verdict
    stopped = f"stopped after {trial['steps']} steps under the policy of its run"
    return replace(verdict, evidence=f"{stopped}; what it would have done later is unknown")


def _is_cut_short(trial: Mapping[str, Any], now: Verdict) -> bool:
    return trial["outcome"] == Outcome.STOPPED and now.label is not VerdictLabel.DIVERGED


def _differs(trial: Mapping[str, Any], now: Verdict) -> bool:
    """Another label, or the same for another reason; the wording of the evidence is no difference."""
    return _stored(trial) != (now.label, now.step, now.kind, now.where)


def _stored(trial: Mapping[str, Any]) -> tuple[str, int | None, str | None, str | None]:
    step = trial["event_step"]  # a column of integers and nothing: nothing is None or NaN
    known = step is not None and step == step
    return trial["verdict"], int(step) if known else None, trial["event_kind"], trial["event_where"]


def _change(trial: Mapping[str, Any], now: Verdict) -> Change:
    label, step, kind, _ = _stored(trial)
    before = {"stored": label, "stored_kind": kind, "stored_step": step}
    return Change(
        stage=trial["stage"],
        trial=trial["key"],
        arm=trial["arm"],
        **before,
        now=now.label.value,
        kind=None if now.kind is None else now.kind.value,
        step=now.step,
        evidence=now.evidence,
    )


def _counts(pairs: Sequence[tuple[Mapping[str, Any], Verdict]]) -> Iterator[Count]:
    diverged, inconclusive = VerdictLabel.DIVERGED, VerdictLabel.INCONCLUSIVE
    for stage, arm in dict.fromkeys((trial["stage"], trial["arm"]) for trial, _ in pairs):
        own = [(trial, now) for trial, now in pairs if (trial["stage"], trial["arm"]) == (stage, arm)]
        yield Count(
            stage=stage,
            arm=arm,
            trials=len(own),
            diverged=sum(trial["verdict"] == diverged for trial, _ in own),
            diverged_now=sum(now.label is diverged for _, now in own),
            inconclusive_now=sum(now.label is inconclusive for _, now in own),
            changed=sum(_differs(trial, now) for trial, now in own),
        )
