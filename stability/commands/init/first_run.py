"""Runs the program as a trial, and lets what it shows decide what the study file says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from stability.commands.init import budget, fallbacks, reaching, reading
from stability.commands.init.left_behind import LeftBehind
from stability.commands.init.study_file import ARM, Draft
from stability.commands.init.trial_runs import Change, Ran, run
from stability.spec import StudySpec


@dataclass(frozen=True, slots=True)
class Limits:
    """`check` validates a draft; a run takes `most_s` at most, and lies below `folder`."""

    check: Callable[[Draft], StudySpec]
    most_s: float
    folder: Path

    def runs(self, draft: Draft, name: str, changes: Sequence[Change], jobs: int) -> list[Ran]:
        return run(self.check(draft), ARM, changes, self.folder / name, self.most_s, jobs)

    def once(self, draft: Draft, name: str) -> Ran:
        return self.runs(draft, name, [Change()], 1)[0]


@dataclass(slots=True)
class Shown:
    """What the runs showed: the draft as it is now, and sentences for whoever waits for it."""

    draft: Draft
    sentences: list[str] = field(default_factory=list)

    def cannot(self, line: str) -> None:
        """Something that could not be done: said, and written into the file."""
        self.draft = replace(self.draft, lines=[*self.draft.lines, line])


def try_out(draft: Draft, check: Callable[[Draft], StudySpec], most_s: float) -> Shown:
    """The draft after a first run of at most `most_s` seconds, and those that show what reaches the training.

    `check` validates a draft. The runs' own folders are gone at the end.
    """
    left = LeftBehind(Path())
    with tempfile.TemporaryDirectory(prefix="stability-init-") as folder:
        shown = _tried(draft, Limits(check, most_s, Path(folder)))
    if left.names:
        shown.cannot(f"it also writes {', '.join(left.names)}, which trials side by side share")
    return shown


def _tried(draft: Draft, limits: Limits) -> Shown:
    first, short, found = _first(replace(draft, budget=budget.shortest(draft.roles)), limits)
    shown = Shown(replace(short, budget=draft.budget, lines=short.roles.lines))
    shown.sentences += ["what was read:", *(f"  {sentence}" for sentence in found)] if found else []
    if not first.losses:
        lost = "its training is lost before any number is read"
        unread = f"the first run gave no number that is read within {first.wall_s:.0f} s"
        shown.cannot(f"{lost if fallbacks.is_lost(first) else unread}: {_end(first)}")
        return shown
    took = f"{first.wall_s:.1f} s" if first.ending else f"it was ended after {limits.most_s:g} s"
    shown.sentences.append(f"first run: {took}, {len(first.records.steps)} steps read{_from_to(first)}")
    own, why, lines = budget.planned(short.roles, short.budget, first, limits.most_s)
    shown.draft = replace(shown.draft, budget=own, why=why)
    for line in lines:
        shown.cannot(line)
    for said in reaching.shown(short.roles, first, lambda *own: limits.runs(short, *own)):
        (shown.cannot if said.is_open else shown.sentences.append)(said.sentence)
    return shown


def _first(draft: Draft, limits: Limits) -> tuple[Ran, Draft, Sequence[str]]:
    """The first run, with outputs where the program accepts them, and its numbers read as it prints them."""
    ran = limits.once(draft, "first")
    if fallbacks.wants_no_folder(ran):
        draft = replace(draft, roles=fallbacks.with_new_folders(draft.roles))
        ran = limits.once(draft, "again")
    if fallbacks.has_failed(ran) and (fewer := fallbacks.only_given(draft.roles)) is not None:
        barer = replace(draft, roles=fewer)
        again = limits.once(barer, "barer")
        ran, draft = (ran, draft) if fallbacks.has_failed(again) else (again, barer)
    return _read(ran, draft, limits)


def _read(ran: Ran, draft: Draft, limits: Limits) -> tuple[Ran, Draft, Sequence[str]]:
    """The run with its numbers read as it prints them; another shows how where it has too few."""
    shows, found = ran, _reading(ran)
    may_be_longer = not fallbacks.has_failed(ran) and not fallbacks.is_lost(ran)
    if found.count < budget.FEW and may_be_longer:
        longer = budget.longer(draft.roles, ran, limits.most_s)
        draft = draft if longer is None else replace(draft, budget=longer)
        ran = shows = ran if longer is None else limits.once(draft, "longer")
        found = _reading(ran)
    if not found.has_loss or (found.count < budget.FEW and fallbacks.is_lost(ran)):
        gentle = _gentle(draft, limits)
        if gentle is not None and _reading(gentle).count > found.count:
            shows, found = gentle, _reading(gentle)
    if found.has_loss:
        is_read = shows.names >= set(found.losses) and found.parse == draft.parse
        draft = replace(draft, parse=found.parse, yardstick=found.losses)
        ran = ran if is_read else limits.once(draft, "read")
    return ran, draft, found.sentences


def _reading(ran: Ran) -> reading.Reading:
    return reading.read(ran.printed, ran.folder / "artifacts")


def _gentle(draft: Draft, limits: Limits) -> Ran | None:
    """A run with the least value of what moves a training most, to see what one prints that is not lost."""
    moved = reaching.moved_in(draft.roles)
    if moved is None:
        return None
    return limits.runs(draft, "gentle", [Change(params={moved.name: moved.range["min"]})], 1)[0]


def _end(first: Ran) -> str:
    if first.ending is None:
        return "it was still running"
    return first.ending.error or "it ended well"


def _from_to(first: Ran) -> str:
    """How the first of its losses went."""
    steps = [step for step in first.records.steps if step.losses]
    if not steps:
        return ""
    name = next(iter(steps[0].losses))
    values = [step.losses[name] for step in steps if name in step.losses]
    return f", {name} from {values[0]:.4g} to {values[-1]:.4g}"
