"""Notes for optuna-dashboard, in Markdown without raw HTML: a stage's headline, a trial's diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from stability import diagnosis, trainers
from stability.evidence.selection import diverged, failed, undecided
from stability.records import VerdictLabel
from stability.report.answers import answer
from stability.report.blocks import Code, Inline, Latin
from stability.report.markdown import inline, table
from stability.report.numbers import END_ISOLATE, ISOLATE_RTL
from stability.report.plaindata import present
from stability.report.words import Words

NOTED = (VerdictLabel.DIVERGED, VerdictLabel.UNSTABLE, VerdictLabel.STUCK, VerdictLabel.INCONCLUSIVE)
MOST_WARNINGS = 5


def stage_note(rows: pd.DataFrame, twin: Mapping[str, Any], words: Words) -> str:
    """The study's answer, the way to its report, and the counts of this stage."""
    name, stage = twin["study"], rows["stage"].iloc[0]
    sentences, _ = answer(twin, words)
    suffix = ".fa" if words.lang == "fa" else ""
    address = f"/report/{name}{suffix}.html"
    lines = [f"# {name}: {stage}", "", *(f"{_text(each, words)}\n" for each in sentences)]
    lines += [f"[{words.text('note_report')}]({address}) · [JSON](/report/{name}.json)", ""]
    kinds = {"failed": failed, "undecided": undecided} if len(undecided(rows)) else {"failed": failed}
    heads = tuple(words.say(key) for key in ("col_arm", "note_trials", "col_diverged", *kinds))
    arms = rows.groupby("arm", dropna=False, sort=False)
    lines.append(
        table(heads, tuple(_counts(arm, own, kinds.values(), words) for arm, own in arms), words.lang)
    )
    command = Code(f"stability report {name}")
    return "\n".join([*lines, "", _text(words.say("note_infeasible", command=command), words)])


def unreadable_note(stage: str, reason: Exception, words: Words) -> str:
    """Why a stage has no answer: its study's stored file can no longer be read."""
    told = words.say("note_unreadable", reason=Latin(str(reason)))
    return f"# {stage}\n\n{_text(told, words)}"


def _counts(
    arm: Any, own: pd.DataFrame, kinds: Iterable[Callable[[pd.DataFrame], pd.DataFrame]], words: Words
) -> tuple[Inline, ...]:
    """A row: the arm, or `-` for trials of none, and how its trials ended; `kinds` select the rest."""
    counts = (len(own), int(diverged(own).sum()), *(len(kind(own)) for kind in kinds))
    shown = Code(arm) if isinstance(arm, str) else "-"
    return ((shown,), *((words.numbers.count(count),) for count in counts))


def trial_notes(
    rows: pd.DataFrame, events: pd.DataFrame, trainer: Any, words: Words
) -> Iterator[tuple[int, str]]:
    """A note for every trial that did not end well; `trainer` is what the study file calls so."""
    replays = trainers.replays(trainer)
    of_trial = dict(iter(events.groupby("trial_id")))
    for row in rows[rows["verdict"].isin(NOTED)].to_dict("records"):
        own = of_trial.get(row["trial_id"])
        events_of = [] if own is None else own.to_dict("records")
        lines = [*_trial_note(row, events_of, words), *(_explain(row, words) if replays else ())]
        yield row["trial_id"], "\n".join(lines)


def _explain(row: Mapping[str, Any], words: Words) -> Iterator[str]:
    """The command that finds the operation, where there is a bad step to look at."""
    if row["verdict"] == VerdictLabel.DIVERGED:
        command = Code(f"stability explain {row['study']} {row['stage']}/{row['number']}")
        yield from ("", _text(words.say("note_explain", command=command), words))


def _trial_note(row: Mapping[str, Any], events: list[dict[str, Any]], words: Words) -> list[str]:
    lines = [f"# {row['verdict']}", "", _text((Latin(row["evidence"]),), words), ""]
    for event in events:
        if born := diagnosis.born_at(present(event["provenance"])):
            lines += [_text(words.say("note_born", place=Latin(born)), words), ""]
    warnings = [event for event in events if _earlier(event, row)]
    for event in warnings[:MOST_WARNINGS]:
        told = {key: Code(str(event[key])) for key in ("kind", "where")}
        value = Code(f"{event['value']:.3g}")
        lines.append(
            f"- {_text(words.say('note_before', step=int(event['step']), value=value, **told), words)}"
        )
    ended = {"outcome": Code(row["outcome"]), "steps": int(row["steps"]), "seed": Code(str(row["seed"]))}
    lines += ["", _text(words.say("note_ended", **ended), words), ""]
    name = f"{row['study']} {row['stage']}/{row['number']}"
    lines.append(_text(words.say("note_more", command=Code(f"stability show {name}")), words))
    return lines


def _earlier(event: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a rule spoke before the trial was lost, or at all where it was not."""
    first = present(row["event_step"])
    return event["kind"] != row["event_kind"] and (first is None or event["step"] <= first)


def _text(text: Inline, words: Words) -> str:
    """A line of a note; the dashboard's pages run left to right, so Persian is isolated from them."""
    shown = inline(text, words.lang)
    return f"{ISOLATE_RTL}{shown}{END_ISOLATE}" if words.lang == "fa" else shown
